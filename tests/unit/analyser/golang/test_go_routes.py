"""The health path among a Go program's routes."""

from __future__ import annotations

import pytest
from unit.analyser.golang.programs import evidence, program, serving, stack_of

LISTEN = '\nhttp.ListenAndServe(":8080", nil)'


@pytest.mark.parametrize(
    ("body", "path"),
    [
        ('http.HandleFunc("/", index)\nhttp.HandleFunc("/healthz", ok)', "/healthz"),
        ('mux.HandleFunc("GET /{$}", index)\nmux.HandleFunc("POST /health", h)', "/"),
        ('mux.HandleFunc("GET /livez", index)', "/livez"),
        ('r.GET("/ping", h)\nr.POST("/health", h)', "/ping"),
        ('v1 := r.Group("/api/v1")\nv1.GET("/health", h)', "/api/v1/health"),
        ('v1 := r.Group("/api/v1/")\ng := v1.Group("ops", auth())\ng.GET("health", h)\nr.GET("/", h)', "/"),
        ('r.Route("/api", func(r chi.Router) {\n r.Route("/v2", func(r chi.Router) {\n r.Get("/status", h) })\n})',
         "/api/v2/status"),
        ('r.HandleFunc("/health", h).Methods("POST")\nr.HandleFunc("/x", h).Methods("GET", "HEAD")', "/x"),
        ('s := r.PathPrefix("/sub").Subrouter()\ns.HandleFunc("/ready", h).Methods(http.MethodGet)', "/sub/ready"),
        ('router.Handler("GET", "/heartbeat", h)', "/heartbeat"),
        ('r.GET("/health", jwtRequired, h)\nr.GET("/open", h)', "/open"),
        ('r.GET("/items/:id", h)\nr.GET("/items/list", h)\nr.GET("/all", h)', "/all"),
        ('r.GET(path, h)', "/"),
        ("r.HandleFunc()\nGET()", "/"),
        ('client.Get("https://example.org/health")', "/"),
    ],
)  # fmt: skip
def test_the_health_path_is_a_named_route_or_the_front_page(body: str, path: str) -> None:
    assert serving(body + LISTEN).health_check_path == path


def test_a_group_of_which_another_file_knows_the_prefix_is_left_alone() -> None:
    routes = 'package shop\n\nfunc Add(g *gin.RouterGroup) {\n g.GET("/health", h)\n}\n'
    whole = 'package shop\n\nfunc All(r *gin.Engine) {\n r.GET("/ready", h)\n}\n'
    main = program('http.ListenAndServe(":8080", nil)', "net/http example.org/shop/shop")
    stack = stack_of({"main.go": main, "shop/a.go": routes, "shop/b.go": whole})
    assert (stack.health_check_path, evidence(stack, "health_check_path").file) == ("/ready", "shop/b.go")


def test_the_operator_may_name_it() -> None:
    stack = stack_of({"main.go": program()}, {"health_check_path": "/up"})
    assert stack.health_check_path == "/up"
