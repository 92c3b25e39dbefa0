"""The entry of Route 53's records: plain ones and aliases, with the rules of a zone that the emulator does not keep."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from botocore.exceptions import ClientError

from autodeploy.local.provider import limits
from autodeploy.local.provider.account import refusal
from autodeploy.local.provider.entry import Call, Entry
from autodeploy.local.provider.schema import Failure
from autodeploy.local.provider.wire import UNKNOWN, Values

_TYPES = ("A", "AAAA", "CNAME", "TXT")
_MOST_SECONDS = 2147483647

Described = dict[str, Any]


def plain(name: str) -> str:
    """Return a DNS name as records are compared: lower case, without the dot at its end."""
    return name.rstrip(".").lower()


def records(call: Call, zone: str) -> Iterator[Described]:
    """Yield the records of a zone, as Route 53 describes them; none of a zone that is not there."""
    try:
        pages = call.client("route53").get_paginator("list_resource_record_sets").paginate(HostedZoneId=zone)
        for page in pages:
            yield from page["ResourceRecordSets"]
    except ClientError as err:
        if err.response["Error"]["Code"] != "NoSuchHostedZone":
            raise


def _limits(inputs: Values) -> Iterator[Failure]:
    if inputs["type"] not in (*_TYPES, UNKNOWN):
        yield "type", f"the local target emulates records of type {', '.join(_TYPES)}, not {inputs['type']!r}"
    label = r"[a-zA-Z0-9_]([a-zA-Z0-9_-]{0,61}[a-zA-Z0-9_])?"
    yield from limits.matches(inputs, "name", rf"(?=.{{1,255}}$){label}(\.{label})*\.?", "it is no DNS name")
    yield from limits.within(inputs, "ttl", 0, _MOST_SECONDS)
    aliases, values = inputs.get("aliases"), inputs.get("records")
    if UNKNOWN in (aliases, values):
        return
    if (aliases is None) == (values is None):
        yield "records", "exactly one of 'records' and 'aliases' must be given"
    elif aliases is None and "ttl" not in inputs:
        yield "ttl", "'ttl' is required for 'records'"
    elif aliases is not None and ("ttl" in inputs or len(aliases) != 1):
        yield "aliases", "an alias is one, and has no 'ttl' of its own"


def _wanted(call: Call) -> Described:
    inputs = call.inputs
    made: Described = {"Name": inputs["name"], "Type": inputs["type"]}
    if "records" in inputs:
        return {**made, "TTL": inputs["ttl"], "ResourceRecords": [{"Value": value} for value in inputs["records"]]}
    alias = inputs["aliases"][0]
    return {
        **made,
        "AliasTarget": {
            "DNSName": _host(alias["name"]),
            "HostedZoneId": alias["zoneId"],
            "EvaluateTargetHealth": alias["evaluateTargetHealth"],
        },
    }


def _host(name: str) -> str:
    """Return a balancer's name without the port that it has on the local target: DNS knows none."""
    return name.partition(":")[0]


def _create(call: Call) -> str:
    inputs = call.inputs
    _refuse_what_the_zone_does(call)
    # The emulator (moto 5.2.5) takes what was created and deleted before for something that is there still.
    _write(call, "UPSERT", _wanted(call))
    return f"{inputs['zoneId']}_{plain(inputs['name'])}_{inputs['type']}"


def _refuse_what_the_zone_does(call: Call) -> None:
    name, kind = plain(call.inputs["name"]), call.inputs["type"]
    zone = plain(call.client("route53").get_hosted_zone(Id=call.inputs["zoneId"])["HostedZone"]["Name"])
    if name != zone and not name.endswith(f".{zone}"):
        raise _invalid(f"RRSet with DNS name {name}. is not permitted in zone {zone}.")
    if name == zone and kind == "CNAME":
        raise _invalid(f"RRSet of type CNAME with DNS name {name}. is not permitted at apex in zone {zone}.")
    taken = {record["Type"] for record in records(call, call.inputs["zoneId"]) if plain(record["Name"]) == name}
    if kind in taken:
        raise _invalid(f"Tried to create resource record set [name='{name}.', type='{kind}'] but it already exists")
    if taken and "CNAME" in {kind, *taken}:
        raise _invalid(f"RRSet of type {kind} with DNS name {name}. conflicts with {', '.join(sorted(taken))}")


def _invalid(message: str) -> Exception:
    return refusal(f"InvalidChangeBatch: {message}", "Delete the record that is there, or choose another domain.")


def _write(call: Call, action: str, record: Described) -> None:
    call.client("route53").change_resource_record_sets(
        HostedZoneId=(call.state or call.inputs)["zoneId"],
        ChangeBatch={"Changes": [{"Action": action, "ResourceRecordSet": record}]},
    )


def _found(call: Call, identity: str) -> Described | None:
    zone, _, rest = identity.partition("_")
    name, _, kind = rest.rpartition("_")
    matching = (item for item in records(call, zone) if (plain(item["Name"]), item["Type"]) == (name, kind))
    return next(matching, None)


def _read(call: Call, identity: str) -> Values | None:
    found = _found(call, identity)
    if found is None:
        return None
    name, given = plain(found["Name"]), call.inputs.get("name") or call.state.get("name")
    seen: Values = {
        "zoneId": identity.partition("_")[0],
        "name": given if given and plain(given) == name else name,
        "type": found["Type"],
        "fqdn": name,
    }
    if "AliasTarget" not in found:
        return seen | {"ttl": found["TTL"], "records": [item["Value"] for item in found["ResourceRecords"]]}
    return seen | {"aliases": [_alias(call, found["AliasTarget"])]}


def _alias(call: Call, target: Described) -> Values:
    given = (call.inputs.get("aliases") or call.state.get("aliases") or [{}])[0].get("name", "")
    seen = plain(target["DNSName"])
    return {
        "name": given if plain(_host(given)) == seen else seen,
        "zoneId": target["HostedZoneId"],
        "evaluateTargetHealth": target["EvaluateTargetHealth"],
    }


def _delete(call: Call, identity: str) -> None:
    found = _found(call, identity)
    if found:
        _write(call, "DELETE", found)


RECORD = Entry(
    "aws:route53/record:Record",
    _create,
    _read,
    _delete,
    lambda call, identity: _write(call, "UPSERT", _wanted(call)),
    limits=_limits,
    replaces=("zoneId", "name", "type"),
    updates=("ttl", "records", "aliases"),
)
ENTRIES = (RECORD,)
