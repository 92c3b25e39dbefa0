"""What an application needs around it: databases, services, Debian packages, variables, migrations, health."""

from __future__ import annotations

import pytest
from fixtures.sources import memory

from autodeploy.analyser import analyse
from autodeploy.model import TechStack

FLASK = "from flask import Flask\napp = Flask('x')\n"
FASTAPI = "from fastapi import FastAPI, APIRouter\napp = FastAPI()\n"


def stack_of(requirements: str = "flask", code: str = FLASK, **files: str) -> TechStack:
    return analyse(memory({"requirements.txt": requirements, "app.py": code, **files}))


@pytest.mark.parametrize(
    ("requirements", "database"),
    [
        ("piccolo[postgres]", "postgresql"),
        ("databases[aiomysql]", "mysql"),
        ("tortoise-orm[asyncpg]", "postgresql"),
        ("litestar-asyncpg", "postgresql"),
        ("beanie", "mongodb"),
        ("piccolo[all]", None),
        ("flask-cors", None),
    ],
)
def test_a_driver_that_another_package_brings(requirements: str, database: str | None) -> None:
    assert stack_of(requirements).database_type == database


def test_of_several_drivers_the_configuration_tells_and_else_it_is_a_question() -> None:
    both = "flask\nasyncpg\npymongo"
    told = stack_of(both, FLASK + "URL = 'mongodb://localhost/shop'\n")
    assert (told.database_type, told.unknowns) == ("mongodb", ())
    open_one = stack_of(both)
    assert open_one.database_type == "postgresql"
    assert [(item.fact, item.choices) for item in open_one.unknowns] == [("database_type", ("postgresql", "mongodb"))]


DJANGO = {
    "manage.py": "import os\nos.environ.setdefault('DJANGO_SETTINGS_MODULE', 'site1.settings')\n",
    "site1/__init__.py": "",
}
ENGINES = {
    "sqlite": ("DATABASES = {'default': {'ENGINE': 'django.db.backends.sqlite3'}}\n", None),
    "an address": ("import dj_database_url\nDATABASES = {'default': dj_database_url.config(default='sqlite:///x')}\n", "postgresql"),
    "either": ("A = {'ENGINE': 'django.db.backends.sqlite3'}\nif x:\n    A = {'ENGINE': 'django.db.backends.postgresql'}\n"
               "DATABASES = {'default': A}\n", "postgresql"),
    "a variable": ("import os\nDATABASES = {'default': {'ENGINE': os.environ.get('E', 'django.db.backends.sqlite3')}}\n", "postgresql"),
    "postgis": ("DATABASES = {'default': {'ENGINE': 'django.contrib.gis.db.backends.postgis'}}\n", "postgresql"),
    "nothing": ("X = 1\n", "postgresql"),
}  # fmt: skip


@pytest.mark.parametrize("name", ENGINES)
def test_the_engine_of_django_s_settings_decides_over_a_driver(name: str) -> None:
    settings, database = ENGINES[name]
    files = {**DJANGO, "requirements.txt": "django\npsycopg2-binary", "site1/settings.py": settings}
    stack = analyse(memory({**files, "site1/wsgi.py": "import django\napplication = 1\n"}))
    assert stack.database_type == database


@pytest.mark.parametrize(
    ("requirements", "services"),
    [
        ("flask-redis", ("redis",)),
        ("celery", ("rabbitmq",)),
        ("celery[redis]", ("rabbitmq", "redis")),
        ("aio-pika\nelasticsearch", ("elasticsearch", "rabbitmq")),
        ("confluent-kafka\npymemcache", ("kafka", "memcached")),
        ("requests", ()),
    ],
)
def test_services_by_their_clients(requirements: str, services: tuple[str, ...]) -> None:
    code = FLASK + ("BROKER = 'amqp://broker'\n" if "celery" in requirements else "")
    stack = stack_of(requirements, code)
    assert stack.services == services
    assert sum("not made" in warning for warning in stack.warnings) == len(services)


def test_celery_on_redis_and_its_worker() -> None:
    assert stack_of("flask\ncelery", FLASK + "BROKER = 'redis://x'\n").services == ("redis",)
    assert any("worker is not run" in text for text in stack_of("celery").warnings)
    told = stack_of("flask\ncelery\ngunicorn", Procfile="web: gunicorn app:app\nworker: celery -A app worker")
    assert not any("worker is not run" in text for text in told.warnings)


def test_debian_packages() -> None:
    assert stack_of("weasyprint").run_packages == ("libharfbuzz-subset0", "libpango-1.0-0", "libpangoft2-1.0-0")
    assert stack_of("psycopg[c]").build_packages == ("gcc", "libc6-dev", "libpq-dev", "python3-dev")
    assert stack_of("psycopg[binary]\npyvips[binary]\npillow\nlxml").run_packages == ()
    assert stack_of("pyvips\npydub\nopencv-python").run_packages == ("ffmpeg", "libgl1", "libglib2.0-0", "libvips42")
    assert stack_of("x @ git+https://host/x").build_packages == ("ca-certificates", "git")
    settings = "INSTALLED_APPS = ['django.contrib.gis']\n"
    gis = analyse(
        memory(
            {
                **DJANGO,
                "requirements.txt": "django",
                "site1/settings.py": settings,
                "site1/wsgi.py": "import django\napplication = 1\n",
            }
        )
    )
    assert gis.run_packages == ("binutils", "gdal-bin", "libproj-dev")


