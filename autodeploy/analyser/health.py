"""Chooses the path that tells health: a named health route, else the front page, else the shortest open route."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from autodeploy.analyser.failures import refusal
from autodeploy.model import Evidence

_NAMES = (
    "health",
    "healthz",
    "healthcheck",
    "health-check",
    "health_check",
    "_health",
    "_healthz",
    "healthy",
    "healthchecker",
    "health-checker",
    "livez",
    "liveness",
    "live",
    "alive",
    "up",
    "ping",
    "status",
    "heartbeat",
    "readyz",
    "readiness",
    "ready",
    "ht",
)
"""What health routes are called, those that ask for the least first."""

_PLAIN = re.compile(
    r"^(?:api|rest|internal|public|system|monitor(?:ing)?|actuator|_|-|v\d+|health\w*)?$", re.IGNORECASE
)
"""Folders that leave a word its meaning: /api/status speaks of the server, /orders/status does not."""

_STATIC = re.compile(r"^/[\w./~-]*$")


@dataclass(frozen=True)
class Route:
    """One path that answers GET. `is_open`: nothing in sight asks for a login."""

    path: str
    is_open: bool
    file: str
    line: int


def detect_health_path(
    routes: Sequence[Route], framework: str | None, overrides: Mapping[str, str], hint: Evidence | None = None
) -> tuple[str, Evidence]:
    """Return the health check's path and why; raise AnalysisError when the flag's is no path.

    `hint` is the path that a platform asks: it chooses among health routes, and goes before what is none.
    """
    if "health_check_path" in overrides:
        path = overrides["health_check_path"]
        if not _STATIC.match(path.partition("?")[0]):
            raise refusal(
                f"{path!r} is no path on the web", "Give one that begins with '/': --health-check-path /health"
            )
        return path, Evidence(fact="health_check_path", value=path, rule="--health-check-path")
    usable = [route for route in routes if route.is_open and _STATIC.match(route.path)]
    named = sorted((route for route in usable if _rank(route) < len(_NAMES)), key=_order)
    fronts = [route for route in usable if route.path == "/"]
    # What is asked at the end of a platform's path may be a route below a prefix that no code shows.
    if named and not any(hint and hint.value.endswith(route.path) for route in named):
        return named[0].path, _evidence(named[0], "health-route", [*named[1:], *fronts])
    if hint:
        others = tuple(dict.fromkeys(route.path for route in (*named, *fronts) if route.path != hint.value))
        return hint.value, hint.but(alternatives=others)
    if fronts:
        return "/", _evidence(fronts[0], "front-page", [])
    if framework == "fastapi":
        return "/docs", Evidence(fact="health_check_path", value="/docs", rule="fastapi-docs", confidence="likely")
    if usable:
        shortest = min(usable, key=lambda route: (route.path.count("/"), len(route.path), route.path))
        return shortest.path, _evidence(shortest, "shortest-route", []).but(confidence="likely")
    return "/", Evidence(fact="health_check_path", value="/", rule="default", confidence="default")


def is_named(route: Route) -> bool:
    """Tell whether an open route is called as health routes are."""
    return route.is_open and bool(_STATIC.match(route.path)) and _rank(route) < len(_NAMES)


def _order(route: Route) -> tuple[bool, int, int]:
    """Order health routes: those of the whole before those of a part, such as /webhooks/health."""
    folders = route.path.strip("/").split("/")[:-1]
    return not all(map(_PLAIN.match, folders)), _rank(route), len(route.path)


def _rank(route: Route) -> int:
    *folders, last = route.path.strip("/").lower().split("/")
    last = re.sub(r"\.(?:html?|json|txt|php)$", "", last)
    is_said = last in _NAMES and ("health" in last or all(map(_PLAIN.match, folders)))
    return _NAMES.index(last) if is_said else len(_NAMES)


def _evidence(route: Route, rule: str, others: Sequence[Route]) -> Evidence:
    return Evidence(
        fact="health_check_path",
        value=route.path,
        file=route.file,
        line=route.line,
        rule=rule,
        alternatives=tuple(dict.fromkeys(other.path for other in others if other.path != route.path)),
    )
