"""A flag settles a fact in every language alike, and is then its evidence; what cannot be meant is refused."""

from __future__ import annotations

import pytest
from fixtures.sources import memory, sample

from autodeploy.analyser import analyse
from autodeploy.analyser.analysis import OVERRIDES
from autodeploy.errors import AnalysisError

ONE_OF_EACH = ["flask-postgres", "express-postgres", "go-postgres"]
MEANT = {
    "framework": ("Falcon", "falcon"),
    "build_command": ("make build", "make build"),
    "start_command": ("./run --fast", "./run --fast"),
    "migration_command": ("make migrate", "make migrate"),
    "port": ("9123", 9123),
    "port_env": ("HTTP_PORT", "HTTP_PORT"),
    "health_check_path": ("/alive", "/alive"),
    "database_type": ("mariadb", "mariadb"),
    "services": ("redis, kafka", ("redis", "kafka")),
    "build_packages": ("libpq-dev,gcc", ("libpq-dev", "gcc")),
    "run_packages": ("libpq5", ("libpq5",)),
}
NONE = {
    "framework": None,
    "build_command": "",
    "migration_command": None,
    "port_env": None,
    "services": (),
    "build_packages": (),
    "run_packages": (),
    "database_type": None,
}

EXPRESS = '{"dependencies": {"express": "4"}, "scripts": {"start": "node index.js"}}'
FLASK = "from flask import Flask\napp = Flask('x')\n"
UV = '[project]\nname = "x"\ndependencies = ["flask"]\n'


@pytest.mark.parametrize("name", ONE_OF_EACH)
@pytest.mark.parametrize("fact", sorted(MEANT))
def test_settles_the_fact_and_is_its_evidence(name: str, fact: str) -> None:
    typed, value = MEANT[fact]
    stack = analyse(sample(name), {fact: typed})
    assert getattr(stack, fact) == value
    (because,) = [item for item in stack.evidence if item.fact == fact]
    assert (because.rule, because.confidence) == (f"--{fact.replace('_', '-')}", "certain")


@pytest.mark.parametrize("name", ONE_OF_EACH)
@pytest.mark.parametrize("fact", sorted(NONE))
def test_none_is_an_answer(name: str, fact: str) -> None:
    assert getattr(analyse(sample(name), {fact: "none"}), fact) == NONE[fact]


@pytest.mark.parametrize(
    ("name", "version", "manager"),
    [("flask-postgres", "3.13", "uv"), ("express-postgres", "24.x", "pnpm"), ("go-postgres", "1.22", "go")],
)
def test_version_and_package_manager(name: str, version: str, manager: str) -> None:
    stack = analyse(sample(name), {"runtime_version": version, "package_manager": manager})
    assert (stack.runtime_version, stack.package_manager) == (version, manager)
    rules = {item.fact: item.rule for item in stack.evidence}
    assert rules["runtime_version"] == "--runtime-version" and rules["package_manager"] == "--package-manager"


def test_what_was_found_stays_in_sight() -> None:
    (because,) = [
        i for i in analyse(sample("flask-postgres"), {"framework": "falcon"}).evidence if i.fact == "framework"
    ]
    assert because.alternatives == ("flask",)


@pytest.mark.parametrize(
    ("fact", "typed"),
    [
        ("language", "ruby"),
        ("package_manager", "cargo"),
        ("package_manager", "npm"),
        ("port_env", "NOT A NAME"),
        ("services", "redis;rm -rf"),
        ("build_packages", "libpq-dev $(x)"),
        ("run_packages", "--force"),
        ("database_type", "oracle"),
        ("port", "http"),
        ("colour", "red"),
    ],
)
def test_what_cannot_be_meant(fact: str, typed: str) -> None:
    with pytest.raises(AnalysisError) as caught:
        analyse(sample("flask-postgres"), {fact: typed})
    assert caught.value.remediation


class TestTheLanguage:
    FILES = {
        "package.json": '{"scripts": {"start": "node index.js"}, "dependencies": {"express": "4.19.2"}}',
        "index.js": "require('express')().get('/', (q, r) => r.end()).listen(process.env.PORT)",
        "requirements.txt": "flask==3.0.0\n",
        "app.py": "from flask import Flask\napp = Flask(__name__)\n",
    }

    @pytest.mark.parametrize(("language", "framework"), [("python", "flask"), ("nodejs", "express")])
    def test_is_the_one_that_is_meant(self, language: str, framework: str) -> None:
        stack = analyse(memory(self.FILES), {"language": language})
        assert (stack.language, stack.framework) == (language, framework)
        assert next(item for item in stack.evidence if item.fact == "language").rule == "--language"

    def test_that_the_repository_does_not_speak(self) -> None:
        with pytest.raises(AnalysisError):
            analyse(memory(self.FILES), {"language": "go"})


def test_an_answer_leaves_nothing_open() -> None:
    said = {fact: typed for fact, (typed, _) in MEANT.items()}
    assert set(said) <= OVERRIDES
    stack = analyse(sample("flask-postgres"), said)
    assert not [unknown for unknown in stack.unknowns if unknown.flag.lstrip("-").replace("-", "_") in said]


@pytest.mark.parametrize(
    ("files", "manager", "command"),
    [
        ({"package.json": EXPRESS, "package-lock.json": "{}"}, "yarn", "yarn install"),
        ({"package.json": EXPRESS, "package-lock.json": "{}", "pnpm-lock.yaml": ""}, "npm", "npm ci"),
        (
            {"app.py": FLASK, "requirements.txt": "flask", "pyproject.toml": UV, "uv.lock": ""},
            "pip",
            "-r requirements.txt",
        ),
        ({"app.py": FLASK, "requirements.txt": "flask", "pyproject.toml": UV, "uv.lock": ""}, "uv", "uv sync --frozen"),
        ({"app.py": FLASK, "requirements.txt": "flask"}, "pdm", "-r requirements.txt"),
    ],
)
def test_the_build_is_the_named_package_manager_s(files: dict[str, str], manager: str, command: str) -> None:
    stack = analyse(memory(files), {"package_manager": manager})
    assert stack.package_manager == manager
    assert command in stack.build_command
