"""Property maps of the provider protocol: protobuf Structs to plain values and the names of secrets, and back.

Unknown values stay the protocol's own sentinel string, UNKNOWN. Secretness is kept per top-level property.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from google.protobuf import struct_pb2  # type: ignore[import-untyped]
from pulumi.runtime import rpc

UNKNOWN: str = rpc.UNKNOWN
_SIGNATURE = rpc._special_sig_key
_SECRET = rpc._special_secret_sig
_OUTPUT = rpc._special_output_value_sig

Values = dict[str, Any]


@dataclass(frozen=True)
class Properties:
    """Plain values by Pulumi name, and which of them are secret."""

    values: Values = field(default_factory=dict)
    secrets: frozenset[str] = frozenset()


def decode(struct: struct_pb2.Struct) -> Properties:
    """Return the plain values of a property map; nulls are left out, whole numbers become int."""
    values: Values = {}
    secrets: set[str] = set()
    for name, wire in struct.fields.items():
        value, is_secret = _decode(wire)
        if value is not None:
            values[name] = value
        if is_secret:
            secrets.add(name)
    return Properties(values, frozenset(secrets))


def encode(values: Mapping[str, Any], secrets: Iterable[str] = ()) -> struct_pb2.Struct:
    """Return a property map; properties named in `secrets` are wrapped as secrets."""
    hidden = set(secrets)
    fields = {}
    for name, value in values.items():
        wire = _encode(value)
        if name in hidden:
            inner = {_SIGNATURE: struct_pb2.Value(string_value=_SECRET), "value": wire}
            wire = struct_pb2.Value(struct_value=struct_pb2.Struct(fields=inner))
        fields[name] = wire
    return struct_pb2.Struct(fields=fields)


def has_unknown(value: Any) -> bool:
    """Say whether a value, or anything in it, is not known before the deployment."""
    if isinstance(value, Mapping):
        return any(map(has_unknown, value.values()))
    if isinstance(value, list):
        return any(map(has_unknown, value))
    return bool(value == UNKNOWN)


def _decode(wire: struct_pb2.Value) -> tuple[Any, bool]:
    kind = wire.WhichOneof("kind")
    if kind == "number_value":
        number = wire.number_value
        return (int(number) if number.is_integer() else number), False
    if kind == "list_value":
        items = [_decode(item) for item in wire.list_value.values]
        return [value for value, _ in items], any(is_secret for _, is_secret in items)
    if kind == "struct_value":
        return _decode_struct(wire.struct_value.fields)
    return (None if kind in (None, "null_value") else getattr(wire, kind)), False


def _decode_struct(fields: Mapping[str, struct_pb2.Value]) -> tuple[Any, bool]:
    signature = fields[_SIGNATURE].string_value if _SIGNATURE in fields else ""
    if signature == _SECRET:
        return _decode(fields["value"])[0], True
    if signature == _OUTPUT:
        value, is_secret = _decode(fields["value"]) if "value" in fields else (UNKNOWN, False)
        return value, is_secret or ("secret" in fields and fields["secret"].bool_value)
    items = {name: _decode(item) for name, item in fields.items() if name != _SIGNATURE}
    plain = {name: value for name, (value, _) in items.items() if value is not None}
    return plain, any(is_secret for _, is_secret in items.values())


def _encode(value: Any) -> struct_pb2.Value:
    if value is None:
        return struct_pb2.Value(null_value=struct_pb2.NULL_VALUE)
    if isinstance(value, bool):
        return struct_pb2.Value(bool_value=value)
    if isinstance(value, (int, float)):
        return struct_pb2.Value(number_value=value)
    if isinstance(value, str):
        return struct_pb2.Value(string_value=value)
    if isinstance(value, Mapping):
        return struct_pb2.Value(struct_value=encode(value))
    return struct_pb2.Value(list_value=struct_pb2.ListValue(values=[_encode(item) for item in value]))
