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
        ('web.Router("/health", &c{}, "POST:Check")\nweb.Router("/api/ping", &c{}, "get:Ping;post:Take")', "/api/ping"),
        ('x := []Route{{"Index", "GET", "/", Index}, {"Health", "GET", "/health", H}, {"Up", "POST", "/up", U}}', "/health"),
        ('x := []*Route{{Name: "a", Method: http.MethodGet, Pattern: "/ping", Handlers: h}}', "/ping"),
        ('x := Routes{Route{Path: "/status", Name: "b", Method: "GET", Handler: h}}', "/status"),
        ('x := []Route{{Method: "POST", Pattern: "/health"}, {Method: "GET", Pattern: "/x"}}', "/x"),
        ('web.Router("/ready", &c{})\nweb.Router("/health")', "/ready"),
        ('r.GET("/health", jwtRequired, h)\nr.GET("/open", h)', "/open"),
        ('r.GET("/items/:id", h)\nr.GET("/items/list", h)\nr.GET("/all", h)', "/all"),
        ('r.GET(path, h)', "/"),
        ('const live = api + "/livez"\nconst api = "/api"\nr.GET(live, h)', "/api/livez"),
        ('const v = "/v1"\nr.Route("/api"+v, func(r chi.Router) {\n r.Get("/health", h) })', "/api/v1/health"),
        ('http.HandleFunc("GET "+config.Webroot+"livez", h)', "/livez"),
        ('r.GET(base+("/health"), h)\nr.GET("/x", h)', "/x"),
        ('r.GET(config.Name+"/health", h)\nr.GET("/x", h)', "/x"),
        ('shop.Register(r.PathPrefix("/api").Subrouter())', "/"),
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


def test_a_path_may_be_a_constant_of_another_package_and_one_of_its_own_file_goes_first() -> None:
    paths = 'package paths\n\nconst (\n API = "/api"\n Health = API + "/health"\n prefix = "/other"\n)\n'
    main = program('r.GET(paths.Health, h)\nhttp.ListenAndServe(":8080", nil)', "net/http example.org/shop/paths")
    assert stack_of({"main.go": main, "paths/paths.go": paths}).health_check_path == "/api/health"
    own = 'r.Route(prefix+"/v1", func(r chi.Router) {\n r.Get("/health", h) })\nhttp.ListenAndServe(":8080", paths.X)'
    main = program(own, "net/http example.org/shop/paths", 'const prefix = "/own"')
    assert stack_of({"main.go": main, "paths/paths.go": paths}).health_check_path == "/own/v1/health"


def test_gorilla_s_sub_router_may_be_made_where_it_is_given() -> None:
    routes = 'package shop\n\nfunc (a api) Register(r *mux.Router) {\n r.HandleFunc("/healthz", h)\n}\n'
    body = 'r := mux.NewRouter()\nshop.Register(r.PathPrefix("/api").Subrouter())\nhttp.ListenAndServe(":8080", r)'
    main = program(body, "net/http example.org/shop/shop")
    assert stack_of({"main.go": main, "shop/a.go": routes}).health_check_path == "/api/healthz"


def test_the_operator_may_name_it() -> None:
    stack = stack_of({"main.go": program()}, {"health_check_path": "/up"})
    assert stack.health_check_path == "/up"


@pytest.mark.parametrize(
    ("call", "path"),
    [
        ('api := r.Group("/api")\nshop.Add(api)', "/api/health"),
        ('shop.Add(r.Group("/v1"))', "/v1/health"),
        ('api := r.Group("/api")\nv2 := api.Group("v2")\nshop.Add(v2)', "/api/v2/health"),
        ('api := r.Group("/api", jwtAuth())\nshop.Add(api)', "/"),
        ('api := r.Group("/api")\napi.Use(middleware.Auth())\nshop.Add(api)', "/"),
        ("shop.Add(unknown())", "/"),
    ],
)
def test_a_group_is_followed_into_the_function_that_it_is_given_to(call: str, path: str) -> None:
    routes = 'package shop\n\nfunc Add(g *gin.RouterGroup) {\n g.GET("/health", h)\n}\n'
    main = program(f'{call}\nhttp.ListenAndServe(":8080", nil)', "net/http example.org/shop/shop")
    assert stack_of({"main.go": main, "shop/a.go": routes}).health_check_path == path


