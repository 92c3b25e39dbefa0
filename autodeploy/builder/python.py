"""Python: a virtual environment at /app/venv with the application's dependencies and server, then its own build."""

from __future__ import annotations

import re
import shlex

from autodeploy.builder import requirements
from autodeploy.errors import AnalysisError
from autodeploy.model import APP_PATH, PYTHON_OF_IMAGE, BaseImage, BuildStep, Recipe, Source, TechStack
from autodeploy.model.build import image_of_python

VENV = f"{APP_PATH}/venv"
PIP_INSTALL = f"{VENV}/bin/python -m pip install"

_INSTALL = re.compile(r"\bpip3?\s+install\b")


def recipe(stack: TechStack, source: Source) -> Recipe:
    """Return how to build a Python application; raise AnalysisError where no base image or manifest fits."""
    installs, builds = _parts(stack.build_command)
    dependencies = [_install(command, source) for command in installs] or _dependencies(stack, source)
    # Isolated (-I): a repository's own module `venv` or `types` must not stand in for Python's.
    return Recipe(
        base_image=_base_image(stack.runtime_version),
        steps=(
            _step("Creating the virtual environment", f"python3 -I -m venv {VENV}", ()),
            *_with_server(dependencies, stack.server_package, source),
            *(_step("Building the application", command, None) for command in builds),
        ),
        keep=("src", "venv"),
        exclude=(".git", "__pycache__", "*.pyc"),
        packages=stack.build_packages,
        environment=_placeholders(stack) if builds else {},
    )


def _parts(command: str) -> tuple[list[str], list[str]]:
    """Take a build command apart: what installs dependencies, and what comes after it."""
    parts = [part.strip() for part in command.split(" && ") if part.strip()]
    installs = [part for part in parts if _INSTALL.search(part)]
    return installs, [part for part in parts if part not in installs]


def _dependencies(stack: TechStack, source: Source) -> list[BuildStep]:
    if "requirements.txt" in source:
        return [_install(f"{PIP_INSTALL} -r requirements.txt", source)]
    if "pyproject.toml" in source and stack.package_manager in {"", "pip"}:
        return [_install(f"{PIP_INSTALL} .", source)]
    if not stack.dependencies:
        return []
    raise AnalysisError(
        f"dependencies that {stack.package_manager or 'no known tool'} manages cannot be installed by pip",
        "Add a requirements.txt to the repository (poetry export, pipenv requirements or uv export writes one).",
        agent="HiveMind DevOps",
        context="Choosing how to build the Python application",
    )


def _install(command: str, source: Source) -> BuildStep:
    command = re.sub(r"^(python3? -m )?pip3? install\b", PIP_INSTALL, command)
    return _step("Installing dependencies", command, requirements.inputs(command, source))


def _with_server(dependencies: list[BuildStep], server: str | None, source: Source) -> list[BuildStep]:
    """Add the server to the last installation, so that pip resolves both at once; apart where hashes are demanded."""
    if not server:
        return dependencies
    last = dependencies[-1] if dependencies else None
    if last is None or last.inputs is None or any("--hash" in source.read(path) for path in last.inputs):
        return [*dependencies, _step("Installing the server", f"{PIP_INSTALL} {_quoted(server)}", ())]
    return [*dependencies[:-1], last.but(command=f"{last.command} {_quoted(server)}")]


def _step(what: str, command: str, inputs: tuple[str, ...] | None) -> BuildStep:
    return BuildStep(what=what, command=command, inputs=inputs)


def _quoted(packages: str) -> str:
    return " ".join(shlex.quote(package) for package in packages.split())


def _placeholders(stack: TechStack) -> dict[str, str]:
    """Return values for what the application's settings read while it is built: none of the running system's."""
    names = [item.name for item in stack.environment if item.default is None]
    names += ["DATABASE_URL"] if stack.requires_database else []
    scheme = {None: "postgresql", "mariadb": "mysql"}.get(stack.database_type, stack.database_type)
    return {name: f"{scheme}://build:build@127.0.0.1:1/build" if name.endswith("URL") else "build" for name in names}


def _base_image(version: str) -> BaseImage:
    if image := image_of_python(version):
        return image
    raise AnalysisError(
        f"Python {version} is not available: the base images have {' and '.join(PYTHON_OF_IMAGE.values())}",
        "Relax the version the repository asks for (requires-python, .python-version, runtime.txt), or override it.",
        agent="HiveMind DevOps",
        context="Choosing a base image for the Python application",
    )
