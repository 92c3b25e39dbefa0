"""Hypothesis strategies shared by the property tests; one section per part of the house."""

from __future__ import annotations

import keyword
import types
from datetime import datetime, timedelta, timezone
from typing import Any, Literal, TypeVar, Union, get_args, get_origin

from hypothesis import strategies as st
from pydantic import AwareDatetime

from autodeploy.errors import AgentError
from autodeploy.model import (
    DatabaseEngine,
    DatabasePlan,
    DeploymentState,
    ErrorEntry,
    InfraPlan,
    LogEntry,
    Noun,
    TechStack,
    WebPlan,
)
from autodeploy.model.families import RELEASES
from autodeploy.naming import new_deployment_id

N = TypeVar("N", bound=Noun)

# --- nouns and the ledger -------------------------------------------------------------------------------------------

texts = st.text(max_size=12)
timestamps = st.datetimes(
    datetime(2000, 1, 1),
    datetime(2100, 1, 1),
    timezones=st.integers(-14 * 60, 14 * 60).map(lambda minutes: timezone(timedelta(minutes=minutes))),
)
tokens = st.integers(0, 16**6 - 1).map(lambda number: f"{number:06x}")
deployment_ids = st.builds(new_deployment_id, texts, timestamps, tokens)
agents = st.sampled_from(
    ["HiveMind Control Plane", "HiveMind DevOps", "HiveMind SysEng", "HiveMind Release-Engineer", "HiveMind SecOps"]
)


def _subclasses(cls: type) -> list[type]:
    return [cls, *(deeper for child in cls.__subclasses__() for deeper in _subclasses(child))]


def errors() -> st.SearchStrategy[AgentError]:
    """Return errors of every class in the tree, filled with text that says something."""
    said = st.text(st.characters(codec="utf-8", exclude_categories=["Cc", "Cs", "Zl", "Zp"]), min_size=1, max_size=40)
    filled = said.filter(lambda text: text.strip() == text and text != "")
    return st.builds(
        lambda cls, message, remediation, agent, context: cls(message, remediation, agent=agent, context=context),
        st.sampled_from(_subclasses(AgentError)),
        filled,
        filled,
        agents,
        filled,
    )


def noun(cls: type[N], *, full: bool = False, **given: st.SearchStrategy[Any]) -> st.SearchStrategy[N]:
    """Return valid values of any noun, all fields filled from their annotations; `full`: no field is None."""
    fields = {
        name: given[name] if name in given else _bounded(_of(field.annotation, full), field.metadata, field.annotation)
        for name, field in cls.model_fields.items()
    }
    return st.fixed_dictionaries(fields).map(cls.model_validate)


def deployment_state(*, full: bool = False, in_order: bool = True) -> st.SearchStrategy[DeploymentState]:
    """Return ledgers with every noun in them; `in_order`: logs and errors are in order of time, as the ledger keeps them."""
    return noun(DeploymentState, full=full, deployment_id=deployment_ids).map(
        lambda state: _ordered(state) if in_order else state
    )


def log_entries(most: int = 30) -> st.SearchStrategy[tuple[LogEntry, ...]]:
    """Return log entries of several agents in any order, some of one instant."""
    moments = st.integers(0, 5).map(lambda n: datetime(2026, 11, 22, 23, 25, 9, n, tzinfo=timezone.utc))
    return st.lists(noun(LogEntry, timestamp=st.one_of(moments, timestamps)), max_size=most).map(tuple)


def _ordered(state: DeploymentState) -> DeploymentState:
    def when(entry: LogEntry | ErrorEntry) -> datetime:
        return entry.timestamp

    ordered: DeploymentState = state.but(
        logs=tuple(sorted(state.logs, key=when)), errors=tuple(sorted(state.errors, key=when))
    )
    return ordered


