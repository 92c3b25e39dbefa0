"""Environment variables: required, optional, secret, generated; and those of the database, which nobody is asked for."""

from __future__ import annotations

import pytest
from fixtures.sources import memory

from autodeploy.analyser import analyse
from autodeploy.model import EnvironmentVariable, TechStack

FLASK = "from flask import Flask\napp = Flask('x')\n"


def stack_of(code: str, requirements: str = "flask", **files: str) -> TechStack:
    return analyse(memory({"requirements.txt": requirements, "app.py": f"{code}\n{FLASK}", **files}))


def variables(code: str, requirements: str = "flask", **files: str) -> dict[str, EnvironmentVariable]:
    return {item.name: item for item in stack_of(code, requirements, **files).environment}


def test_how_the_standard_library_reads() -> None:
    found = variables(
        "import os\nfrom os import environ as e, getenv\n"
        "A = os.environ['A']\nB = os.getenv('B', 'two')\nC = e.get('C')\nD = getenv('D', default=4)\n"
        "E = e['E']\nif 'E' in os.environ: pass\nos.environ['F'] = 'set'\nG = os.environ[name]\nP = os.environ['PORT']\n"
    )
    assert sorted(found) == ["A", "B", "C", "D", "E"]
    assert found["A"].required
    assert (found["A"].file, found["A"].line) == ("app.py", 3)
    assert (found["B"].required, found["B"].default) == (False, "two")
    assert (found["C"].required, found["C"].default) == (False, None)
    assert found["D"].default == "4"
    assert not found["E"].required


def test_readers_of_other_packages() -> None:
    found = variables(
        "from decouple import config\nimport environ\nenv = environ.Env()\n"
        "A = config('A')\nB = config('B', default=True, cast=bool)\nC = env('C')\nD = env.bool('D', default=False)\n"
        "E = other('E')\n"
    )
    assert {name: item.required for name, item in found.items()} == {"A": True, "B": False, "C": True, "D": False}


def test_fields_of_pydantic_settings_however_far_they_derive() -> None:
    found = variables(
        "from typing import ClassVar\nfrom pydantic import Field\nfrom pydantic_settings import BaseSettings\n"
        "class Base(BaseSettings):\n    model_config = {}\n    mail_host: str\n    limit: int = 5\n    x: ClassVar[int] = 1\n"
        "class Settings(Base):\n    token: str = Field(..., alias='API_TOKEN')\n    names: list = Field(default_factory=list)\n"
        "    size: int = Field(7)\n"
        "class Prefixed(Base):\n    class Config:\n        env_prefix = 'app_'\n    debug: bool = False\n"
        "class Other:\n    left: str\n"
    )
    required = {name: item.required for name, item in found.items()}
    assert required == {
        "MAIL_HOST": True, "LIMIT": False, "API_TOKEN": True, "NAMES": False, "SIZE": False, "APP_DEBUG": False,
    }  # fmt: skip
    assert (found["SIZE"].default, found["API_TOKEN"].secret) == ("7", True)


def test_only_what_the_application_imports_can_require() -> None:
    found = variables(
        "import used\n",
        **{
            "used.py": "import os\nA = os.environ['A']\n",
            "script.py": "import os\nA = os.environ.get('A')\nB = os.environ['B']\n",
            "tests/x.py": "import os\nC = os.environ['C']\n",
        },
    )
    assert {name: item.required for name, item in found.items()} == {"A": True, "B": False}


def test_secrets_are_known_by_name_and_only_conventional_ones_are_generated() -> None:
    names = ["SECRET_KEY", "DJANGO_SECRET_KEY", "JWT_SECRET", "STRIPE_SECRET_KEY", "AWS_SECRET_ACCESS_KEY", "MAIL_PASSWORD",
             "GITHUB_TOKEN", "API_KEY", "MAIL_USER", "MONKEY"]  # fmt: skip
    found = variables("import os\n" + "".join(f"x = os.environ.get('{name}', 'dev')\n" for name in names))
    assert [name for name in names if found[name].generated] == ["SECRET_KEY", "DJANGO_SECRET_KEY", "JWT_SECRET"]
    assert [name for name in names if not found[name].secret] == ["MAIL_USER", "MONKEY"]
    assert all(found[name].default is None for name in names if found[name].secret)
    assert [name for name in names if found[name].required] == ["SECRET_KEY", "DJANGO_SECRET_KEY", "JWT_SECRET"]


def test_an_example_file_adds_names_and_defaults() -> None:
    found = variables("import os\nA = os.environ['A']", **{".env.example": "# x\nexport A=1\nB='two'\nC=\nnonsense\n"})
    assert {name: (item.required, item.default) for name, item in found.items()} == {
        "A": (True, None), "B": (False, "two"), "C": (False, None),
    }  # fmt: skip
    assert (found["B"].file, found["B"].line) == (".env.example", 3)


def test_the_address_of_the_database_is_filled_in_and_asked_of_nobody() -> None:
    names = ["DATABASE_URL", "DB_HOST", "POSTGRES_DB", "PGUSER", "SQLALCHEMY_DATABASE_URI", "DB_PASSWORD", "REDIS_HOST"]
    code = "import os\n" + "".join(f"x = os.environ['{name}']\n" for name in names)
    stack = stack_of(code, "flask\npsycopg2-binary")
    filled = [item.value for item in stack.evidence if item.fact == "database_variable"]
    assert filled == [
        "DB_HOST=host", "DB_PASSWORD=password", "PGUSER=user", "POSTGRES_DB=name", "SQLALCHEMY_DATABASE_URI=url",
    ]  # fmt: skip
    assert [item.name for item in stack.environment if item.required] == ["DATABASE_URL", "REDIS_HOST"]


@pytest.mark.parametrize(
    ("name", "part"),
    [
        ("MYSQL_SSL_CA", "ca"), ("DB_CA_CERT", "ca"), ("DATABASE_SSL_CA_FILE", "ca"), ("DB_SSLROOTCERT", "ca"),
        ("MARIADB_HOST", "host"), ("DB_ENGINE", "engine"), ("MYSQL_SSL_CERT", None), ("DB_SSL_MODE", None),
    ],
)  # fmt: skip
def test_the_parts_of_a_mysql_are_known_by_name(name: str, part: str | None) -> None:
    stack = stack_of(f"import os\nx = os.environ['{name}']\n", "flask\npymysql")
    told = [item.value for item in stack.evidence if item.fact == "database_variable"]
    assert told == ([f"{name}={part}"] if part else [])


def test_without_a_database_its_address_is_the_operators() -> None:
    found = variables("import os\nx = os.environ['DATABASE_URL']")
    assert found["DATABASE_URL"].required