def variables(code: str, **files: str) -> dict[str, tuple[bool, str | None]]:
    return {item.name: (item.required, item.default) for item in stack_of("", FLASK + code, **files).environment}


READS: dict[str, tuple[str, dict[str, tuple[bool, str | None]]]] = {
    "environ's own default": ("import os\nos.environ.setdefault('A', '1')\nprint(os.environ['A'])\n", {"A": (False, None)}),
    "written before it is read": ("import os\nos.environ['A'] = '1'\nprint(os.environ['A'])\n", {"A": (False, None)}),
    "django-environ": ("import environ\nenv = environ.Env(DEBUG=(bool, False))\nenv.read_env('.env')\nenv('DEBUG')\nenv.str('HOST')\nenv['PLACE']\n"
                       "env.cache()\n", {"DEBUG": (False, "False"), "HOST": (True, None), "PLACE": (True, None), "CACHE_URL": (True, None)}),
    "environs": ("from environs import Env\nenv = Env()\nenv.int('LIMIT', 5)\nenv.str('NAME')\n", {"LIMIT": (False, "5"), "NAME": (True, None)}),
    "decouple": ("from decouple import config\nconfig('A', default='x')\nconfig('B', cast=int)\nconfig('C', 'y')\n",
                 {"A": (False, "x"), "B": (True, None), "C": (False, "y")}),
    "starlette": ("from starlette.config import Config\nconfig = Config('.env')\nconfig('A', cast=bool, default=False)\nconfig('B')\n",
                  {"A": (False, "False"), "B": (True, None)}),
    "command lines": ("import click\n@click.option('--x', envvar='X_VALUE')\ndef f(x): ...\n@click.option('--y', envvar=['Y', 'YY'])\ndef g(y): ...\n",
                      {"X_VALUE": (False, None), "Y": (False, None), "YY": (False, None)}),
    "dj-database-url": ("import dj_database_url\ndj_database_url.config(env='MAIN_DB')\n", {"MAIN_DB": (False, None)}),
}  # fmt: skip


@pytest.mark.parametrize("name", READS)
def test_variables_are_read_in_many_ways(name: str) -> None:
    code, expected = READS[name]
    assert variables(code) == expected


def test_a_reader_may_come_from_another_module() -> None:
    base = "import environ\nenv = environ.Env()\n"
    assert variables("from base import env\nenv('A')\n", **{"base.py": base}) == {"A": (True, None)}
    assert variables("from base import *\nenv('A')\n", **{"base.py": base}) == {"A": (True, None)}


PYDANTIC = """
from typing import ClassVar, Optional
from pydantic import AliasChoices, BaseModel, Field
from pydantic_settings import BaseSettings
class Mail(BaseModel):
    host: str
    port: int = 25
class Base(BaseSettings):
    model_config = {"env_prefix": "APP_", "env_nested_delimiter": "__"}
    shared: str
class Settings(Base):
    kind: ClassVar[str] = "x"
    _hidden: int = 1
    mail: Mail
    other: str = Field(..., alias="OTHER")
    choice: str = Field("d", validation_alias=AliasChoices("FIRST", "SECOND"))
    made: list = Field(default_factory=list)
settings = Settings()
"""


def test_settings_classes_with_prefixes_aliases_and_nested_models() -> None:
    assert variables(PYDANTIC) == {
        "APP_SHARED": (True, None), "APP_MAIL__HOST": (True, None), "APP_MAIL__PORT": (False, "25"),
        "OTHER": (True, None), "FIRST": (False, "d"), "APP_MADE": (False, None),
    }  # fmt: skip


def test_settings_classes_of_version_one_and_those_inside_others() -> None:
    old = "from typing import Optional\nfrom pydantic import BaseSettings, Field\nclass S(BaseSettings):\n    a: Optional[str]\n    b: str = Field(..., env=['B_ONE', 'B_TWO'])\n"
    inner = "class Inner(BaseSettings):\n    c: str\nclass Outer(BaseSettings):\n    inner: Inner\n    d: int = 1\n"
    assert variables(old + inner) == {"A": (False, None), "B_ONE": (True, None), "D": (False, "1")}