def _of(annotation: Any, full: bool) -> st.SearchStrategy[Any]:
    origin, arguments = get_origin(annotation), get_args(annotation)
    if origin is Literal:
        return st.sampled_from(arguments)
    if origin in (Union, types.UnionType):
        kinds = [kind for kind in arguments if not (full and kind is type(None))]
        return st.one_of([_of(kind, full) for kind in kinds])
    if origin is tuple:
        if arguments[-1] is ...:
            return st.lists(_of(arguments[0], full), min_size=int(full), max_size=2).map(tuple)
        return st.tuples(*(_of(argument, full) for argument in arguments))
    if origin is dict:
        keys, values = (_of(argument, full) for argument in arguments)
        return st.dictionaries(keys, values, max_size=2)
    if isinstance(annotation, type) and issubclass(annotation, Noun):
        return noun(annotation, full=full)
    return _PLAIN[annotation]


def _bounded(strategy: st.SearchStrategy[Any], metadata: list[Any], annotation: Any) -> st.SearchStrategy[Any]:
    """Keep to the limits of the field: numbers between theirs, web paths with their slash."""
    least, most = (next((getattr(m, end) for m in metadata if hasattr(m, end)), None) for end in ("ge", "le"))
    if annotation is int and (least, most) != (None, None):
        return st.integers(least, most)
    if any(getattr(getattr(m, "func", None), "__name__", "") == "_web_path" for m in metadata):
        return texts.map(lambda text: f"/{text}")
    return strategy


_PLAIN: dict[Any, st.SearchStrategy[Any]] = {
    str: texts,
    int: st.integers(-(2**31), 2**31),
    float: st.floats(-1e9, 1e9),
    bool: st.booleans(),
    AwareDatetime: timestamps,
    type(None): st.none(),
}

# --- infrastructure -------------------------------------------------------------------------------------------------

HEX = "0123456789abcdef"
ENGINES: dict[DatabaseEngine, int] = {"postgres": 5432, "mysql": 3306, "mariadb": 3306}
slugs = st.from_regex(r"[a-z][a-z0-9]{0,9}(-[a-z0-9]{1,10}){0,2}", fullmatch=True)  # as `slug` makes them
tag_values = st.text("abcdefghijklmnopqrstuvwxyz0123456789 ._:/=+-@", min_size=1, max_size=30)
certificates = st.text(HEX, min_size=8, max_size=40).map(
    lambda body: f"-----BEGIN CERTIFICATE-----\n{body}\n-----END CERTIFICATE-----\n"
)


@st.composite
def database_versions(draw: st.DrawFn, engine: DatabaseEngine) -> tuple[str, str]:
    """Draw a version that RDS may name, and the release that it is of."""
    release = draw(st.sampled_from(RELEASES[engine]))
    minor = draw(st.just("") | st.integers(0, 60).map(lambda number: f".{number}"))
    own = draw(st.just("") | st.integers(20200101, 20301231).map(lambda day: f"-rds.{day}")) if minor else ""
    return f"{release}{minor}{own}", release


@st.composite
def database_plans(draw: st.DrawFn) -> DatabasePlan:
    """Draw a database as the planner sizes them."""
    engine = draw(st.sampled_from(sorted(ENGINES)))
    version, _ = draw(database_versions(engine))
    return DatabasePlan(
        engine=engine,
        engine_version=version,
        instance_class=draw(st.sampled_from(("db.t3.micro", "db.t3.small"))),
        storage_gb=draw(st.integers(20, 100)),
        backup_retention_days=draw(st.integers(1, 35)),
        port=ENGINES[engine],
        deletion_protection=draw(st.booleans()),
    )


@st.composite
def web_plans(draw: st.DrawFn) -> WebPlan:
    """Draw a way in for the world."""
    return WebPlan(
        host_port=80,
        health_check_path=draw(st.from_regex(r"/[a-z0-9/_-]{0,20}", fullmatch=True)),
        certificate_pem=draw(certificates),
        certificate_chain_pem=draw(st.just("") | certificates),
    )


