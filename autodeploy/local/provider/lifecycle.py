"""What is the same for every resource type: an entry and a call come in, the resource's outputs go out.

Creating, tagging, starting, reading, changing and deleting in the right order; undoing a half-made resource.
"""

from __future__ import annotations

import contextlib
from typing import Any

from botocore.exceptions import ClientError

from autodeploy.local.provider import tagging
from autodeploy.local.provider.account import is_absent
from autodeploy.local.provider.checking import DEFAULTS
from autodeploy.local.provider.diffing import same
from autodeploy.local.provider.entry import Call, Entry
from autodeploy.local.provider.schema import completed, schema
from autodeploy.local.provider.wire import UNKNOWN, Values


def create(entry: Entry, call: Call) -> tuple[str, Values]:
    """Make the resource, tagged with its URN, and what stands behind it; return its id and outputs."""
    identity = entry.create(call)
    try:
        tagging.write(call, entry, identity, anew=True)
        entry.start(call, identity)
        return identity, _outputs(entry, call, identity)
    except BaseException:
        with contextlib.suppress(Exception):
            (entry.undo or entry.delete)(call, identity)
        raise


def previewed(entry: Entry, call: Call) -> Values:
    """Return the outputs as far as they are known before the resource is made."""
    unknown = dict.fromkeys(schema(entry.token).outputs, UNKNOWN)
    known = completed(entry.token, _plain(call.inputs)) | _region(entry, call)
    return {**unknown, **known, **_tags_all(entry, call)}


def read(entry: Entry, call: Call, identity: str) -> tuple[Values, Values] | None:
    """Return outputs and inputs as AWS holds them now, or None when the resource is gone."""
    try:
        observed = entry.read(call, identity)
        if observed is None:
            return None
        seen = {**observed, **tagging.outputs(call, entry, {"id": identity, **observed})}
    except ClientError as err:
        if is_absent(err):
            return None
        raise
    wanted = call.inputs.keys() - {DEFAULTS} or entry.handled() & seen.keys() - {"region"}
    inputs = {}
    for name in sorted(wanted):
        old = call.inputs.get(name)
        value = _narrowed(name, seen.get(name, old), old)
        inputs[name] = old if same(name, old, value) else value
    return _known(entry, call, seen), {**call.inputs, **inputs}


def update(entry: Entry, call: Call, identity: str) -> Values:
    """Change the resource in place; return its outputs."""
    if any(not same(name, call.state.get(name), call.inputs.get(name)) for name in entry.updates):
        entry.update(call, identity)
    tagging.write(call, entry, identity)
    return _outputs(entry, call, identity)


def previewed_update(entry: Entry, call: Call) -> Values:
    """Return the outputs as far as they are known before the change."""
    changed = {name: value for name, value in call.inputs.items() if not same(name, call.state.get(name), value)}
    return {**call.state, **completed(entry.token, _plain(changed)), **_tags_all(entry, call)}


def delete(entry: Entry, call: Call, identity: str) -> None:
    """Delete the resource and what stands behind it; gone already counts as done."""
    try:
        entry.delete(call, identity)
    except ClientError as err:
        if not is_absent(err):
            raise


def _outputs(entry: Entry, call: Call, identity: str) -> Values:
    observed = entry.read(call, identity) or {}
    return _known(entry, call, {**observed, **tagging.outputs(call, entry, {"id": identity, **observed})})


def _region(entry: Entry, call: Call) -> Values:
    return {"region": call.region} if entry.is_regional else {}


def _known(entry: Entry, call: Call, observed: Values) -> Values:
    merged = _plain(call.inputs) | _region(entry, call) | observed
    return {name: value for name, value in merged.items() if value is not None}


def _narrowed(name: str, seen: Any, old: Any) -> Any:
    """Return what was seen, without the members of objects that the program never gave."""
    if isinstance(seen, dict) and isinstance(old, dict) and name != "tags":
        return {key: _narrowed(key, seen.get(key), value) for key, value in old.items() if key in seen}
    if isinstance(seen, list) and isinstance(old, list) and len(seen) == len(old):
        return [_narrowed("", *pair) for pair in zip(seen, old, strict=True)]
    return seen


def _plain(inputs: Values) -> Values:
    return {name: value for name, value in inputs.items() if name != DEFAULTS}


def _tags_all(entry: Entry, call: Call) -> Values:
    return {"tagsAll": call.tags_all} if entry.is_taggable else {}
