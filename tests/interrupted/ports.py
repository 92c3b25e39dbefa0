"""Every port of the line, counted."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import Any

from autodeploy.model import STAGES, DeploymentState, InfrastructureSpec, Step, StepResult
from autodeploy.ports import Say
from autodeploy.releaser import HOST_FACTS_SCRIPT
from interrupted.effects import Counted, Effects, Namer

_SEAL = re.compile(r"[0-9a-f]{8,}")
_RUN = re.compile(r"/run/autodeploy/([a-z-]+?)-[0-9a-f]{8}")


def _file(identifier: str, name: str, *_: Any) -> str:
    return name


def _reason(*words: str) -> str:
    return words[-1]


def _progress(state: DeploymentState) -> str:
    """Name a version of the ledger by how far it is, so that the name stays when another version comes before it."""
    done = [stage for stage in STAGES if stage in state.stages]
    return f"{state.status} after {done[-1] if done else 'nothing'}"


def store(port: Any, effects: Effects) -> Any:
    """Count what is written, and the locks."""
    names: dict[str, Namer | None] = {"save": _progress, "write": _file, "save_secrets": None, "append_log": None}
    return Counted(port, "store", {**names, "lock": _reason, "lock_home": None}, effects)


def cloud(port: Any, effects: Effects) -> Any:
    """Count every question to the account."""
    names = ("facts", "await_instance", "database_password", "leftovers", "ca_bundle")
    return Counted(port, "cloud", dict.fromkeys(names), effects)


def repo(port: Any, effects: Effects) -> Any:
    """Count checkouts."""
    return Counted(port, "repo", {"checkout": None}, effects)


class BuilderPort(Counted):
    """Builds and trials, and what either says of its way."""

    def __init__(self, port: Any, effects: Effects) -> None:
        super().__init__(port, "builder", {}, effects)

    def build(self, source: Any, stack: Any, recipe: Any, into: Any, say: Say) -> Any:
        return self._effects.around(
            "builder.build", lambda: self._port.build(source, stack, recipe, into, self._heard(say))
        )

    def trial(self, artifact: Any, stack: Any, environment: Any, say: Say) -> Any:
        return self._effects.around(
            "builder.trial", lambda: self._port.trial(artifact, stack, environment, self._heard(say))
        )

    def _heard(self, say: Say) -> Say:
        def heard(line: str) -> None:
            say(line)
            if line.startswith(("Packing the archive", "Starting the application")):
                self._effects.said(f"builder: {line.split(maxsplit=1)[0].lower()}")

        return heard


def outside(port: Any, effects: Effects) -> Any:
    """Count what the world is asked."""
    return Counted(port, "outside", {"get": None, "open_ports": None}, effects)


class EnginePort(Counted):
    """The engine: its operations, and within `up` and `destroy` each resource as it begins."""

    def __init__(self, port: Any, effects: Effects) -> None:
        super().__init__(port, "engine", dict.fromkeys(("preview", "repair", "resources", "remove")), effects)

    def up(self, plan: Any, secrets: Any, saved: Any, say: Say, *more: Any, **named: Any) -> Any:
        return self._effects.around(
            "engine.up", lambda: self._port.up(plan, secrets, saved, self._heard(say), *more, **named)
        )

    def destroy(self, deployment_id: str, say: Say, only: Sequence[str] = ()) -> Any:
        return self._effects.around("engine.destroy", lambda: self._port.destroy(deployment_id, self._heard(say), only))

    def _heard(self, say: Say) -> Say:
        def heard(line: str) -> None:
            say(line)
            if re.match(r"(creat|updat|delet)ing ", line):
                self._effects.said(f"engine: {_SEAL.sub('', line)}")

        return heard


class Hands:
    """`connect` and `converge` as wiring hands them to the agents; what a host is told is named by its step."""

    def __init__(self, connect: Callable[..., Any], converge: Callable[..., Any], effects: Effects) -> None:
        self._connect = connect
        self._converge = converge
        self._effects = effects

    def connect(self, infrastructure: InfrastructureSpec, say: Say, *deadline: float, **named: float) -> Any:
        host = self._effects.around("connect", lambda: self._connect(infrastructure, say, *deadline, **named))
        return self._counted(host, ())

    def converge(self, host: Any, steps: Sequence[Step], say: Say, **options: Any) -> tuple[StepResult, ...]:
        bare = host._port if isinstance(host, Counted) else host
        results: tuple[StepResult, ...] = self._converge(self._counted(bare, steps), steps, say, **options)
        return results

    def _counted(self, host: Any, steps: Sequence[Step]) -> Any:
        fixes = {step.fix: f"fix {step.name}" for step in steps}
        confirms = {step.confirm: f"confirm {step.name}" for step in steps}

        def run(command: str, *_: Any, **__: Any) -> str:
            return fixes.get(command) or confirms.get(command) or _told(command)

        def put(path: str, *_: Any, **__: Any) -> str:
            return _SEAL.sub("*", path)

        return Counted(host, "host", {"run": run, "put": put, "reconnect": None}, self._effects)


def _told(command: str) -> str:
    if transaction := _RUN.search(command):
        return f"{'start' if 'systemd-run' in command else 'watch'} {transaction[1]}"
    if command == HOST_FACTS_SCRIPT:
        return "facts"
    return "observe" if command.startswith("e=$(mktemp)") else _SEAL.sub("*", " ".join(command.split()[:2]))