@st.composite
def infra_plans(draw: st.DrawFn) -> InfraPlan:
    """Draw a plan for one deployment, with or without web and database."""
    region = draw(st.sampled_from(("us-east-1", "eu-central-1", "ap-southeast-2")))
    name = draw(slugs)
    return InfraPlan(
        deployment_id=f"{name}-{draw(tokens)}",
        name=name,
        target=draw(st.sampled_from(("aws", "local"))),
        account_id=draw(st.from_regex(r"[0-9]{12}", fullmatch=True)),
        region=region,
        zones=(f"{region}a", f"{region}b"),
        image_id="ami-" + draw(st.text(HEX, min_size=17, max_size=17)),
        instance_type=draw(st.sampled_from(("t3.micro", "t3.small", "t3.medium", "m5.large"))),
        instances=draw(st.sampled_from((1, 1, 2, 10))),
        ssh_public_key="ssh-ed25519 " + draw(st.text(HEX, min_size=20, max_size=40)),
        admin_cidr=f"{draw(st.ip_addresses(v=4))}/32",
        user_data=draw(st.sampled_from(("#cloud-config\n", "#cloud-config\nhostname: a\n"))),
        web=draw(st.none() | web_plans()),
        database=draw(st.none() | database_plans()),
        alarm_email=draw(st.sampled_from((None, "ops@example.org"))),
        access=draw(st.sampled_from(("ssh", "ssm"))),
        tags=draw(st.dictionaries(st.sampled_from(("Team", "Stage", "Owner")), tag_values, max_size=3)),
    )


# --- repositories and stacks ----------------------------------------------------------------------------------------

DRIVER_PACKAGES = {
    "psycopg2": "postgresql",
    "psycopg2-binary": "postgresql",
    "psycopg": "postgresql",
    "asyncpg": "postgresql",
    "pymysql": "mysql",
    "mysqlclient": "mysql",
    "pymongo": "mongodb",
}
OTHER_PACKAGES = ("requests", "sqlalchemy", "redis", "pydantic", "psycopg-pool-x", "pymysqlx", "my-psycopg2", "jinja2")
WEB_PACKAGES = {
    "flask": "from flask import Flask\n{name} = Flask(__name__)\n",
    "fastapi": "from fastapi import FastAPI\n{name} = FastAPI()\n",
    "django": "from django.core.wsgi import get_wsgi_application\n{name} = get_wsgi_application()\n",
}
PACKAGE_FILES = {"package.json": "nodejs", "requirements.txt": "python", "pyproject.toml": "python", "go.mod": "go"}

identifiers = st.from_regex(r"[a-z][a-z0-9]{0,7}", fullmatch=True).filter(lambda word: not keyword.iskeyword(word))
spellings = st.sampled_from(("{}", "{}==1.0", "{}>=1,<2", "{}[x]~=1.4", "{} ; python_version >= '3.8'", "{}  # why"))
dependency_names = st.lists(st.sampled_from((*DRIVER_PACKAGES, *OTHER_PACKAGES)), unique=True, max_size=6)


@st.composite
def package_files(draw: st.DrawFn, packages: list[str]) -> dict[str, str]:
    """Draw one manifest that declares the packages: requirement file, pyproject.toml, Poetry's or a Pipfile."""
    kind = draw(st.sampled_from(("requirements", "project", "poetry", "pipfile")))
    if kind == "requirements":
        return {"requirements.txt": "".join(draw(spellings).format(package) + "\n" for package in packages)}
    if kind == "project":
        listed = ", ".join(f'"{package}>=1"' for package in packages)
        return {"pyproject.toml": f'[project]\nname = "x"\ndependencies = [{listed}]\n'}
    lines = "".join(f'{package} = "*"\n' for package in packages)
    if kind == "poetry":
        return {"pyproject.toml": f'[tool.poetry.dependencies]\npython = "^3.9"\n{lines}'}
    return {"Pipfile": f"[packages]\n{lines}"}


