"""What pulumi_aws itself says of a resource type: its inputs, their types, which are required, and its outputs.

Comes in: a type token such as aws:ec2/vpc:Vpc. Goes out: a Schema, and what is wrong with given inputs.
"""

from __future__ import annotations

import difflib
import importlib
import inspect
import threading
import typing
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from pulumi import _types

from autodeploy.local.provider.wire import UNKNOWN

Failure = tuple[str, str]
"""A property's path and the reason why it is refused."""

PROVIDER = "pulumi:providers:aws"
_SCALARS: dict[Any, str] = {str: "a string", int: "a whole number", float: "a number", bool: "true or false"}


@dataclass(frozen=True)
class Schema:
    """One resource type. `inputs` maps Pulumi names to Python types."""

    inputs: Mapping[str, Any]
    required: frozenset[str]
    outputs: frozenset[str]


_schemas: dict[str, Schema] = {}
# pulumi_aws loads its modules lazily, and two threads that touch one of them at once find it half loaded.
_loading = threading.Lock()


def schema(token: str) -> Schema:
    """Return the schema of a type token, read from the annotations of pulumi_aws."""
    with _loading:
        if token not in _schemas:
            _schemas[token] = _load(token)
        return _schemas[token]


def _load(token: str) -> Schema:
    if token == PROVIDER:
        module, name = "pulumi_aws", "Provider"
    else:
        _, path, name = token.split(":")
        module = "pulumi_aws." + path.partition("/")[0]
    package = importlib.import_module(module)
    arguments, resource = getattr(package, f"{name}Args"), getattr(package, name)
    outputs = frozenset(_types.resource_py_to_pulumi_names(resource).values()) - {"id", "urn"}
    return Schema(_types.input_type_types(arguments), _required(arguments), outputs)


def completed(token: str, values: Mapping[str, Any]) -> dict[str, Any]:
    """Return inputs as they will come back: members of objects that are not given are not known yet."""
    types = schema(token).inputs
    return {name: _completed(types.get(name), value) for name, value in values.items()}


def _completed(expected: Any, value: Any) -> Any:
    expected = _types.unwrap_type(expected)
    if isinstance(value, list) and typing.get_args(expected):
        return [_completed(typing.get_args(expected)[0], item) for item in value]
    if isinstance(value, dict) and isinstance(expected, type) and _types.is_input_type(expected):
        types = _types.input_type_types(expected)
        given = {name: _completed(types.get(name), item) for name, item in value.items()}
        return {**dict.fromkeys(types, UNKNOWN), **given}
    return value


def failures(token: str, values: Mapping[str, Any]) -> Iterator[Failure]:
    """Yield what is wrong with inputs: unknown names with the nearest real one, missing ones, wrong types."""
    known = schema(token)
    for name in sorted(known.required - values.keys()):
        yield name, f"missing required property '{name}'"
    yield from _members(known.inputs, values, "", token)


def _required(arguments: Any) -> frozenset[str]:
    names = _types.input_type_py_to_pulumi_names(arguments)
    parameters = list(inspect.signature(arguments.__init__).parameters.values())[1:]
    return frozenset(names[item.name] for item in parameters if item.default is inspect.Parameter.empty)


def _members(types: Mapping[str, Any], values: Mapping[str, Any], prefix: str, owner: str) -> Iterator[Failure]:
    for name, value in values.items():
        path = f"{prefix}{name}"
        if name in types:
            yield from _mismatch(types[name], value, path)
        elif not name.startswith("__"):
            near = difflib.get_close_matches(name, types, 1, 0.0)
            yield path, f"{owner} has no property '{name}'" + (f"; did you mean '{near[0]}'?" if near else "")


def _mismatch(expected: Any, value: Any, path: str) -> Iterator[Failure]:
    if value == UNKNOWN:
        return
    expected = _types.unwrap_type(expected)
    origin, arguments = typing.get_origin(expected), typing.get_args(expected)
    if expected in _SCALARS:
        fits = isinstance(value, (int, float) if expected is float else expected)
        if not fits or (isinstance(value, bool) and expected is not bool):
            yield path, f"'{path}' must be {_SCALARS[expected]}, not {value!r}"
    elif isinstance(expected, type) and _types.is_input_type(expected):
        yield from _nested(expected, value, path)
    elif origin is not None and issubclass(_plain(origin), typing.cast(type, Mapping)):
        yield from _collection(dict, value, path, arguments[1], lambda key: f"{path}.{key}")
    elif origin is not None and arguments and _plain(origin) is not object:
        yield from _collection(list, value, path, arguments[0], lambda index: f"{path}[{index}]")


def _nested(expected: type, value: Any, path: str) -> Iterator[Failure]:
    if not isinstance(value, dict):
        yield path, f"'{path}' must be an object, not {value!r}"
        return
    for name in sorted(_required(expected) - value.keys()):
        yield f"{path}.{name}", f"missing required property '{name}'"
    yield from _members(_types.input_type_types(expected), value, f"{path}.", path)


def _collection(kind: type, value: Any, path: str, member: Any, name: Any) -> Iterator[Failure]:
    if not isinstance(value, kind):
        yield path, f"'{path}' must be {'an object' if kind is dict else 'a list'}, not {value!r}"
        return
    pairs: Any = value.items() if isinstance(value, dict) else enumerate(typing.cast(Any, value))
    for key, item in pairs:
        yield from _mismatch(member, item, name(key))


def _plain(origin: Any) -> type:
    return origin if isinstance(origin, type) else object
