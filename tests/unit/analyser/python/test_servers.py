"""Each framework is found and started as its documentation has it: by a server, or as the program that it is."""

from __future__ import annotations

import pytest
from fixtures.sources import memory

from autodeploy.analyser import analyse
from autodeploy.model import TechStack

PYTHON = "/app/venv/bin/python"
GUNICORN = "/app/venv/bin/gunicorn --bind 127.0.0.1:$PORT"
RUN = "if __name__ == '__main__':\n    "
AIOHTTP = "from aiohttp import web\nimport os\n"
QUART = "from quart import Quart\napp = Quart('x')\n"
FASTAPI = "from fastapi import FastAPI\napp = FastAPI()\n"
FLASK = "from flask import Flask\napp = Flask('x')\n"
SOCKETS = f"{FLASK}from flask_socketio import SocketIO\nsocketio = SocketIO(app)\n{RUN}socketio.run(app)\n"
CASES: dict[str, tuple[str, str, str | None, str, str | None]] = {
    # name: requirements, app.py, framework, start command, what the builder adds
    "aiohttp object": ("aiohttp", AIOHTTP + "app = web.Application()\n", "aiohttp",
                       f"{GUNICORN} --worker-class aiohttp.GunicornWebWorker app:app", "gunicorn"),
    "aiohttp program": ("aiohttp", AIOHTTP + f"async def init(conf):\n    return web.Application()\n{RUN}web.run_app(init(1))\n",
                        "aiohttp", f"{PYTHON} app.py", None),
    "sanic factory": ("sanic", "from sanic import Sanic\ndef create_app():\n    return Sanic('x')\n", "sanic",
                      "/app/venv/bin/sanic app:create_app --host=127.0.0.1 --port=$PORT --factory", None),
    "quart": ("quart\nhypercorn", QUART, "quart", "/app/venv/bin/hypercorn --bind 127.0.0.1:$PORT app:app", None),
    "quart on uvicorn": ("quart\nuvicorn", QUART, "quart", f"{PYTHON} -m uvicorn app:app --host 127.0.0.1 --port $PORT", None),
    "fastapi on hypercorn": ("fastapi\nhypercorn", FASTAPI, "fastapi", "/app/venv/bin/hypercorn --bind 127.0.0.1:$PORT app:app", None),
    "fastapi[standard] brings uvicorn": ("fastapi[standard]", FASTAPI, "fastapi",
                                         f"{PYTHON} -m uvicorn app:app --host 127.0.0.1 --port $PORT", None),
    "flask on waitress": ("flask\nwaitress", FLASK, "flask", "/app/venv/bin/waitress-serve --listen=127.0.0.1:$PORT app:app", None),
    "waitress calls a factory": ("flask\nwaitress", "import flask\ndef create_app():\n    return flask.Flask('x')\n", "flask",
                                 "/app/venv/bin/waitress-serve --listen=127.0.0.1:$PORT --call app:create_app", None),
    "flask that runs while it is imported": ("flask", FLASK + "app.run()\n", "flask",
                                             f"{GUNICORN} --env FLASK_RUN_FROM_CLI=true app:app", "gunicorn"),
    "web sockets, by threads": ("flask\nflask-socketio", SOCKETS, "flask", f"{GUNICORN} --workers 1 --threads 100 app:app", "gunicorn"),
    "web sockets, by what is installed": ("flask\nflask-socketio\neventlet\ngunicorn", SOCKETS, "flask",
                                          f"{GUNICORN} --worker-class eventlet --workers 1 app:app", None),
    "web sockets, as the code says": ("flask\nflask-socketio\ngunicorn", SOCKETS.replace("app)", "app, async_mode='gevent')"), "flask",
                                      f"{GUNICORN} --worker-class gevent --workers 1 app:app", "gevent"),
    "web sockets of gevent's own": ("flask\nflask-socketio\ngevent\ngevent-websocket\ngunicorn", SOCKETS, "flask",
                                    f"{GUNICORN} --worker-class geventwebsocket.gunicorn.workers.GeventWebSocketWorker --workers 1 app:app",
                                    None),
    "web sockets of Flask-Sock": ("flask\nflask-sock", FLASK, "flask", f"{GUNICORN} --threads 100 app:app", "gunicorn"),
    "own class": ("fastapi", "from fastapi import FastAPI\nclass Api(FastAPI):\n    pass\napi = Api()\n", "fastapi",
                  f"{PYTHON} -m uvicorn app:api --host 127.0.0.1 --port $PORT", "uvicorn"),
    "a factory that calls another": ("flask", "import flask\ndef make():\n    return flask.Flask('x')\ndef create_app():\n    app = make()\n    return app\n",
                                     "flask", f"{GUNICORN} 'app:make()'", "gunicorn"),
    "falcon": ("falcon", "import falcon\napi = falcon.App()\n", "falcon", f"{GUNICORN} app:api", "gunicorn"),
    "falcon, ASGI": ("falcon", "import falcon.asgi\napp = falcon.asgi.App()\n", "falcon",
                     f"{PYTHON} -m uvicorn app:app --host 127.0.0.1 --port $PORT", "uvicorn"),
    "pyramid object": ("pyramid", "from pyramid.config import Configurator\nconfig = Configurator()\napp = config.make_wsgi_app()\n",
                       "pyramid", f"{GUNICORN} app:app", "gunicorn"),
    "pyramid program": ("pyramid", "from wsgiref.simple_server import make_server\nfrom pyramid.config import Configurator\n"
                        f"{RUN}app = Configurator().make_wsgi_app()\n    make_server('0.0.0.0', 6543, app).serve_forever()\n",
                        "pyramid", f"{PYTHON} app.py", None),
    "dash server": ("dash", "import dash\napp = dash.Dash()\nserver = app.server\n", "dash", f"{GUNICORN} app:server", "gunicorn"),
    "dash alone": ("dash", "from dash import Dash\napp = Dash()\n", "dash",
                   "/app/venv/bin/waitress-serve --listen=127.0.0.1:$PORT app:app.server", "waitress"),
    "gradio": ("gradio", "import gradio as gr\nwith gr.Blocks() as demo:\n    pass\ndemo.launch()\n", "gradio",
               f"env GRADIO_SERVER_NAME=127.0.0.1 GRADIO_SERVER_PORT=$PORT {PYTHON} app.py", None),
    "streamlit": ("streamlit", "import streamlit as st\nst.title('x')\n", "streamlit",
                  "/app/venv/bin/streamlit run app.py --server.port $PORT --server.address 127.0.0.1 --server.headless true", None),
    "plain WSGI": ("", "def app(environ, start_response):\n    return []\n", None, f"{GUNICORN} app:app", "gunicorn"),
    "plain ASGI": ("", "async def app(scope, receive, send):\n    pass\n", None,
                   f"{PYTHON} -m uvicorn app:app --host 127.0.0.1 --port $PORT", "uvicorn"),
}  # fmt: skip


