"""Listens to the engine's events: says what happens, collects the preview's operations and the engine's own errors."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Mapping
from typing import Any, Literal, cast, get_args

from pulumi.automation.events import DiagnosticEvent, EngineEvent, StepEventMetadata

from autodeploy.model import Preview, ResourceChange
from autodeploy.model.plan import short_type
from autodeploy.ports import Say
from autodeploy.safeguards import Registered

Operation = Literal["same", "create", "update", "replace", "delete", "read", "refresh", "import", "other"]
STACK = "pulumi:pulumi:Stack"
DOING = {
    "create": "creating",
    "update": "updating",
    "delete": "deleting",
    "create-replacement": "creating the replacement of",
    "delete-replaced": "deleting the replaced",
}
# The parts of one replacement; the operation "replace" stands for them all.
PARTS = frozenset({"create-replacement", "delete-replaced", "discard-replaced", "remove-pending-replace"})
# What a refresh finds shows in the operations that follow it.
LOOKS = frozenset({"refresh", "read"})
SLOW_SECONDS = 5.0
SHORT = 60
COLOR = re.compile(r"<\{%[^%]*%\}>")
NOISE = re.compile(r"^(update|preview|destroy|refresh) failed$|^resource .* has a problem$")


class Progress:
    """One operation of the engine, as it goes; `on_event` is the Automation API's callback."""

    def __init__(self, say: Say | None = None) -> None:
        self._say = say
        self._begun: dict[str, float] = {}
        self._changes: dict[str, ResourceChange] = {}
        self._unchanged = 0
        self.errors: list[str] = []
        self.registered: list[Registered] = []

    def on_event(self, event: EngineEvent) -> None:
        """Take one event."""
        if event.diagnostic_event:
            self._diagnose(event.diagnostic_event)
        elif event.resource_pre_event:
            self._begin(event.resource_pre_event.metadata)
        elif event.res_outputs_event:
            self._end(event.res_outputs_event.metadata)

    @property
    def preview(self) -> Preview:
        """Return the operations seen so far."""
        return Preview(changes=tuple(self._changes.values()), unchanged=self._unchanged)

    def _begin(self, step: StepEventMetadata) -> None:
        if not is_custom(step):
            return
        if step.new:
            self.registered.append(Registered(short_type(step.type), name_of(step.urn), step.new.inputs or {}))
        operation = step.op.value if hasattr(step.op, "value") else str(step.op)
        if operation == "same":
            self._unchanged += 1
        elif operation not in PARTS | LOOKS:
            self._changes[step.urn] = ResourceChange(
                urn=step.urn,
                type=short_type(step.type),
                name=name_of(step.urn),
                operation=cast(Operation, operation) if operation in get_args(Operation) else "other",
                reasons=reasons(step),
            )
        if self._say and operation in DOING:
            self._begun[step.urn] = time.monotonic()
            self._say(f"{DOING[operation]} {label(step.urn)}")

    def _end(self, step: StepEventMetadata) -> None:
        begun = self._begun.pop(step.urn, None)
        took = time.monotonic() - begun if begun is not None else 0.0
        if self._say and took >= SLOW_SECONDS:
            self._say(f"{label(step.urn)} is done after {took:.0f} s")

    def _diagnose(self, event: DiagnosticEvent) -> None:
        message = COLOR.sub("", event.message).strip()
        if event.severity == "error" and message and not NOISE.match(message):
            self.errors.append(f"{label(event.urn)}: {message}" if event.urn else message)


def label(urn: str) -> str:
    """Return type and logical name, as in "aws:ec2:Vpc network"."""
    token = urn.split("::")[2].rsplit("$", maxsplit=1)[-1] if urn.count("::") >= 3 else ""
    return f"{short_type(token)} {name_of(urn)}".strip()


def reasons(step: StepEventMetadata) -> tuple[str, ...]:
    """Say which properties differ, with old and new value where both are short and no secret."""
    old = (step.old and step.old.inputs) or {}
    new = (step.new and step.new.inputs) or {}
    replacing = set(step.keys or ())
    lines = []
    for path in step.detailed_diff or dict.fromkeys(step.diffs or ()):
        line = path
        if path in old and path in new and (before := _shown(old[path])) and (after := _shown(new[path])):
            line = f"{path}: {before} -> {after}"
        lines.append(f"{line} (forces replacement)" if path in replacing else line)
    return tuple(lines)


def _shown(value: Any) -> str:
    # A secret comes as an object with Pulumi's signature, so no object is ever shown.
    if isinstance(value, Mapping | list):
        return ""
    text = json.dumps(value)
    return text if len(text) <= SHORT else ""


def name_of(urn: str) -> str:
    """Return the logical name."""
    return urn.rsplit("::", 1)[-1]


def is_custom(step: StepEventMetadata) -> bool:
    """Say whether it is of a resource that a provider makes, not of a component or the stack."""
    state = step.new or step.old
    return bool(state and state.custom) and step.type != STACK
