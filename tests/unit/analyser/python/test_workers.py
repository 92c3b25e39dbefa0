"""Python programs without HTTP: a Procfile's worker, a script that goes on for ever, what the operator says."""

from __future__ import annotations

import pytest
from fixtures.sources import memory

from autodeploy.analyser import analyse
from autodeploy.errors import AnalysisError
from autodeploy.model import TechStack

LOOP = "import time\nwhile True:\n    time.sleep(1)\n"
GUARDED = "def main():\n    pass\n\nif __name__ == '__main__':\n    main()\n"
FLASK = "from flask import Flask\napp = Flask('x')\n"
PYTHON = "/app/venv/bin/python"


def stack_of(files: dict[str, str], **overrides: str) -> TechStack:
    return analyse(memory({"requirements.txt": "requests", **files}), overrides)


@pytest.mark.parametrize(
    ("files", "command"),
    [
        ({"Procfile": "worker: python -m jobs", "jobs.py": ""}, f"{PYTHON} -m jobs"),
        ({"Procfile": "bot: python bot.py", "bot.py": ""}, f"{PYTHON} bot.py"),
        ({"Procfile": "release: python seed.py\nclock: python clock.py\nworker: python w.py"}, f"{PYTHON} w.py"),
        ({"main.py": LOOP}, f"{PYTHON} main.py"),
        ({"main.py": LOOP, "worker.py": LOOP}, f"{PYTHON} worker.py"),
        ({"jobs/__main__.py": LOOP, "jobs/__init__.py": ""}, f"{PYTHON} -m jobs"),
        ({"bot.py": f"import discord\n{GUARDED}"}, f"{PYTHON} bot.py"),
        ({"main.py": f"import jobs\n{GUARDED}", "jobs.py": "loop.run_forever()"}, f"{PYTHON} main.py"),
        ({"main.py": "import schedule\nschedule.run()"}, f"{PYTHON} main.py"),
    ],
)
def test_what_works_without_http_is_a_worker(files: dict[str, str], command: str) -> None:
    stack = stack_of(files)
    assert (stack.is_web_service, stack.start_command) == (False, command)
    assert (stack.port, stack.port_env, stack.server_package) == (0, None, None)
    assert stack.facts("is_web_service") == ("false",)


@pytest.mark.parametrize(
    "files",
    [
        {"main.py": GUARDED},
        {"main.py": "def f(): ...\n"},
        {"main.py": f"import http.server\n{LOOP}"},
        {"main.py": "while True"},
        {"deep/er/main.py": LOOP},
        {"jobs.py": LOOP},
        {"main.py": f"from aiohttp import web\n{LOOP}"},
        {"requirements.txt": "flask", "main.py": LOOP},
    ],
)
def test_what_may_end_or_answer_is_not_taken_for_one(files: dict[str, str]) -> None:
    with pytest.raises(AnalysisError, match="no application object"):
        stack_of(files)


def test_beside_a_web_process_the_worker_is_not_what_is_deployed() -> None:
    processes = {"Procfile": "web: gunicorn app:app\nworker: python worker.py", "app.py": FLASK, "worker.py": LOOP}
    assert stack_of(processes).is_web_service
    assert stack_of({"Procfile": "worker: python worker.py", "app.py": FLASK, "worker.py": LOOP}).is_web_service


def test_the_operator_decides() -> None:
    files = {"Procfile": "worker: python worker.py", "app.py": FLASK, "worker.py": LOOP}
    assert stack_of(files, port="none").start_command == f"{PYTHON} worker.py"
    assert stack_of({"app.py": FLASK, "main.py": GUARDED}, port="none").start_command == f"{PYTHON} main.py"
    told = stack_of({"main.py": GUARDED}, port="none", start_command="python main.py --all")
    assert (told.is_web_service, told.start_command) == (False, "python main.py --all")
    assert stack_of({"main.py": LOOP}, start_command="python main.py", port="9000").port == 9000
    assert stack_of({"Procfile": "worker: w"}, start_command="python w.py").is_web_service is False
    assert stack_of({"main.py": LOOP}, start_command="python main.py", health_check_path="/up").is_web_service
    with pytest.raises(AnalysisError, match="--port none"):
        stack_of({"app.py": FLASK}, port="nothing")
