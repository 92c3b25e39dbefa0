"""Property maps survive the wire: plain values, secrets at any depth, output values, unknowns."""

from __future__ import annotations

from google.protobuf import struct_pb2
from hypothesis import given, settings
from hypothesis import strategies as st
from pulumi.runtime import rpc

from autodeploy.local.provider.wire import UNKNOWN, Properties, decode, encode, has_unknown

scalars = st.booleans() | st.integers(-(2**50), 2**50) | st.text() | st.floats(0.1, 0.9)
values = st.recursive(scalars, lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner), max_leaves=8)


@settings(max_examples=100)
@given(st.dictionaries(st.text(), values), st.data())
def test_what_is_encoded_is_decoded(plain: dict[str, object], data: st.DataObject) -> None:
    secrets = data.draw(st.sets(st.sampled_from(sorted(plain)))) if plain else set()
    assert decode(encode(plain, secrets)) == Properties(plain, frozenset(secrets))


def test_a_secret_within_makes_the_whole_property_secret() -> None:
    secret = encode({"x": "hidden"}, ["x"]).fields["x"]
    inner = struct_pb2.Value(struct_value=struct_pb2.Struct(fields={"Name": secret}))
    items = struct_pb2.Value(list_value=struct_pb2.ListValue(values=[secret]))
    found = decode(struct_pb2.Struct(fields={"tags": inner, "items": items, "plain": struct_pb2.Value(number_value=1)}))
    assert found == Properties(
        {"tags": {"Name": "hidden"}, "items": ["hidden"], "plain": 1}, frozenset({"tags", "items"})
    )


def test_nulls_are_left_out() -> None:
    assert decode(encode({"a": None, "b": {"c": None, "d": 1}})).values == {"b": {"d": 1}}


def test_output_values_are_opened() -> None:
    signature = struct_pb2.Value(string_value=rpc._special_output_value_sig)
    known = {
        rpc._special_sig_key: signature,
        "value": struct_pb2.Value(string_value="v"),
        "secret": struct_pb2.Value(bool_value=True),
    }
    unknown = {rpc._special_sig_key: signature}
    fields = {
        name: struct_pb2.Value(struct_value=struct_pb2.Struct(fields=item))
        for name, item in (("known", known), ("unknown", unknown))
    }
    assert decode(struct_pb2.Struct(fields=fields)) == Properties(
        {"known": "v", "unknown": UNKNOWN}, frozenset({"known"})
    )


def test_unknowns_are_found_at_any_depth() -> None:
    assert has_unknown({"a": [{"b": UNKNOWN}]})
    assert not has_unknown({"a": [{"b": "x"}], "c": 1})
