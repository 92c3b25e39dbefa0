"""Python: a virtual environment at /app/venv with the application's dependencies and server, then its own build."""

from __future__ import annotations

import re
import shlex

from autodeploy.builder import pythonlocks, requirements
from autodeploy.builder.pythonlocks import TOOLS_PATH
from autodeploy.errors import AnalysisError
from autodeploy.model import APP_PATH, PYTHON_OF_IMAGE, PYTHON_RELEASES, BaseImage, BuildStep, Recipe, Source, TechStack
from autodeploy.model.build import image_of_python, python_of_image

VENV = f"{APP_PATH}/venv"
PYTHON = f"{APP_PATH}/python"
"""Where a Python lies that the base image does not bring; it travels with the release."""

PIP_INSTALL = f"{VENV}/bin/python -m pip install"

_INSTALL = re.compile(r"\bpip3?\s+install\b")
_METADATA = re.compile(r"\b(?:importlib\.metadata|importlib_metadata|pkg_resources)\b")


def recipe(stack: TechStack, source: Source) -> Recipe:
    """Return how to build a Python application; raise AnalysisError where no Python or manifest fits."""
    installs, builds = _parts(stack.build_command)
    dependencies = [step for command in installs for step in _install(command, source)] or _dependencies(stack, source)
    image, is_brought = _base_image(stack), _is_brought(stack)
    locked = {command.partition(" ")[0] for command in installs if pythonlocks.is_lock_command(command)}
    tools = sorted(locked | ({"uv"} if is_brought else set()))
    # Isolated (-I): a repository's own module `venv` or `types` must not stand in for Python's.
    made = f"python3 -I -m venv {VENV}"
    return Recipe(
        base_image=image,
        steps=(
            *(pythonlocks.bring(tool) for tool in tools),
            *([_bring_python(stack.runtime_version)] if is_brought else [_step(_MAKING, made, ())]),
            *_with_server(dependencies, stack.server_package, source),
            *_own_package(stack, source),
            *(_step("Building the application", command, None) for command in builds),
        ),
        keep=("src", "venv", *(["python"] if is_brought else [])),
        exclude=(".git", "__pycache__", "*.pyc"),
        packages=stack.build_packages,
        environment=_placeholders(stack) if builds else {},
    )


_MAKING = "Creating the virtual environment"


def _parts(command: str) -> tuple[list[str], list[str]]:
    """Take a build command apart: what installs dependencies, and what comes after it."""
    parts = [part.strip() for part in command.split(" && ") if part.strip()]
    installs = [part for part in parts if _INSTALL.search(part) or pythonlocks.is_lock_command(part)]
    return installs, [part for part in parts if part not in installs]


def _dependencies(stack: TechStack, source: Source) -> list[BuildStep]:
    if "requirements.txt" in source:
        return _install(f"{PIP_INSTALL} -r requirements.txt", source)
    if "pyproject.toml" in source and stack.package_manager in {"", "pip"}:
        return _install(f"{PIP_INSTALL} .", source)
    if not stack.dependencies:
        return []
    raise AnalysisError(
        f"nothing says how {stack.package_manager or 'the dependencies'} is to be installed from",
        "Add a requirements.txt or a lock file to the repository.",
        agent="HiveMind DevOps",
        context="Choosing how to build the Python application",
    )


def _install(command: str, source: Source) -> list[BuildStep]:
    if pythonlocks.is_lock_command(command):
        return pythonlocks.install(command, source, PIP_INSTALL)
    command = re.sub(r"^(python3? -m )?pip3? install\b", PIP_INSTALL, command)
    return [_step("Installing dependencies", command, requirements.inputs(command, source))]


def _with_server(dependencies: list[BuildStep], server: str | None, source: Source) -> list[BuildStep]:
    """Add the server to the last installation, so that pip resolves both at once; apart where hashes are demanded."""
    if not server:
        return dependencies
    last = dependencies[-1] if dependencies else None
    is_fixed = last is not None and "--no-deps" in last.command
    if last is None or last.inputs is None or is_fixed or any("--hash" in source.read(path) for path in last.inputs):
        return [*dependencies, _step("Installing the server", f"{PIP_INSTALL} {_quoted(server)}", ())]
    return [*dependencies[:-1], last.but(command=f"{last.command} {_quoted(server)}")]


def _own_package(stack: TechStack, source: Source) -> list[BuildStep]:
    """Install a project that is a package itself where it has to be: its metadata or scripts are asked for, or `src`.

    Editable: its files stay where they are, at the path that they have on the server too.
    """
    pyproject = source.read("pyproject.toml")
    is_package = ("[build-system]" in pyproject or "setup.py" in source) and "package-mode = false" not in pyproject
    if not is_package or f"{PIP_INSTALL} ." in stack.build_command:
        return []
    command, what = f"{PIP_INSTALL} --no-deps -e .", "Installing the application's own package"
    asks = "--paste" in stack.start_command or _is_script(pyproject, stack.start_command)
    modules = [path for path in source.paths if path.endswith(".py") and path.count("/") <= 3][:200]
    if asks or any(_METADATA.search(source.read(path)) for path in modules):
        return [_step(what, command, None)]
    if any(re.fullmatch(r"src/[^/]+/__init__\.py", path) for path in source.paths):
        # It is found in its folder all the same.
        return [_step(what, f"{command} || echo 'It cannot be installed: it is run from its folder.'", None)]
    return []


def _is_script(pyproject: str, command: str) -> bool:
    program = command.split(" ", maxsplit=1)[0].removeprefix(f"{VENV}/bin/")
    scripts = re.search(
        r"^\[(?:project|tool\.poetry)\.scripts\]\n(?P<lines>(?:[^\[\n].*\n?|\n)*)", pyproject, re.MULTILINE
    )
    return bool(scripts and re.search(rf"^{re.escape(program)}\s*=", scripts["lines"], re.MULTILINE))


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


def _is_brought(stack: TechStack) -> bool:
    return python_of_image(stack.runtime_version, stack.version_constraint) is None


def _bring_python(version: str) -> BuildStep:
    """Return the step that brings a build of CPython by uv, which knows its hash; quick to say that it cannot."""
    offered = " and ".join(PYTHON_OF_IMAGE.values())
    failure = (
        f"Python {version} is not in the base images ({offered}), and its build could not be fetched from GitHub "
        f"(python-build-standalone): let the builder reach it, or choose another: --runtime-version {offered[:4]}"
    )
    told = f"UV_PYTHON_INSTALL_DIR={PYTHON} UV_HTTP_CONNECT_TIMEOUT=4 UV_HTTP_TIMEOUT=60 UV_HTTP_RETRIES=1"
    fetch = f"{told} {TOOLS_PATH}/bin/uv python install --no-bin {shlex.quote(version)}"
    find = f"$({told} {TOOLS_PATH}/bin/uv python find --managed-python {shlex.quote(version)})"
    command = f'{fetch} || {{ echo {shlex.quote(failure)}; exit 1; }}\n"{find}" -I -m venv {VENV}'
    return _step(f"Bringing Python {version}", command, ())


def _base_image(stack: TechStack) -> BaseImage:
    if image := image_of_python(stack.runtime_version, stack.version_constraint):
        return image
    raise AnalysisError(
        f"Python {stack.runtime_version} is not available: the base images have "
        f"{' and '.join(PYTHON_OF_IMAGE.values())}, and builds exist of {', '.join(PYTHON_RELEASES)}",
        "Relax the version the repository asks for (requires-python, .python-version, runtime.txt), or override it: "
        "--runtime-version 3.11",
        agent="HiveMind DevOps",
        context="Choosing a base image for the Python application",
    )
