"""Database, port, health path, migrations."""

from __future__ import annotations

import pytest
from fixtures.sources import memory

from autodeploy.analyser import analyse
from autodeploy.errors import AnalysisError
from autodeploy.model import Evidence, TechStack

FLASK = "from flask import Flask\napp = Flask('x')\n"
FASTAPI = "from fastapi import FastAPI, Depends, APIRouter\napp = FastAPI()\n"


def stack_of(code: str = FLASK, requirements: str = "flask", **files: str) -> TechStack:
    return analyse(memory({"requirements.txt": requirements, "app.py": code, **files}))


def evidence(stack: TechStack, fact: str) -> Evidence | None:
    return next((item for item in stack.evidence if item.fact == fact), None)


@pytest.mark.parametrize(
    ("requirements", "database", "scheme"),
    [
        ("sqlalchemy", None, None),
        ("flask-sqlalchemy\npsycopg2-binary", "postgresql", None),
        ("sqlalchemy\npsycopg[binary]", "postgresql", "postgresql+psycopg"),
        ("sqlalchemy\nasyncpg", "postgresql", "postgresql+asyncpg"),
        ("sqlalchemy\nasyncpg\npsycopg2", "postgresql", None),
        ("asyncpg", "postgresql", None),
        ("sqlmodel\npymysql", "mysql", "mysql+pymysql"),
        ("mysqlclient", "mysql", None),
        ("mariadb\nsqlalchemy", "mariadb", "mariadb+mariadbconnector"),
        ("pymongo", "mongodb", None),
    ],
)
def test_a_driver_tells_the_database_and_sqlalchemys_scheme(
    requirements: str, database: str | None, scheme: str | None
) -> None:
    stack = stack_of(requirements=requirements)
    assert (stack.database_type, stack.requires_database) == (database, database is not None)
    told = evidence(stack, "database_url_scheme")
    assert (told.value if told else None) == scheme


def test_drivers_in_c_name_the_packages_they_need() -> None:
    assert "libpq-dev" in stack_of(requirements="psycopg2").build_packages
    assert stack_of(requirements="psycopg2").run_packages == ("libpq5",)
    assert stack_of(requirements="psycopg2-binary\npsycopg[binary]").run_packages == ()


def test_the_operator_may_name_the_database() -> None:
    source = memory({"requirements.txt": "flask\npsycopg2", "app.py": FLASK})
    assert analyse(source, {"database_type": "none"}).requires_database is False
    assert analyse(source, {"database_type": "mariadb"}).database_type == "mariadb"
    dialects = memory({"requirements.txt": "flask\npsycopg\npymysql\nsqlalchemy", "app.py": FLASK})
    for kind, scheme in (("mariadb", "mysql+pymysql"), ("postgresql", "postgresql+psycopg"), ("mongodb", None)):
        told = evidence(analyse(dialects, {"database_type": kind}), "database_url_scheme")
        assert (told.value if told else None) == scheme
    with pytest.raises(AnalysisError, match="oracle"):
        analyse(source, {"database_type": "oracle"})


@pytest.mark.parametrize(
    ("code", "files", "port", "rule"),
    [
        ("", {}, 8000, "default"),
        ("app.run(host='0.0.0.0', port=5050)", {}, 5050, "code"),
        ("import os\nport = int(os.environ.get('PORT', '7001'))", {}, 7001, "code"),
        ("", {"Procfile": "web: gunicorn -b :7002 app:app"}, 7002, "procfile"),
        ("", {"Dockerfile": "FROM x\nexpose 7003/tcp\n"}, 7003, "expose"),
        ("", {".env.example": "PORT=7004"}, 7004, "env-example"),
        ("app.run(port=5050)", {"Dockerfile": "EXPOSE 8080"}, 8080, "expose"),
        ("import os\nos.getenv('PORT', 5050)", {"Dockerfile": "EXPOSE 8080"}, 5050, "code"),
        ("app.run(port=80)", {"Dockerfile": "EXPOSE 443"}, 8000, "default"),
        ("app.run(port=99999)\napp.run(port=True)", {}, 8000, "default"),
    ],
)
def test_the_port_comes_from_the_first_hint_a_plain_user_may_listen_on(
    code: str, files: dict[str, str], port: int, rule: str
) -> None:
    stack = stack_of(f"{FLASK}if __name__ == '__main__':\n    pass\ndef later():\n    pass\n{code}\n", **files)
    told = evidence(stack, "port")
    assert (stack.port, told.rule if told else "") == (port, rule)