@pytest.mark.parametrize("name", CASES)
def test_the_framework_and_its_server(name: str) -> None:
    requirements, code, framework, command, added = CASES[name]
    stack = analyse(memory({"requirements.txt": requirements, "app.py": code}))
    assert (stack.framework, stack.start_command, stack.server_package) == (framework, command, added)
    assert stack.is_web_service


SERVER = "import http.server, os\n"
SERVE = f"{RUN}http.server.HTTPServer(('0.0.0.0', %s), None).serve_forever()\n"
PROGRAMS: dict[str, tuple[str, str | None, int]] = {
    "literal": (SERVER + SERVE % "8123", None, 8123),
    "variable": (SERVER + SERVE % "int(os.environ.get('HTTP_PORT', 9000))", "HTTP_PORT", 9000),
    "required variable": (SERVER + SERVE % "int(os.environ['LISTEN'])", "LISTEN", 8000),
    "a name for it": (SERVER + "PORT = int(os.getenv('PORT') or 7000)\nADDRESS = ('', PORT)\n"
                      f"{RUN}http.server.HTTPServer(ADDRESS, None).serve_forever()\n", "PORT", 7000),
    "tornado's option": ("from tornado.options import define, options\nimport tornado.web\ndefine('port', default=8890)\n"
                         f"{RUN}tornado.web.Application([]).listen(options.port)\n", "PORT", 8890),
    "argparse's option": (SERVER + "import argparse\np = argparse.ArgumentParser()\np.add_argument('--port', default=8200)\n"
                          "args = p.parse_args()\n" + SERVE % "args.port", "PORT", 8200),
    "an argparse option --api-port": (
        SERVER + "import argparse\np = argparse.ArgumentParser()\np.add_argument('--api-port', default=8081)\n"
        "args = p.parse_args()\n" + SERVE % "args.api_port", "PORT", 8081,
    ),
    "out of reach": (SERVER + SERVE % "80", None, 8000),
    "unknown": (SERVER + SERVE % "settings()", "PORT", 8000),
}  # fmt: skip


