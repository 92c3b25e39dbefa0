"""The web frameworks that are known: the package, the class of the application object, the protocol it speaks."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from autodeploy.analyser.python.manifest import Manifest

Protocol = Literal["wsgi", "asgi"]


@dataclass(frozen=True)
class Framework:
    """One framework. `classes` are the dotted names an application object is made from."""

    name: str
    package: str
    classes: tuple[str, ...]
    protocol: Protocol


FRAMEWORKS = (
    Framework("django", "django", (), "wsgi"),
    Framework("fastapi", "fastapi", ("fastapi.FastAPI", "fastapi.applications.FastAPI"), "asgi"),
    Framework("flask", "flask", ("flask.Flask", "flask.app.Flask", "apiflask.APIFlask"), "wsgi"),
    Framework("starlette", "starlette", ("starlette.applications.Starlette",), "asgi"),
    Framework("quart", "quart", ("quart.Quart",), "asgi"),
    Framework("litestar", "litestar", ("litestar.Litestar",), "asgi"),
    Framework("bottle", "bottle", ("bottle.Bottle", "bottle.default_app"), "wsgi"),
    Framework("falcon", "falcon", ("falcon.App", "falcon.API"), "wsgi"),
)
"""Those that pull in others come first: FastAPI brings Starlette."""

BY_CLASS = {name: framework for framework in FRAMEWORKS for name in framework.classes}
_PULLED_IN = {"flask": ("flask-sqlalchemy", "flask-restful", "flask-cors", "flask-login", "apiflask", "flask-migrate")}


def declared_framework(manifest: Manifest) -> Framework | None:
    """Return the first framework among the dependencies; None for plain Python."""
    for framework in FRAMEWORKS:
        if manifest.find(framework.package, *_PULLED_IN.get(framework.name, ())):
            return framework
    return None
