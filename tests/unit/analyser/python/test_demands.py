"""What a program ends without, what it only may be told, and what it loads one of by name."""

from __future__ import annotations

import pytest
from fixtures.sources import memory

from autodeploy.analyser import analyse
from autodeploy.model import TechStack

FLASK = "from flask import Flask\napp = Flask('x')\n"


def stack_of(code: str, requirements: str = "flask", **files: str) -> TechStack:
    return analyse(memory({"requirements.txt": requirements, "app.py": f"{code}\n{FLASK}", **files}))


def required(code: str, requirements: str = "flask", **files: str) -> set[str]:
    return {item.name for item in stack_of(code, requirements, **files).environment if item.required}


@pytest.mark.parametrize(
    "code",
    [
        "X = os.environ.get('A_B')\nassert X is not None\n",
        "X = os.getenv('A_B')\nassert X\n",
        "X = os.getenv('A_B')\nif not X:\n    raise RuntimeError('A_B')\n",
        "X = os.getenv('A_B')\nif X is None:\n    print('set A_B')\n    sys.exit(1)\n",
        "X, Y = 1, 2\nZ = os.getenv('A_B')\nif not Y or not Z:\n    raise ValueError\n",
        "if not os.getenv('A_B'):\n    raise ValueError\n",
    ],
)
def test_what_importing_ends_without_is_required(code: str) -> None:
    assert required(f"import os, sys\n{code}") == {"A_B"}


@pytest.mark.parametrize(
    "code",
    [
        "X = os.getenv('A_B', 'two')\nassert X\n",
        "X = os.getenv('A_B')\nif X:\n    raise ValueError\n",
        "X = os.getenv('A_B')\nif not X:\n    print('no A_B')\n",
        "X = os.getenv('A_B')\nif X == 'old':\n    raise ValueError\n",
        "def f():\n    X = os.getenv('A_B')\n    assert X\n",
        "ON = os.getenv('USE_IT')\nif ON:\n    X = os.environ['A_B']\n",
        "BACKEND = os.getenv('BACKEND', 'local')\nif BACKEND == 's3':\n    X = os.environ['A_B']\n",
        "if env.bool('ENABLE_IT', False):\n    X = env.str('A_B')\n",
        "ONE = env.bool('ONE', False)\nTWO = env.bool('TWO', False)\nif ONE or TWO:\n    X = env('A_B')\n",
    ],
)
def test_what_a_program_goes_on_without_is_not(code: str) -> None:
    assert "A_B" not in required(f"import os, environ\nenv = environ.Env()\n{code}")


def test_the_backend_that_is_taken_by_default_and_the_way_to_run_that_is_deployed_ask_for_theirs() -> None:
    code = (
        "import os\nBACKEND = os.getenv('BACKEND', 's3')\nif BACKEND == 's3':\n    X = os.environ['A_B']\n"
        "MODE = os.getenv('APP_ENV', 'dev')\nif MODE == 'production':\n    Y = os.environ['C_D']\n"
    )
    assert required(code) == {"A_B", "C_D"}


def test_where_the_readers_of_django_environ_take_their_defaults() -> None:
    code = (
        "import environ\nenv = environ.Env()\nA = env.str('A_1', 'x')\nB = env.int('B_1', 5)\nC = env.bool('C_1', True)\n"
        "D = env.list('D_1', str, [])\nE = env('E_1', int, 3)\nF = env('F_1', int)\nG = env.list('G_1', str)\nH = env.str('H_1')\n"
    )
    stack = stack_of(code, "flask\ndjango-environ")
    assert {item.name for item in stack.environment if item.required} == {"F_1", "G_1", "H_1"}
    assert {item.name: item.default for item in stack.environment if item.default} == {
        "A_1": "x", "B_1": "5", "C_1": "True", "E_1": "3",
    }  # fmt: skip


STORES = {
    "stores/__init__.py": "",
    "stores/factory.py": (
        "import os\ndef store():\n    match os.environ.get('STORE'):\n        case 'redis':\n"
        "            from stores.red import S\n            return S()\n        case 'pg':\n"
        "            from stores.pg import S\n            return S()\n"
    ),
    "stores/red.py": "import os, redis\nS = os.environ['RED_TOKEN']\n",
    "stores/pg.py": "import psycopg2\nS = 1\n",
}


def test_what_is_loaded_by_its_name_is_asked_for_by_nobody() -> None:
    code = "from stores.factory import store\n"
    stack = stack_of(code, "flask\nredis\npsycopg2-binary", **STORES)
    assert (stack.database_type, stack.services) == (None, ())
    assert [item.name for item in stack.environment if item.required] == []
    both = stack_of(f"{code}import redis\n", "flask\nredis\npsycopg2-binary", **STORES)
    assert both.services == ("redis",)


def test_celery_brings_what_speaks_to_another_broker_too() -> None:
    tasks = "from celery import Celery\napp2 = Celery(broker='redis://x')\n"
    assert stack_of(tasks, "flask\ncelery==5\namqp==5\nkombu==5\nredis==4").services == ("redis",)
    assert stack_of("", "flask\namqp").services == ("rabbitmq",)


def test_options_of_one_line_are_none_of_the_requirement() -> None:
    assert stack_of("", "flask\npsycopg2 --no-binary psycopg2  # because\n").database_type == "postgresql"


def test_a_service_that_the_platform_makes_is_asked_for() -> None:
    blueprint = (
        "services:\n- type: web\n  startCommand: gunicorn app:app\n  envVars:\n  - key: BROKER\n    fromService:\n"
        "      name: r\n      type: redis\n      property: connectionString\n  - key: OTHER_HOST\n    fromService:\n"
        "      name: o\n      type: web\n      property: host\n- type: redis\n  name: r\n"
    )
    assert required(
        "import os\nB = os.getenv('BROKER')\nO = os.getenv('OTHER_HOST')\n", **{"render.yaml": blueprint}
    ) == {"BROKER"}


TAKES = "import os\ndef get_env(name):\n    try:\n        return os.environ[name]\n    except KeyError:\n        raise ValueError(name)\n"
OR = "import os\ndef get_env(name, other=None):\n    return os.getenv(name, other)\n"


@pytest.mark.parametrize(
    ("code", "is_required", "default"),
    [
        (f"{TAKES}X = get_env('A_B')\n", True, None),
        (f"{TAKES}def later():\n    return get_env('A_B')\n", False, None),
        (f"{OR}X = get_env('A_B')\n", False, None),
        (f"{OR}X = get_env('A_B', 'two')\n", False, "two"),
        (f"{OR}X = get_env('A_B', other=3)\n", False, "3"),
        (f"{OR}Y = get_env('no name')\nX = get_env('A_B')\n", False, None),
        ("from reading import get_env\nX = get_env('A_B')\n", True, None),
        ("import os\ndef get_env(name, must=True):\n    v = os.environ.get(name)\n    if must and not v:\n        raise ValueError\n    return v\n"
         "X = get_env('A_B')\n", True, None),
        ("import os\ndef get_env(name):\n    v = os.getenv(name)\n    if v not in ('', 'on'):\n        raise ValueError\n    return v\n"
         "X = get_env('A_B')\n", False, None),
        ("import os\ndef get_env(name):\n    try:\n        return os.environ[name]\n    except KeyError:\n        return ''\n"
         "X = get_env('A_B')\n", False, None),
    ],
)  # fmt: skip
def test_functions_of_the_programs_own(code: str, is_required: bool, default: str | None) -> None:
    found = stack_of(code, **{"reading.py": TAKES}).environment
    assert [(item.name, item.required, item.default) for item in found] == [("A_B", is_required, default)]