@pytest.mark.parametrize("name", PROGRAMS)
def test_a_program_that_serves_itself_is_told_its_port_as_it_learns_it(name: str) -> None:
    code, variable, port = PROGRAMS[name]
    stack = analyse(memory({"requirements.txt": "tornado", "serve.py": code}))
    option = " --api-port=$PORT" if "--api-port" in name else " --port=$PORT" if "option" in name else ""
    assert stack.start_command == f"{PYTHON} serve.py{option}"
    assert (stack.port_env, stack.port) == (variable, port)


def test_an_option_and_a_command_of_other_modules_are_the_program_s() -> None:
    options = "from tornado.options import define, options\ndefine('port', default=5555)\n"
    web = "import tornado.web\nfrom tornado.netutil import bind_sockets\nclass Shop(tornado.web.Application):\n"
    web += "    def start(self):\n        bind_sockets(self.options.port, address='')\n"
    command = "import click\nimport tornado.options\nfrom .web import Shop\nfrom .options import options\n"
    command += "@click.command()\ndef shop_web():\n    Shop(options).start()\n"
    main = "import tornado\nfrom celery.bin.celery import main, celery\nfrom shop.command import shop_web\n"
    main += f"celery.add_command(shop_web)\n{RUN}main()\n"
    files = {"__init__": "", "options": options, "web": web, "command": command, "__main__": main}
    inside = {f"shop/{name}.py": text for name, text in files.items()}
    stack = analyse(memory({"requirements.txt": "tornado\ncelery", **inside}))
    assert stack.start_command == f"{PYTHON} -m shop shop-web --port=$PORT"
    assert (stack.port, stack.port_env) == (5555, "PORT")


def test_a_program_in_a_package_is_run_as_its_module() -> None:
    inside = {"site1/__init__.py": "", "site1/__main__.py": "from .web import main\nmain()\n"}
    web = "from aiohttp import web\ndef main():\n    web.run_app(make(1), port=8100)\ndef make(x):\n    return 1\n"
    stack = analyse(memory({"requirements.txt": "aiohttp", **inside, "site1/web.py": web}))
    assert (stack.framework, stack.start_command) == ("aiohttp", f"{PYTHON} -m site1")
    nested = {"src/site1/__init__.py": "", "src/site1/serve.py": SERVER + SERVE % "8001"}
    assert (
        analyse(memory(nested | {"setup.py": ""})).start_command
        == f"env PYTHONPATH=/app/src/src {PYTHON} -m site1.serve"
    )


def test_paste_s_configuration_starts_pyramid() -> None:
    ini = "[app:main]\nuse = egg:shop\n"
    files = {
        "setup.py": "setup(install_requires=['pyramid'])",
        "shop/__init__.py": "from pyramid.config import Configurator\n",
    }
    stack = analyse(memory({**files, "production.ini": ini, "development.ini": ini}))
    assert (stack.start_command, stack.server_package) == (f"{GUNICORN} --paste production.ini", "gunicorn")


