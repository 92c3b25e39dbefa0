"""Sighting: what a trial saw of an application. `corrected`: the TechStack as it is after that, with evidence."""

from __future__ import annotations

from typing import Any, Literal

from autodeploy.model.noun import Noun
from autodeploy.model.techstack import Evidence, TechStack

RULE = "trial"
"""The rule of evidence that a trial gives."""


class Sighting(Noun):
    """What an application did when it was booted: `answered` on a port and page, or kept `running` as workers do.

    `untried`: there was no container engine to boot it in.

    `sockets` is what it listened on (`127.0.0.1:8000`, `[::]:3000`), `answers` the status of each page that was asked.
    """

    outcome: Literal["answered", "running", "untried"]
    seconds: float = 0.0
    port: int = 0
    path: str = "/"
    status: int = 0
    sockets: tuple[str, ...] = ()
    answers: dict[str, int] = {}

    def __str__(self) -> str:
        """Return it as a person reads it."""
        if self.outcome == "untried":
            return "not booted: there is no container engine on this machine"
        if self.outcome == "running":
            return f"still running after {self.seconds} s"
        return f"HTTP {self.status} on {self.path} after {self.seconds} s"


def corrected(stack: TechStack, seen: Sighting) -> TechStack:
    """Return the stack with what was seen in the place of what was guessed; the same where every guess was right."""
    fields: dict[str, Any] = {}
    if seen.outcome == "running" and stack.is_web_service:
        fields = {"is_web_service": False, "port": 0, "port_env": None}
    elif seen.outcome == "answered":
        if not stack.is_web_service:
            fields["is_web_service"] = True
        if seen.port != stack.port:
            # It listens there whatever PORT says, so no variable moves it.
            fields |= {"port": seen.port, "port_env": None}
        if seen.path != stack.health_check_path:
            fields["health_check_path"] = seen.path
    changed = {fact: value for fact, value in fields.items() if value != getattr(stack, fact)}
    if not changed:
        return stack
    told = tuple(_evidence(stack, fact, value) for fact, value in changed.items())
    kept = tuple(item for item in stack.evidence if item.fact not in changed)
    unknowns = tuple(item for item in stack.unknowns if item.fact not in changed)
    return stack.but(**changed, evidence=(*kept, *told), unknowns=unknowns)


def insisted(stack: TechStack, fact: str) -> bool:
    """Tell whether a person said this fact: what a flag settled, no trial corrects."""
    return any(item.fact == fact and item.rule.startswith("--") for item in stack.evidence)


def is_certain(stack: TechStack, fact: str) -> bool:
    """Tell whether the repository leaves no doubt about a fact."""
    found = [item for item in stack.evidence if item.fact == fact]
    return bool(found) and all(item.confidence == "certain" for item in found)


def _evidence(stack: TechStack, fact: str, value: object) -> Evidence:
    return Evidence(fact=fact, value=_text(value), rule=RULE, alternatives=(_text(getattr(stack, fact)),))


def _text(value: object) -> str:
    return "none" if value is None else str(value).lower() if isinstance(value, bool) else str(value)