@pytest.mark.parametrize("text", ["80", "x", "70000", "٣٠٠٠"])
def test_a_port_flag_that_cannot_be_used_is_refused(text: str) -> None:
    with pytest.raises(AnalysisError):
        analyse(memory({"requirements.txt": "", "app.py": FLASK}), {"port": text})


def route(decorators: str, signature: str = "()") -> str:
    return f"{decorators}\ndef view{signature}:\n    return ''\n"


HEALTH = {
    "flask, health before the front": (FLASK + route("@app.route('/')") + route("@app.get('/healthz')"), "/healthz"),
    "POST is no health route": (FLASK + route("@app.route('/health', methods=['POST'])") + route("@app.get('/')"), "/"),
    "a login is no health route": (FLASK + route("@app.get('/health')\n@login_required") + route("@app.get('/')"), "/"),
    "blueprint": (
        "from flask import Blueprint\nbp = Blueprint('b', __name__, url_prefix='/v1')\n"
        + FLASK + route("@bp.route('/up')") + "app.register_blueprint(bp, url_prefix='/api')\n",
        "/api/v1/up",
    ),
    "parameters are not static": (FLASK + route("@app.get('/<name>')") + route("@app.get('/list/all')"), "/list/all"),
    "added rule": (FLASK + "app.add_url_rule('/ping', view_func=len)\n", "/ping"),
    "nothing known": (FLASK, "/"),
    "fastapi without a front": (FASTAPI + route("@app.get('/items')"), "/docs"),
    "fastapi, dependency that asks for a login": (
        FASTAPI + route("@app.get('/status')", "(user=Depends(current_user))") + route("@app.get('/')"), "/",
    ),
    "fastapi, dependency in the decorator": (
        FASTAPI + route("@app.get('/up', dependencies=[Depends(verify_token)])") + route("@app.get(path='/')"), "/",
    ),
    "fastapi, harmless dependency": (FASTAPI + route("@app.get('/health')", "(db=Depends(session))"), "/health"),
    "static front": (FASTAPI + "app.mount('/', object())\n", "/"),
}  # fmt: skip


@pytest.mark.parametrize("name", HEALTH)
def test_the_health_path_is_an_open_get_route(name: str) -> None:
    code, path = HEALTH[name]
    requirements = "fastapi" if "fastapi" in code else "flask"
    assert stack_of(code, requirements).health_check_path == path


def test_the_health_path_flag() -> None:
    source = memory({"requirements.txt": "", "app.py": FLASK})
    assert analyse(source, {"health_check_path": "/ok?x=1"}).health_check_path == "/ok?x=1"
    with pytest.raises(AnalysisError):
        analyse(source, {"health_check_path": "ok"})


UPGRADE = "from flask_migrate import upgrade\ndef prepare():\n    upgrade()\n"
ENV_PY = "config.set_main_option('sqlalchemy.url', url)"


@pytest.mark.parametrize(
    ("files", "command"),
    [
        ({}, None),
        ({"Procfile": "release: flask db upgrade"}, "/app/venv/bin/flask db upgrade"),
        ({"migrations/env.py": ""}, "/app/venv/bin/flask --app app:app db upgrade"),
        ({"shop/migrations/env.py": ""}, "/app/venv/bin/flask --app app:app db upgrade --directory shop/migrations"),
        (
            {
                "shop/migrations/env.py": "",
                "x.py": "from flask_migrate import Migrate\nm = Migrate(a, d, directory='y')\n",
            },
            "/app/venv/bin/flask --app app:app db upgrade",
        ),
        ({"migrations/env.py": "", "x.py": UPGRADE}, None),
        (
            {"migrations/env.py": "", "x.py": UPGRADE, "run.sh": "flask db upgrade"},
            "/app/venv/bin/flask --app app:app db upgrade",
        ),
        (
            {"migrations/env.py": "", "x.py": UPGRADE.replace("def", "@app.cli.command()\ndef")},
            "/app/venv/bin/flask --app app:app db upgrade",
        ),
    ],
)
def test_flasks_migrations(files: dict[str, str], command: str | None) -> None:
    assert stack_of(requirements="flask\nflask-migrate", **files).migration_command == command


