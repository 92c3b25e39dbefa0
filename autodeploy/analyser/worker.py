"""What every language shares about workers: programs without HTTP have no port, no health page and no balancer."""

from __future__ import annotations

from typing import Any

from autodeploy.model import Evidence


def worker_facts(command: str, program: Evidence) -> tuple[list[Evidence], dict[str, Any]]:
    """Return the evidence and the TechStack's fields of a worker that `command` starts."""
    begin = program.but(fact="start_command", value=command, alternatives=())
    kind = program.but(fact="is_web_service", value="false", rule=f"worker ({program.rule})", alternatives=())
    return [kind, begin], {"start_command": command, "is_web_service": False, "port": 0, "port_env": None}
