"""The application object: found where it is made, in whatever file and under whatever name."""

from __future__ import annotations

import pytest
from fixtures.sources import memory

from autodeploy.analyser import analyse
from autodeploy.errors import AnalysisError

FLASK = "from flask import Flask\napp = Flask(__name__)\n"
FASTAPI = "from fastapi import FastAPI\napp = FastAPI()\n"
GUNICORN = "/app/venv/bin/gunicorn --bind 127.0.0.1:$PORT"
UVICORN = "/app/venv/bin/python -m uvicorn"
LISTEN = "--host 127.0.0.1 --port $PORT"

STARTS = {
    "of two that are called the same, the one that is spelled out": (
        {"local/main.py": FASTAPI, "server/main.py": FASTAPI, "Dockerfile": 'CMD ["uvicorn", "server.main:app"]'},
        f"{UVICORN} server.main:app {LISTEN}",
    ),
    "aliased import": ({"server.py": "import flask as f\nsite = f.Flask('x')\n"}, f"{GUNICORN} server:site"),
    "annotated": ({"a.py": "from fastapi import FastAPI\nweb: FastAPI = FastAPI()\n"}, f"{UVICORN} a:web {LISTEN}"),
    "inside try": ({"m.py": f"try:\n    import x\nexcept ImportError:\n    x = 0\n{FLASK}"}, f"{GUNICORN} m:app"),
    "package": ({"shop/__init__.py": FLASK}, f"{GUNICORN} shop:app"),
    "src layout": (
        {"src/shop/__init__.py": "", "src/shop/main.py": FASTAPI},
        f"{UVICORN} shop.main:app {LISTEN} --app-dir src",
    ),
    "src layout, WSGI": (
        {"src/shop/__init__.py": "", "src/shop/web.py": FLASK},
        f"{GUNICORN} --pythonpath src shop.web:app",
    ),
    "folder that is no package": ({"api/app.py": FLASK}, f"{GUNICORN} --chdir api app:app"),
    "folder imported from the root": (
        {"api/app.py": f"from api.models import x\n{FLASK}", "api/models.py": "x = 1"},
        f"{GUNICORN} api.app:app",
    ),
    "factory called in an entry file": (
        {
            "shop/__init__.py": "from flask import Flask\ndef create_app(config):\n    app = Flask('x')\n    return app\n",
            "wsgi.py": "from shop import create_app\napplication = create_app('production')\n",
        },
        f"{GUNICORN} wsgi:application",
    ),
    "factory alone": (
        {"shop.py": "import flask\ndef make_app():\n    return flask.Flask('x')\n"},
        f"{GUNICORN} 'shop:make_app()'",
    ),
    "factory, ASGI": (
        {
            "web.py": "from fastapi import FastAPI\ndef create_app(debug=False) -> FastAPI:\n    a = FastAPI()\n    return a\n"
        },
        f"{UVICORN} web:create_app {LISTEN} --factory",
    ),
    "entry file beside the package": (
        {"wsgi.py": "from shop.site import app\n", "shop/__init__.py": "", "shop/site.py": FLASK},
        f"{GUNICORN} wsgi:app",
    ),
    "entry file that never returns": (
        {"main.py": "from shop import app\napp.run()\n", "shop.py": FLASK},
        f"{GUNICORN} shop:app",
    ),
    "tests and examples are aside": (
        {"tests/app.py": FLASK, "examples/app.py": FLASK, "test_app.py": FLASK, "deep/down/site.py": FLASK},
        f"{GUNICORN} --chdir deep/down site:app",
    ),
    "main guard is no import": (
        {"app.py": "from flask import Flask\nif __name__ == '__main__':\n    app = Flask('x')\n", "b.py": FLASK},
        f"{GUNICORN} b:app",
    ),
    "an app beside a broken file": ({"app.py": "def (", "b.py": FLASK}, f"{GUNICORN} b:app"),
}


@pytest.mark.parametrize("name", STARTS)
def test_the_start_command_serves_the_object_that_is_there(name: str) -> None:
    files, command = STARTS[name]
    stack = analyse(memory({"requirements.txt": "", **files}))
    assert stack.start_command == command
    assert stack.server_package == ("uvicorn" if "uvicorn" in command else "gunicorn")


def test_a_declared_server_is_not_added_again() -> None:
    stack = analyse(memory({"requirements.txt": "flask\nGunicorn==23.0\n", "app.py": FLASK}))
    assert stack.server_package is None


