"""A lock file in; the steps out that install exactly what it holds, by pip, from the operator's own registries.

The lock's tool only translates: uv, Poetry, PDM and Pipenv would each ask an index of their own.
"""

from __future__ import annotations

import re
import shlex
import sys

from autodeploy.builder.pythontools import TOOLS
from autodeploy.model import APP_PATH, BuildStep, Source

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

TOOLS_PATH = f"{APP_PATH}/tools"
LOCKED = f"{TOOLS_PATH}/locked.txt"
_COMMAND = re.compile(r"^(?:poetry (?:install|sync)|uv sync|pdm (?:sync|install)|pipenv (?:sync|install))\b")
_FILES = {
    "uv": ("pyproject.toml", "uv.lock"),
    "poetry": ("pyproject.toml", "poetry.lock"),
    "pdm": ("pyproject.toml", "pdm.lock"),
    "pipenv": ("Pipfile", "Pipfile.lock"),
}
_UNHASHED = {
    "uv": r"source = \{ (?:git|url|directory|path) =",
    "poetry": r'type = "(?:git|url|directory|file)"',
    "pdm": r"^(?:git|url|path) = ",
    "pipenv": r'"(?:git|path|file)":',
}
_LOCAL = {
    "uv": r"source = \{ (?:directory|path) =",
    "poetry": r'type = "(?:directory|file)"',
    "pdm": r"^path = ",
    "pipenv": r'"path":',
}
_MEMBER = re.compile(r'source = \{ editable = "(?P<folder>[^"]+)" \}')


def is_lock_command(command: str) -> bool:
    """Tell whether a command installs what a lock file holds."""
    return bool(_COMMAND.match(command))


def bring(tool: str) -> BuildStep:
    """Return the step that brings a pinned tool to a place that is not shipped."""
    pip = f"{TOOLS_PATH}/bin/python -m pip install -q --no-deps --require-hashes --only-binary=:all:"
    command = f"python3 -I -m venv {TOOLS_PATH}\n{pip} -r /dev/stdin <<'PINS'\n{TOOLS[tool]}PINS"
    return BuildStep(what=f"Bringing {tool}", command=command, inputs=())


def install(command: str, source: Source, pip_install: str) -> list[BuildStep]:
    """Return the steps that install a lock file's content as the manager's `command` says."""
    manager, _, _ = command.partition(" ")
    lock = _FILES[manager][1]
    text = source.read(lock)
    is_hashed = not re.search(_UNHASHED[manager], text, re.MULTILINE)
    is_local = bool(re.search(_LOCAL[manager], text, re.MULTILINE))
    locked = f"{_export(command, is_hashed)}\n{pip_install} --no-deps -r {LOCKED}"
    what = f"Installing what {lock} holds"
    # uv looks for the packages of a workspace, whichever it is asked for.
    packages = [path for path in source.paths if path.endswith("/pyproject.toml")] if "--package" in command else []
    inputs = None if is_local else (*_FILES[manager], *packages)
    steps = [BuildStep(what=what, command=locked, inputs=inputs)]
    members = _members(command, text) if manager == "uv" else []
    if members:
        own = " ".join(f"-e {shlex.quote(f'./{folder}')}" for folder in members)
        steps.append(BuildStep(what="Installing the workspace's packages", command=f"{pip_install} --no-deps {own}"))
    return steps


def _members(command: str, text: str) -> list[str]:
    """Return the folders of the workspace's packages that are installed: all, or those that the asked one needs."""
    folders = [match["folder"] for match in _MEMBER.finditer(text) if match["folder"] != "."]
    asked = re.search(r"--package (\S+)", command)
    if asked is None:
        return folders
    packages = {item["name"]: item for item in tomllib.loads(text).get("package", [])}
    waiting, needed = [asked[1]], dict[str, None]()
    while waiting:
        name = waiting.pop()
        if name in packages and name not in needed:
            needed[name] = None
            waiting += [item["name"] for item in packages[name].get("dependencies", [])]
    of_needed = {packages[name].get("source", {}).get("editable") for name in needed}
    return [folder for folder in folders if folder in of_needed]


def _export(command: str, is_hashed: bool) -> str:
    manager, _, _ = command.partition(" ")
    program = f"{TOOLS_PATH}/bin/{manager}"
    options = _options(command)
    if manager == "uv":
        bare = "" if is_hashed else " --no-hashes"
        return f"{program} export -q --frozen --no-dev --no-emit-workspace --no-header{options}{bare} -o {LOCKED}"
    bare = "" if is_hashed else " --without-hashes"
    if manager == "poetry":
        return f"{program} export -f requirements.txt{options}{bare} -o {LOCKED}"
    if manager == "pdm":
        told = "PDM_CHECK_UPDATE=0 PDM_IGNORE_SAVED_PYTHON=1 VIRTUAL_ENV=/app/venv"
        return f"{told} {program} export --prod{options}{bare} -o {LOCKED}"
    hashed = " --hash" if is_hashed else ""
    # The line that names the public index would overrule the operator's.
    public = r"sed -E '/^-i https:\/\/pypi\.(org|python\.org)\//d'"
    return f"PIPENV_IGNORE_VIRTUALENVS=1 {program} requirements{hashed} >{LOCKED}.all\n{public} {LOCKED}.all >{LOCKED}"


def _options(command: str) -> str:
    """Return the options that choose groups and extras, as they stand in the manager's command."""
    words = shlex.split(command)
    taken: list[str] = []
    for index, word in enumerate(words[:-1]):
        if word in {"--group", "--extra", "--extras", "--only", "--with", "--without", "-G", "--package"}:
            taken += [word, words[index + 1]]
    return "".join(f" {shlex.quote(word)}" for word in taken)