def streamlit(**files: str) -> TechStack:
    texts = {path.replace("__", "/"): text for path, text in files.items()}
    return analyse(
        memory({"requirements.txt": "streamlit\nmatplotlib", **{f"{path}.py": text for path, text in texts.items()}})
    )


def test_the_page_that_streamlit_starts_with() -> None:
    page = "import streamlit as st\n"
    assert "run Home.py" in streamlit(Home=page, pages__one=page, helpers=page).start_command
    assert "run zebra.py" in streamlit(zebra=f"{page}import parts\n", parts=page).start_command
    assert streamlit(Home=page).health_check_path == "/_stcore/health"
    assert streamlit(Home=page).port == 8501


PROCFILES = {
    "web: streamlit run app.py --server.port=$PORT": "/app/venv/bin/streamlit run app.py --server.port $PORT "
    "--server.address 127.0.0.1 --server.headless true",
    "web: daphne -b 0.0.0.0 -p $PORT site.asgi:application": "/app/venv/bin/daphne -b 127.0.0.1 -p $PORT site.asgi:application",
    "web: waitress-serve --port=$PORT app:app": "/app/venv/bin/waitress-serve --listen=127.0.0.1:$PORT app:app",
    "web: poetry run uvicorn app:app --reload --port 80": "/app/venv/bin/uvicorn app:app --host 127.0.0.1 --port $PORT",
    "web: sh start.sh": "sh start.sh",
    "web: python serve.py": f"{PYTHON} serve.py",
    "web: python missing.py": f"{PYTHON} -m uvicorn app:app --host 127.0.0.1 --port $PORT",
}


@pytest.mark.parametrize("line", PROCFILES)
def test_a_procfile_s_server_is_respected_by_whatever_name_it_comes(line: str) -> None:
    files = {
        "start.sh": "exec gunicorn -b :8080 app:app\n",
        "serve.py": "import uvicorn\nuvicorn.run('app:app', port=8300)\n",
    }
    stack = analyse(memory({"requirements.txt": "fastapi", "app.py": FASTAPI, "Procfile": line, **files}))
    assert stack.start_command == PROCFILES[line]
    fixed = {"sh start.sh": (None, 8080), "python serve.py": (None, 8300)}
    assert (stack.port_env, stack.port) == fixed.get(line.removeprefix("web: "), (stack.port_env, stack.port))


@pytest.mark.parametrize(
    ("script", "command"),
    [
        ("gunicorn app:app --daemon\npython worker.py\n", f"{GUNICORN} app:app"),
        ("uvicorn app:app &\npython worker.py\n", f"{GUNICORN} app:app"),
        ("cd . && exec gunicorn app:app\n", "sh run.sh"),
    ],
)
def test_a_server_that_a_script_leaves_in_the_background_is_not_started_by_it(script: str, command: str) -> None:
    files = {"requirements.txt": "flask\ngunicorn", "app.py": FLASK, "run.sh": script, "Procfile": "web: sh run.sh"}
    assert analyse(memory(files)).start_command == command


@pytest.mark.parametrize(
    ("line", "command"),
    [
        ("python manage.py migrate && python manage.py collectstatic --no-input && gunicorn a.wsgi", "gunicorn a.wsgi"),
        ("flask db upgrade; gunicorn app:app", "gunicorn app:app"),
        ("poetry run alembic upgrade head && poetry run gunicorn app:app", "gunicorn app:app"),
    ],
)
def test_what_the_build_and_the_migration_do_is_not_done_again_at_the_start(line: str, command: str) -> None:
    files = {"requirements.txt": "flask\ngunicorn", "app.py": FLASK, "Procfile": f"web: {line}"}
    bound = command.replace("gunicorn", GUNICORN)
    assert analyse(memory(files)).start_command == bound
    kept = analyse(memory({**files, "Procfile": f"web: ./prepare && {line}"})).start_command
    assert "./prepare && " in kept