def test_two_equal_applications_are_a_question_that_names_the_flag() -> None:
    files = {"requirements.txt": "flask", "one/app.py": FLASK, "two/site.py": FLASK, "two/app.py": FLASK}
    stack = analyse(memory(files))
    [unknown] = stack.unknowns
    assert (unknown.fact, unknown.flag, unknown.choices) == ("app", "--app", ("one/app:app", "two/app:app"))
    assert stack.start_command == f"{GUNICORN} --chdir one app:app"
    assert analyse(memory(files), {"app": "two/app:app"}).start_command == f"{GUNICORN} --chdir two app:app"
    assert analyse(memory(files), {"app": "three/app:x"}).start_command == f"{GUNICORN} --chdir three app:x"
    hinted = analyse(memory({**files, "Dockerfile": 'CMD ["gunicorn", "-b", ":80", "site:app"]'}))
    assert (hinted.start_command, hinted.unknowns) == (f"{GUNICORN} --chdir two site:app", ())


def test_the_flag_settles_which_application() -> None:
    files = {"requirements.txt": "flask", "one/app.py": FLASK, "web.py": "from flask import Flask\nx = Flask('')\n"}
    stack = analyse(memory(files), {"app": "web:x"})
    assert stack.start_command == f"{GUNICORN} web:x"
    called = analyse(memory(files), {"app": "elsewhere:create_app('production')"})
    assert called.start_command == f"{GUNICORN} " + """'elsewhere:create_app('"'"'production'"'"')'"""


def test_a_start_command_of_the_operator_is_taken_as_it_stands() -> None:
    stack = analyse(memory({"requirements.txt": ""}), {"start_command": "hypercorn -b :$PORT x:y"})
    assert (stack.start_command, stack.server_package, stack.framework) == (
        "hypercorn -b :$PORT x:y",
        "hypercorn",
        None,
    )


@pytest.mark.parametrize("overrides", [{"app": "no colon"}, {"prot": "80"}])
def test_a_flag_that_cannot_be_used_is_refused(overrides: dict[str, str]) -> None:
    with pytest.raises(AnalysisError):
        analyse(memory({"requirements.txt": "flask", "app.py": FLASK}), overrides)


def test_no_application_is_an_error_that_names_both_flags() -> None:
    with pytest.raises(AnalysisError, match="no application object") as caught:
        analyse(memory({"requirements.txt": "requests", "script.py": "print(1)"}))
    assert "--app" in caught.value.remediation
    assert "--start-command" in caught.value.remediation


PROCFILES = {
    "web: gunicorn config.wsgi --log-file -": f"{GUNICORN} config.wsgi --log-file -",
    "web: gunicorn -b 0.0.0.0:5000 -w 4 app:app": f"{GUNICORN} -w 4 app:app",
    "web: gunicorn --bind=:$PORT app:app": f"{GUNICORN} app:app",
    "web: uvicorn app:app --host=0.0.0.0 --port=${PORT:-5000}": f"/app/venv/bin/uvicorn app:app {LISTEN}",
    "web: python -m gunicorn app:app": "/app/venv/bin/python -m gunicorn --bind 127.0.0.1:$PORT app:app",
    "web: hypercorn app:app -b 0.0.0.0:80": "/app/venv/bin/hypercorn --bind 127.0.0.1:$PORT app:app",
    "web: cd site && gunicorn app:app": (
        "/bin/sh -c 'PATH=/app/venv/bin:$PATH; cd site && gunicorn --bind 127.0.0.1:$PORT app:app'"
    ),
    "web: python app.py": f"{GUNICORN} app:app",
    "web: flask run": f"{GUNICORN} app:app",
}


@pytest.mark.parametrize("line", PROCFILES)
def test_a_procfile_with_a_production_server_is_followed_on_our_port(line: str) -> None:
    stack = analyse(memory({"requirements.txt": "flask", "app.py": FLASK, "Procfile": line}))
    assert stack.start_command == PROCFILES[line]


def test_a_procfile_serves_what_no_framework_made() -> None:
    stack = analyse(
        memory({"requirements.txt": "", "Procfile": "web: python3 serve.py --fast\nrelease: ./manage.py x"})
    )
    assert stack.start_command == "/app/venv/bin/python serve.py --fast"
    assert stack.migration_command == "/app/venv/bin/python manage.py x"
    assert stack.framework is None
