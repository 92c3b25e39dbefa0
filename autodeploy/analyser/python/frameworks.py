"""The web frameworks that are known: the package, the class of the application object, how it is served."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from autodeploy.analyser.python.manifest import Manifest

Protocol = Literal["wsgi", "asgi", "aiohttp", "sanic", "script"]
"""What a server speaks to the application; `script`: the program serves itself."""


@dataclass(frozen=True)
class Framework:
    """One framework. `classes` are the dotted names an application object is made from. "" is plain WSGI or ASGI."""

    name: str
    package: str
    classes: tuple[str, ...]
    protocol: Protocol
    port: int = 8000
    """What its own server listens on where nobody says."""


DJANGO = Framework("django", "django", (), "wsgi")
FLASK = Framework(
    "flask",
    "flask",
    (
        "flask.Flask",
        "flask.app.Flask",
        "apiflask.APIFlask",
        "connexion.FlaskApp",
        "connexion.App",
        "flask_openapi3.OpenAPI",
    ),
    "wsgi",
)
FASTAPI = Framework("fastapi", "fastapi", ("fastapi.FastAPI", "fastapi.applications.FastAPI"), "asgi")
FRAMEWORKS = (
    DJANGO,
    FASTAPI,
    FLASK,
    Framework("quart", "quart", ("quart.Quart", "quart_trio.QuartTrio"), "asgi"),
    Framework("litestar", "litestar", ("litestar.Litestar", "litestar.app.Litestar"), "asgi"),
    Framework("starlite", "starlite", ("starlite.Starlite",), "asgi"),
    Framework("blacksheep", "blacksheep", ("blacksheep.Application",), "asgi"),
    Framework("sanic", "sanic", ("sanic.Sanic", "sanic.app.Sanic"), "sanic"),
    Framework("falcon", "falcon", ("falcon.App", "falcon.API"), "wsgi"),
    Framework("pyramid", "pyramid", (), "wsgi", 6543),
    Framework("bottle", "bottle", ("bottle.Bottle", "bottle.default_app"), "wsgi", 8080),
    Framework("streamlit", "streamlit", (), "script", 8501),
    Framework("gradio", "gradio", (), "script", 7860),
    Framework("dash", "dash", ("dash.Dash",), "wsgi", 8050),
    Framework("nicegui", "nicegui", (), "script", 8080),
    Framework("cherrypy", "cherrypy", (), "script", 8080),
    Framework("aiohttp", "aiohttp", ("aiohttp.web.Application",), "aiohttp", 8080),
    Framework("tornado", "tornado", (), "script", 8888),
    Framework("starlette", "starlette", ("starlette.applications.Starlette",), "asgi"),
)
"""Those that pull in others come first: FastAPI brings Starlette; many a client brings aiohttp or Tornado."""

FALCON_ASGI = Framework("falcon", "falcon", ("falcon.asgi.App",), "asgi")
PLAIN_WSGI = Framework("", "", (), "wsgi")
PLAIN_ASGI = Framework("", "", (), "asgi")

BY_NAME = {framework.name: framework for framework in FRAMEWORKS}
BY_CLASS = {name: framework for framework in (*FRAMEWORKS, FALCON_ASGI) for name in framework.classes}
_PULLED_IN = {
    "flask": (
        "flask-sqlalchemy",
        "flask-restful",
        "flask-cors",
        "flask-login",
        "apiflask",
        "flask-migrate",
        "connexion",
    ),
    "django": ("djangorestframework", "django-environ", "django-allauth", "wagtail"),
}
_INCIDENTAL = frozenset({"aiohttp", "tornado", "starlette", "dash", "gradio", "bottle", "cherrypy"})
"""Packages that programs also use beside another framework, or as clients: declared alone, they prove nothing."""


def declared_framework(manifest: Manifest, has_proof: frozenset[str] = frozenset()) -> Framework | None:
    """Return the first framework among the dependencies; None for plain Python.

    `has_proof`: frameworks whose server side the code imports.
    """
    for framework in FRAMEWORKS:
        if manifest.find(framework.package, *_PULLED_IN.get(framework.name, ())) and (
            framework.name not in _INCIDENTAL or framework.name in has_proof
        ):
            return framework
    return None