@pytest.mark.parametrize(
    ("requirements", "files", "command"),
    [
        (
            "fastapi\nalembic",
            {"db/alembic.ini": "", "db/migrations/env.py": "engine"},
            "cd db && /app/venv/bin/alembic upgrade head",
        ),
        ("fastapi\naerich", {"pyproject.toml": "[tool.aerich]\nx = 1\n"}, "/app/venv/bin/aerich upgrade"),
        ("fastapi\npiccolo", {"piccolo_conf.py": ""}, "/app/venv/bin/piccolo migrations forwards all"),
    ],
)
def test_the_tools_that_migrate(requirements: str, files: dict[str, str], command: str) -> None:
    assert stack_of(requirements, FASTAPI, **files).migration_command == command


ROUTES = {
    "a prefix by name": (FASTAPI + "PREFIX = '/v1'\nr = APIRouter()\napp.include_router(r, prefix=PREFIX)\n@r.get('/health')\ndef h(): ...\n", "/v1/health"),
    "documentation elsewhere": ("from fastapi import FastAPI\napp = FastAPI(docs_url='/manual')\n", "/manual"),
    "no documentation": ("from fastapi import FastAPI\napp = FastAPI(openapi_url=None)\n", "/"),
    "a pattern of Tornado": ("import tornado.web\nroutes = [(r'/up', Up)]\napp = 1\n" + FLASK, "/up"),
    "bottle": ("from bottle import Bottle, route\napp = Bottle()\n@route('/ping', method='GET')\ndef p(): ...\n@route('/x', method='POST')\ndef q(): ...\n", "/ping"),
    "flask-restful": (FLASK + "api.add_resource(Health, '/healthz')\n", "/healthz"),
    "pyramid": ("from pyramid.config import Configurator\nconfig = Configurator()\nconfig.add_route('live', '/livez')\napp = config.make_wsgi_app()\n", "/livez"),
    "litestar routers": (
        "from litestar import Controller, Litestar, Router, get\n@get('/health')\ndef h(): ...\n"
        "class Shop(Controller):\n    path = '/shop'\n    @get('/up')\n    def up(self): ...\n"
        "v1 = Router(path='/v1', route_handlers=[h, Shop])\napp = Litestar(path='/api', route_handlers=[v1])\n",
        "/api/v1/health",
    ),
    "litestar controllers": (
        "from litestar import Controller, Litestar, Router, get\n"
        "class Shop(Controller):\n    path = '/shop'\n    @get('/health')\n    def up(self): ...\n"
        "app = Litestar([Router('/v1', route_handlers=[Shop])])\n",
        "/v1/shop/health",
    ),
    "a litestar router that a function registers": (
        "from litestar import Litestar, Router, get\n@get('/healthcheck')\ndef h(): ...\n"
        "def make(path: str = '/v1') -> Router:\n    router = Router(path, route_handlers=())\n    router.register(h)\n    return router\n"
        "app = Litestar(path='/api', on_app_init=[add(make())])\n", "/api/v1/healthcheck",
    ),
    "aiohttp views in a loop": (
        "from aiohttp import web\nclass A(web.View):\n    PATH = '/imports'\n    async def post(self): ...\n"
        "class B(web.View):\n    PATH = '/towns'\n    async def get(self): ...\nVIEWS = (A, B)\n"
        "app = web.Application()\nfor view in VIEWS:\n    app.router.add_route('*', view.PATH, view)\n", "/towns",
    ),
    "aiohttp view without get": (
        "from aiohttp import web\nclass Status(web.View):\n    async def post(self): ...\nasync def one(request): ...\n"
        "app = web.Application()\napp.router.add_view('/status', Status)\napp.router.add_get('/a', one)\n", "/a",
    ),
    "litestar behind a login": (
        "from litestar import Controller, Litestar, get\nclass Tags(Controller):\n    path = '/api/tags'\n"
        "    @get(exclude_from_auth=True)\n    def all(self): ...\n    @get('/mine')\n    def mine(self): ...\n"
        "@get('/user')\ndef user(): ...\napp = Litestar([user, Tags], on_app_init=[login.on_app_init])\n",
        "/api/tags",
    ),
    "a router of one's own kind": (
        "from fastapi import APIRouter, FastAPI\nclass OurRouter(APIRouter): ...\nr = OurRouter(prefix='/ours')\n"
        "@r.get('/health')\ndef h(): ...\napp = FastAPI()\napp.include_router(r, prefix='/api')\n",
        "/api/ours/health",
    ),
    "litestar guards": ("from litestar import Litestar, get\n@get('/status', guards=[only_staff])\ndef s(): ...\n@get('/')\ndef i(): ...\napp = Litestar([s, i])\n", "/"),
    "aiohttp": ("from aiohttp import web\napp = web.Application()\napp.add_routes([web.get('/healthz', h)])\n", "/healthz"),
}  # fmt: skip


@pytest.mark.parametrize("name", ROUTES)
def test_the_health_path_of_many_kinds_of_route(name: str) -> None:
    code, path = ROUTES[name]
    kind = next(kind for kind in ("fastapi", "litestar", "pyramid", "bottle", "aiohttp", "flask") if kind in code)
    assert stack_of(kind, code).health_check_path == path