@st.composite
def web_repositories(draw: st.DrawFn) -> tuple[dict[str, str], str, list[str], str]:
    """Draw a Python web application: its files, framework, declared packages and the object that must be served."""
    framework = draw(st.sampled_from(sorted(WEB_PACKAGES)))
    packages = [framework, *draw(dependency_names)]
    package, name = draw(identifiers), "application" if framework == "django" else draw(identifiers)
    module = "wsgi" if framework == "django" else draw(st.sampled_from(("app", "main", "wsgi", "server")))
    files = {f"{package}/__init__.py": "", f"{package}/{module}.py": WEB_PACKAGES[framework].format(name=name)}
    return {**files, **draw(package_files(packages))}, framework, packages, f"{package}.{module}:{name}"


_NAMES = st.sampled_from(
    ("requirements.txt", "pyproject.toml", "Pipfile", "app.py", "main.py", "wsgi.py", "manage.py", "settings.py", "urls.py",
     "__init__.py", "Procfile", "Dockerfile", ".env.example", "runtime.txt", ".python-version", ".tool-versions",
     "alembic.ini", "env.py", "package.json", "x.bin", "go.mod", "go.work", "main.go", "server.go")
)  # fmt: skip
_FOLDERS = st.sampled_from(("", "", "", "src/", "app/", "app/api/", "requirements/", "tests/", "migrations/"))
_FRAGMENTS = st.sampled_from(
    ("from flask import Flask, Blueprint\n", "app = Flask(__name__)\n", "from fastapi import FastAPI\n", "app = FastAPI()\n",
     "@app.get('/health')\ndef health(): return ''\n", "def create_app(x):\n    return Flask(x)\n", "from . import *\n",
     "from .. import app as app\n", "import os\nos.environ['A']\n", "os.environ.get()\n", "os.getenv(*a, **b)\n", "x, y = 1\n",
     "app.run(port='x')\n", "app.run(port=10**9)\n", "DJANGO_SETTINGS_MODULE', 'settings'\n", "ROOT_URLCONF = 'urls'\n",
     "ALLOWED_HOSTS = [1, None]\n", "STATIC_ROOT = 1\n", "path('x', include('urls'))\n", "path('', include(()))\n",
     "-r requirements.txt\n", "-r ../../x\n", "-r\n", "django\n", "flask==\n", "a; b; c\n", "x @ file:///y\n", "\\\n", "[project]\n",
     "dependencies = [1, {a=2}]\n", "requires-python = '<>'\n", "[tool.poetry.dependencies]\npython = 3\n", "[packages]\nx = 1\n",
     "web: gunicorn '\n", "web:\n", "web: uvicorn --port\n", "EXPOSE 99999999\n", "PORT=\n", "A=\"\n", "class S(S): x: int\n",
     "(" * 300, "1" + "+1" * 3000, "\x00", "\ufeff", "\ufffd\ufffd", "\ud7ff", "3.", "python-3", "\r\n", "\x0c")
)  # fmt: skip
broken_texts = st.lists(_FRAGMENTS | st.text(max_size=20), max_size=6).map("".join)
broken_trees = st.dictionaries(st.builds("{}{}".format, _FOLDERS, _NAMES), broken_texts, max_size=8)


@st.composite
def tech_stacks(draw: st.DrawFn) -> TechStack:
    """Draw a stack that the planner can place."""
    language = draw(st.sampled_from(("python", "nodejs", "go")))
    tool = {"python": "pip", "nodejs": "npm", "go": "go"}[language]
    database = draw(st.none() | st.sampled_from(("postgresql", "mysql", "mariadb")))
    return TechStack.model_validate(
        {
            "language": language,
            "build_tool": tool,
            "runtime_version": draw(st.sampled_from(("3.11", "3.13"))),
            "requires_database": database is not None,
            "database_type": database,
            "is_web_service": draw(st.booleans()),
            "health_check_path": draw(st.from_regex(r"/[a-z0-9/_-]{0,20}", fullmatch=True)),
        }
    )
