"""What every language shares about workers: programs without HTTP have no port, no health page and no balancer."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from autodeploy.analyser.procfile import Process
from autodeploy.model import Evidence

NO_PORT = "none"
"""What --port says of a program that answers no HTTP."""

_OF_OTHERS = frozenset({"web", "release"})


def worker_process(processes: Mapping[str, Process]) -> Process | None:
    """Return the Procfile's worker: the line so named, or the only one; None beside a web process."""
    if "web" in processes:
        return None
    others = [process for name, process in processes.items() if name not in _OF_OTHERS]
    return processes.get("worker") or (others[0] if len(others) == 1 else None)


def asks_for_http(overrides: Mapping[str, str]) -> bool:
    """Tell whether a flag names a port or a health page, which only what answers HTTP has."""
    return overrides.get("port", NO_PORT) != NO_PORT or "health_check_path" in overrides


def worker_facts(command: str, program: Evidence) -> tuple[dict[str, Any], list[Evidence]]:
    """Return the TechStack's fields of a worker that `command` starts, and their evidence."""
    begin = program.but(fact="start_command", value=command, alternatives=())
    kind = program.but(fact="is_web_service", value="false", alternatives=())
    return {"start_command": command, "is_web_service": False, "port": 0, "port_env": None}, [kind, begin]


def left_out(processes: Mapping[str, Process], started: str) -> list[str]:
    """Say which lines of a Procfile are not run beside the one that is."""
    others = [name for name in processes if name not in {started, "release"}]
    return [f"not run, as one process is deployed: the Procfile's {', '.join(others)}"] if started and others else []