def test_alembics_migrations_only_where_the_environment_is_read() -> None:
    ini = {"alembic.ini": "[alembic]\n"}
    told = stack_of(FASTAPI, "fastapi\nalembic", **ini, **{"alembic/env.py": ENV_PY})
    assert told.migration_command == "/app/venv/bin/alembic upgrade head"
    assert stack_of(FASTAPI, "fastapi\nalembic", **ini, **{"alembic/env.py": ""}).migration_command is None


def test_the_migration_flag() -> None:
    source = memory({"requirements.txt": "", "app.py": FLASK})
    assert analyse(source, {"migration_command": "make it"}).migration_command == "make it"
    assert analyse(source, {"migration_command": ""}).migration_command is None


def test_syntax_that_is_newer_than_the_analyser_s_python_is_read() -> None:
    code = "from fastapi import FastAPI\ntype Name = str\nclass Box[T]:\n    kind: T\ndef first[T: (int, str)](x: T) -> T:\n"
    code += "    try:\n        return x\n    except ValueError, KeyError:\n        raise\napp = FastAPI()\n"
    code += "@app.get('/healthz')\ndef h(): ...\n"
    stack = analyse(memory({"requirements.txt": "fastapi\nuvicorn", "main.py": code}))
    assert stack.start_command.startswith("/app/venv/bin/python -m uvicorn main:app")
    assert stack.health_check_path == "/healthz"


def test_alembic_migrates_where_flask_migrate_is_installed_and_not_used() -> None:
    files = {"migrations/env.py": "context.config.set_main_option('sqlalchemy.url', u)", "alembic.ini": "[alembic]\n"}
    assert (
        stack_of(requirements="flask\nflask-migrate", **files).migration_command == "/app/venv/bin/alembic upgrade head"
    )


def test_a_program_beside_the_application_has_no_say_in_its_health_path() -> None:
    other = "from flask import Flask\nother = Flask('y')\n@other.route('/health')\ndef h(): ...\n"
    main = "from flask import Flask\napp = Flask('x')\n@app.route('/live')\ndef l(): ...\n"
    files = {"requirements.txt": "flask", "app.py": main, "maintenance.py": other}
    assert analyse(memory(files)).health_check_path == "/live"


@pytest.mark.parametrize(
    ("code", "is_required"),
    [
        ("KEY = os.environ['SHOP_KEY']\n", True),
        ("try:\n    KEY = os.environ['SHOP_KEY']\nexcept (KeyError, ValueError):\n    KEY = ''\n", False),
        ("try:\n    KEY = os.environ['SHOP_KEY']\nexcept Exception:\n    pass\n", False),
        ("try:\n    KEY = os.environ['SHOP_KEY']\nexcept KeyError:\n    raise SystemExit('give it')\n", True),
        ("try:\n    KEY = os.environ['SHOP_KEY']\nexcept OSError:\n    KEY = ''\n", True),
        ("SHOP = 'SHOP' in os.environ\nif SHOP:\n    KEY = os.environ['SHOP_KEY']\n", False),
        ("DEBUG = os.environ.get('DEBUG')\nif DEBUG:\n    KEY = os.environ['SHOP_KEY']\n", True),
    ],
)
def test_what_may_be_missing_is_not_asked_for(code: str, is_required: bool) -> None:
    main = f"import os\nfrom flask import Flask\napp = Flask('x')\n{code}"
    stack = analyse(memory({"requirements.txt": "flask", "app.py": main}))
    assert next(item.required for item in stack.environment if item.name == "SHOP_KEY") is is_required
