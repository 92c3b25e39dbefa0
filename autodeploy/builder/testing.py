"""TechStack and Source in; the steps that run the repository's own tests in the builder out. It runs nothing itself.

The tests are run on the source as it came, beside what the build installed, with what only they need installed then.
"""

from __future__ import annotations

import json
import posixpath
import re
import shlex
import sys
from typing import Any

from autodeploy.errors import AnalysisError
from autodeploy.model import BuildStep, Source, TechStack

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

_NODE_INSTALLS = {
    "npm": "npm ci --include=dev",
    "pnpm": "pnpm install --frozen-lockfile --prod=false",
    "yarn": "yarn install --production=false",
    "bun": "bun install --frozen-lockfile",
}
_NO_NODE_TESTS = re.compile(r"^\s*$|no test specified")
_PYTHON_LISTS = tuple(
    form.format(name)
    for name in ("test", "tests", "testing", "dev", "development")
    for form in ("requirements-{}.txt", "{}-requirements.txt", "requirements_{}.txt", "requirements/{}.txt")
)
_GROUPS = frozenset({"test", "tests", "testing", "dev", "develop", "development"})
_PYTHON_TEST = re.compile(r"(^|/)(test_[^/]*|[^/]*_test|tests)\.py$")
PIP = "/app/venv/bin/python -m pip install"


def tests(stack: TechStack, source: Source) -> tuple[BuildStep, ...]:
    """Return the steps that run the tests of a repository; raise AnalysisError where it has none."""
    own = source.below(stack.app_root)
    found = {"nodejs": _node, "python": _python, "go": _go}[stack.language](stack, own)
    if not found:
        raise AnalysisError(
            f"there are no tests to run in this {stack.language} application",
            "Leave --run-tests out, or add tests where its tools look for them.",
            agent="HiveMind DevOps",
            context="Choosing how to test the application",
        )
    roots = stack.facts("install_root")
    inner = posixpath.relpath(stack.app_root, roots[0]) if roots else "."
    if inner != ".":
        # A workspace is installed as a whole, and tested where the application is.
        found[-1] = found[-1].but(command=f"cd {shlex.quote(inner)} && {found[-1].command}")
    return tuple(found)


def _node(stack: TechStack, source: Source) -> list[BuildStep]:
    try:
        package: Any = json.loads(source.read("package.json"))
        script = str(package["scripts"]["test"])
    except (ValueError, TypeError, KeyError):
        return []
    if _NO_NODE_TESTS.search(script):
        return []
    manager = stack.package_manager or "npm"
    install = _NODE_INSTALLS.get(manager, _NODE_INSTALLS["npm"])
    if manager == "npm" and not {"package-lock.json", "npm-shrinkwrap.json"} & set(source.paths):
        install = "npm install --include=dev"
    # What asks for a terminal or watches files must not wait here for ever.
    return [_installing(install), _testing(f"CI=true {manager} run test")]


def _python(stack: TechStack, source: Source) -> list[BuildStep]:
    has_tests = any(_PYTHON_TEST.search(path) for path in source.paths)
    if not has_tests:
        return []
    lists = [f"-r {shlex.quote(path)}" for path in _PYTHON_LISTS if path in source]
    named = _python_groups(source)
    uses_django = stack.framework == "django" and "manage.py" in source
    wanted = " ".join([*named, *(source.read(path) for path in _PYTHON_LISTS if path in source)])
    runs_pytest = not uses_django or "pytest" in wanted
    extra = [] if "pytest" in wanted or not runs_pytest else ["pytest"]
    words = " ".join([*lists, *(shlex.quote(name) for name in (*named, *extra))])
    install = [_installing(f"{PIP} {words}")] if words else []
    command = "/app/venv/bin/python -m pytest" if runs_pytest else "/app/venv/bin/python manage.py test --noinput"
    return [*install, _testing(command)]


def _python_groups(source: Source) -> list[str]:
    """Return what pyproject.toml's groups for tests ask for: PEP 621's extras, PEP 735's groups, Poetry's by name."""
    try:
        document = tomllib.loads(source.read("pyproject.toml"))
    except (ValueError, RecursionError):
        return []
    extras = _table(_table(document, "project"), "optional-dependencies")
    found: list[str] = []
    for groups in (extras, _table(document, "dependency-groups")):
        for name, wishes in groups.items():
            if name in _GROUPS and isinstance(wishes, list):
                found += [wish for wish in wishes if isinstance(wish, str)]
    poetry = _table(_table(document, "tool"), "poetry")
    found += list(_table(poetry, "dev-dependencies"))
    for name, group in _table(poetry, "group").items():
        if name in _GROUPS and isinstance(group, dict):
            found += list(_table(group, "dependencies"))
    return list(dict.fromkeys(found))


def _table(document: dict[str, Any], key: str) -> dict[str, Any]:
    value = document.get(key)
    return value if isinstance(value, dict) else {}


def _go(stack: TechStack, source: Source) -> list[BuildStep]:
    return [_testing("go test ./...")] if any(path.endswith("_test.go") for path in source.paths) else []


def _installing(command: str) -> BuildStep:
    return BuildStep(what="Installing what the tests need", command=command)


def _testing(command: str) -> BuildStep:
    return BuildStep(what="Running the tests", command=command)
