"""A stack's state -> what stands in AWS; the events of a refresh that only previews -> what was changed by hand. Pure.

A difference is what the engine would put right, so what AWS fills in by itself is none.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

from pulumi.automation.events import EngineEvent, StepEventMetadata

from autodeploy.adapters.pulumi.progress import Progress, is_custom, name_of
from autodeploy.adapters.pulumi.recovery import PROVIDERS
from autodeploy.model import Drift, PropertyDrift, ResourceDrift, Standing
from autodeploy.model.plan import short_type

CONDITIONS = ("instanceState", "status")
"""Outputs that nobody declares, and whose change is news."""

WELL = frozenset({"running", "pending", "available", "backing-up", "modifying", "maintenance", "upgrading", "ISSUED"})
"""What a resource may say of itself at any time, without anybody's doing."""

LONGEST = 200
_STEP = re.compile(r'\.?([^.\[\]"]+)|\[(\d+)\]|\["((?:[^"\\]|\\.)*)"\]')


def standing(deployment: Mapping[str, Any]) -> list[Standing]:
    """Return the resources of a state as it lies on disk, without components and providers."""
    return [
        Standing(urn=entry["urn"], type=entry["type"], id=entry.get("id", ""), arn=_arn(entry.get("outputs") or {}))
        for entry in deployment.get("resources") or ()
        if entry.get("custom") and not entry["type"].startswith(PROVIDERS)
    ]


def _arn(outputs: Mapping[str, Any]) -> str:
    found = outputs.get("arn") or outputs.get("dashboardArn")
    return found if isinstance(found, str) and found.count(":") >= 5 else ""


class Comparison(Progress):
    """One refresh as it goes."""

    def __init__(self, deployment_id: str) -> None:
        super().__init__()
        self._deployment_id = deployment_id
        self._found: list[ResourceDrift] = []
        self._same = 0

    def on_event(self, event: EngineEvent) -> None:
        """Take one event."""
        super().on_event(event)
        step = event.res_outputs_event.metadata if event.res_outputs_event else None
        if step is None or not is_custom(step) or step.type.startswith(PROVIDERS):
            return
        drift = _drift(step)
        if drift is None:
            self._same += 1
        else:
            self._found.append(drift)

    @property
    def drift(self) -> Drift:
        """Return what was found so far, in the order of URNs."""
        found = tuple(sorted(self._found, key=lambda each: each.urn))
        return Drift(deployment_id=self._deployment_id, resources=found, unchanged=self._same)


def _drift(step: StepEventMetadata) -> ResourceDrift | None:
    operation = step.op.value if hasattr(step.op, "value") else str(step.op)
    facts = {"urn": step.urn, "type": short_type(step.type), "name": name_of(step.urn)}
    if operation == "delete":
        return ResourceDrift(**facts, operation="delete")
    differing = _properties(step) if operation == "update" else []
    properties = (*differing, *_conditions(step))
    return ResourceDrift(**facts, operation="update", properties=properties) if properties else None


def _properties(step: StepEventMetadata) -> list[PropertyDrift]:
    paths = list(step.detailed_diff or dict.fromkeys(step.diffs or ()))
    roots = {_root(path) for path in paths}
    # All tags are said once: by the resource's own where these differ, else by those that come from the provider.
    told = [path for path in paths if not (_root(path) == "tagsAll" and "tags" in roots)]
    return [each for path in told for each in _expanded(path, _value(step.old, path), _value(step.new, path))]


def _root(path: str) -> str:
    return re.split(r"[.\[]", path, maxsplit=1)[0]


def _value(state: Any, path: str) -> Any:
    for properties in (state and state.inputs, state and state.outputs):
        if properties and _root(path) in properties:
            return _at(properties, path)
    return None


def _at(value: Any, path: str) -> Any:
    for key, number, quoted in _STEP.findall(path):
        if isinstance(value, Mapping):
            value = value.get(key or quoted)
        elif isinstance(value, list) and number and int(number) < len(value):
            value = value[int(number)]
        else:
            return None
    return value


def _expanded(path: str, planned: Any, found: Any) -> Iterator[PropertyDrift]:
    sides = [{} if side is None else side for side in (planned, found)]
    if all(isinstance(side, Mapping) for side in sides) and any(sides):
        for key in sorted({*sides[0], *sides[1]}):
            if sides[0].get(key) != sides[1].get(key):
                yield from _expanded(f"{path}.{key}", sides[0].get(key), sides[1].get(key))
        return
    yield PropertyDrift(path=path, planned=_shown(planned), found=_shown(found))


def _conditions(step: StepEventMetadata) -> list[PropertyDrift]:
    old, new = ((state and state.outputs) or {} for state in (step.old, step.new))
    return [
        PropertyDrift(path=name, planned=_shown(old.get(name)), found=_shown(new[name]))
        for name in CONDITIONS
        if name in new and new[name] != old.get(name) and new[name] not in WELL
    ]


def _shown(value: Any) -> str:
    if value is None:
        return ""
    text = json.dumps(value, ensure_ascii=False, sort_keys=True)
    # The engine writes a secret as "[secret]", or as an object with Pulumi's signature.
    if "[secret]" in text or "4dabf18193072939515e22adb298388d" in text:
        return ""
    return text if len(text) <= LONGEST else f"{text[:LONGEST]}…"