def test_workers_of_gunicorn_bring_what_they_need() -> None:
    files = {"requirements.txt": "fastapi", "app.py": FASTAPI}
    uvicorn = analyse(memory({**files, "Procfile": "web: gunicorn -k uvicorn.workers.UvicornWorker app:app"}))
    assert uvicorn.server_package == "gunicorn uvicorn"
    gevent = analyse(memory({**files, "Procfile": "web: gunicorn -k gevent app:app"}))
    assert gevent.server_package == "gunicorn gevent"


HINTS = {
    "Procfile": "web: run-it\nworker: gunicorn second:app",
    ".flaskenv": "FLASK_APP=second.py",
    "docker-compose.yml": 'services:\n  web:\n    command: ["gunicorn", "-b", "0.0.0.0:80", "second:app"]\n',
    "README.md": "Run it: `gunicorn second:app`",
}


@pytest.mark.parametrize("file", HINTS)
def test_what_is_named_elsewhere_is_what_is_served(file: str) -> None:
    files = {"requirements.txt": "flask", "app.py": FLASK, "second.py": FLASK, file: HINTS[file]}
    assert analyse(memory(files)).start_command == f"{GUNICORN} second:app"


UWSGI = "/app/venv/bin/uwsgi"


@pytest.mark.parametrize(
    ("line", "settings", "command", "port", "variable"),
    [
        ("uwsgi uwsgi.ini", "http-socket = :$(PORT)\nmodule = app:app\n", f"{UWSGI} uwsgi.ini", 8000, "PORT"),
        ("uwsgi --ini ./uwsgi.ini", "http = 0.0.0.0:9090\nmodule = app:app\n", f"{UWSGI} --ini ./uwsgi.ini", 9090, None),
        ("uwsgi uwsgi.ini", "socket = app.sock\nmodule = app:app\n",
         f"{UWSGI} --http-socket 127.0.0.1:$PORT uwsgi.ini", 8000, "PORT"),
        ("uwsgi --http :5000 --module app:app", "", f"{UWSGI} --http-socket 127.0.0.1:$PORT --module app:app", 5000, "PORT"),
    ],
)  # fmt: skip
def test_uwsgi_speaks_http_where_its_file_says_or_on_the_host_s_port(
    line: str, settings: str, command: str, port: int, variable: str | None
) -> None:
    files = {"requirements.txt": "flask\nuwsgi\n", "app.py": FLASK, "Procfile": f"web: {line}\n"}
    stack = analyse(memory({**files, **({"uwsgi.ini": f"[uwsgi]\n{settings}"} if settings else {})}))
    assert (stack.start_command, stack.port, stack.port_env) == (command, port, variable)


def test_uwsgi_s_file_tells_which_object_is_served_and_where() -> None:
    settings = "[uwsgi]\nhttp-socket = :8070\nwsgi-file = site_main.py\ncallable = shop\n"
    other = "from flask import Flask\nshop = Flask('y')\n"
    files = {"requirements.txt": "flask\n", "app.py": FLASK, "site_main.py": other, "docker/uwsgi.ini": settings}
    stack = analyse(memory(files))
    assert (stack.start_command, stack.port, stack.port_env) == (f"{GUNICORN} site_main:shop", 8070, "PORT")


def test_the_image_s_command_tells_the_module_that_is_run_and_its_option() -> None:
    web = "from tornado import web, httpserver\ndef main():\n    httpserver.HTTPServer(app()).listen(settings().port)\n"
    files = {"shop/__init__.py": "", "shop/__main__.py": "from shop.web import main\nmain()\n", "shop/web.py": web}
    docker = 'FROM python\nCMD ["python", "-m", "shop", "--port=8070"]\n'
    stack = analyse(memory({"requirements.txt": "tornado", "Dockerfile": docker, **files}))
    assert (stack.start_command, stack.port_env, stack.port) == (f"{PYTHON} -m shop --port=$PORT", "PORT", 8070)