def test_a_mounted_router_and_names_used_twice_are_kept_apart() -> None:
    rest = (
        'func ops() http.Handler {\n r := chi.NewRouter()\n r.Get("/health", h)\n return r\n}\n'
        'func other() {\n r := x.Group("/other")\n r.GET("/item", h)\n}'
    )
    assert serving('r.Mount("/ops", ops())' + LISTEN, rest=rest).health_check_path == "/ops/health"


def test_a_login_asked_for_later_does_not_close_what_was_registered_before() -> None:
    before = 'r.GET("/health", h)\nr.Use(jwt.Middleware())\nr.GET("/", h)'
    assert serving(before + LISTEN).health_check_path == "/health"
    assert serving('r.Use(jwt.Middleware())\nr.GET("/health", h)' + LISTEN).health_check_path == "/"


def test_routes_that_name_their_methods_first_are_read() -> None:
    assert serving('r.To("GET,HEAD", "/healthcheck", h)' + LISTEN).health_check_path == "/healthcheck"
    assert serving('r.Method(http.MethodPost, "/health", h)\nr.Add("x")' + LISTEN).health_check_path == "/"


def test_a_function_of_another_package_s_name_gives_no_prefix_to_itself() -> None:
    inner = 'package v1\n\nfunc Setup(r fiber.Router) {\n r.Get("/items", h)\n}\n'
    outer = 'package routes\n\nfunc Setup(app *fiber.App) {\n app.Get("/health", h)\n api := app.Group("/api")\n v1.Setup(api.Group("/v1"))\n}\n'
    main = program(
        'routes.Setup(app)\nhttp.ListenAndServe(":8080", nil)', "net/http example.org/shop/routes example.org/shop/v1"
    )
    stack = stack_of({"main.go": main, "routes/a.go": outer, "v1/a.go": inner})
    assert stack.health_check_path == "/health"


def test_chi_s_heartbeat_answers_for_the_whole() -> None:
    body = f'r.Use(middleware.Heartbeat("/ping"))\nr.Get("/system/ping", h){LISTEN}'
    assert serving(body, "net/http github.com/go-chi/chi/v5/middleware").health_check_path == "/ping"


@pytest.mark.parametrize(
    ("chain", "path"),
    [
        ('r.Methods("GET").Path("/health").HandlerFunc(h)', "/health"),
        ('r.Path("/health").Methods(http.MethodPost).HandlerFunc(h)', "/"),
        ('s := r.PathPrefix("/api").Subrouter()\ns.Path("/health").Handler(h)', "/api/health"),
        ('r.Path("/health")', "/"),
    ],
)
def test_gorilla_s_routes_may_be_chains(chain: str, path: str) -> None:
    body = f'r := mux.NewRouter()\n{chain}\nhttp.ListenAndServe(":8080", r)'
    assert serving(body, "net/http github.com/gorilla/mux").health_check_path == path


@pytest.mark.parametrize(
    ("test", "path"),
    [
        ("r.Method == http.MethodGet && r.URL.Path == healthPath", "/v1/health"),
        ('r.URL.Path == "/ping"', "/ping"),
        ("r.Method == http.MethodPost && r.URL.Path == healthPath", "/"),
    ],
)
def test_a_handler_may_compare_the_path_itself(test: str, path: str) -> None:
    handler = f'const healthPath = "/v1/health"\nfunc handle(w http.ResponseWriter, r *http.Request) {{\n if {test} {{ ok(w) }}\n}}'
    assert (
        serving('http.ListenAndServe(":8080", http.HandlerFunc(handle))', "net/http", handler).health_check_path == path
    )


def test_a_login_that_only_a_setting_asks_for_closes_nothing() -> None:
    body = 'r := mux.NewRouter()\nif user != "" {\n r.Use(basicAuth)\n}\nr.Handle("/health.html", h)'
    assert serving(body + LISTEN, "net/http github.com/gorilla/mux").health_check_path == "/health.html"
