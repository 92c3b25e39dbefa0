"""Tags of emulated resources: one way to write and read them for each AWS service in use."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

from autodeploy.local.provider.entry import URN_TAG, Call, Entry

_LONGEST_VALUE = 256
"""https://docs.aws.amazon.com/tag-editor/latest/userguide/best-practices-and-strats.html"""

Pairs = list[dict[str, str]]


class _Way(NamedTuple):
    """How a service takes tags, forgets keys and tells tags; each gets the client and the resource's name there."""

    write: Callable[[Any, str, Pairs], Any]
    forget: Callable[[Any, str, list[str]], Any]
    read: Callable[[Any, str], Pairs]


_WAYS = {
    "ec2": _Way(
        lambda client, name, pairs: client.create_tags(Resources=[name], Tags=pairs),
        lambda client, name, keys: client.delete_tags(Resources=[name], Tags=[{"Key": key} for key in keys]),
        lambda client, name: client.describe_tags(Filters=[{"Name": "resource-id", "Values": [name]}])["Tags"],
    ),
    "rds": _Way(
        lambda client, name, pairs: client.add_tags_to_resource(ResourceName=name, Tags=pairs),
        lambda client, name, keys: client.remove_tags_from_resource(ResourceName=name, TagKeys=keys),
        lambda client, name: client.list_tags_for_resource(ResourceName=name)["TagList"],
    ),
    "elbv2": _Way(
        lambda client, name, pairs: client.add_tags(ResourceArns=[name], Tags=pairs),
        lambda client, name, keys: client.remove_tags(ResourceArns=[name], TagKeys=keys),
        lambda client, name: client.describe_tags(ResourceArns=[name])["TagDescriptions"][0]["Tags"],
    ),
    "acm": _Way(
        lambda client, name, pairs: client.add_tags_to_certificate(CertificateArn=name, Tags=pairs),
        lambda client, name, keys: client.remove_tags_from_certificate(
            CertificateArn=name, Tags=[{"Key": key} for key in keys]
        ),
        lambda client, name: client.list_tags_for_certificate(CertificateArn=name)["Tags"],
    ),
    "logs": _Way(
        lambda client, name, pairs: client.tag_resource(
            resourceArn=name, tags={pair["Key"]: pair["Value"] for pair in pairs}
        ),
        lambda client, name, keys: client.untag_resource(resourceArn=name, tagKeys=keys),
        lambda client, name: [
            {"Key": key, "Value": value}
            for key, value in client.list_tags_for_resource(resourceArn=name)["tags"].items()
        ],
    ),
    "cloudwatch": _Way(
        lambda client, name, pairs: client.tag_resource(ResourceARN=name, Tags=pairs),
        lambda client, name, keys: client.untag_resource(ResourceARN=name, TagKeys=keys),
        lambda client, name: client.list_tags_for_resource(ResourceARN=name)["Tags"],
    ),
    "sns": _Way(
        lambda client, name, pairs: client.tag_resource(ResourceArn=name, Tags=pairs),
        lambda client, name, keys: client.untag_resource(ResourceArn=name, TagKeys=keys),
        lambda client, name: client.list_tags_for_resource(ResourceArn=name)["Tags"],
    ),
    "iam:role": _Way(
        lambda client, name, pairs: client.tag_role(RoleName=name, Tags=pairs),
        lambda client, name, keys: client.untag_role(RoleName=name, TagKeys=keys),
        lambda client, name: client.list_role_tags(RoleName=name)["Tags"],
    ),
    "iam:instance-profile": _Way(
        lambda client, name, pairs: client.tag_instance_profile(InstanceProfileName=name, Tags=pairs),
        lambda client, name, keys: client.untag_instance_profile(InstanceProfileName=name, TagKeys=keys),
        lambda client, name: client.get_instance_profile(InstanceProfileName=name)["InstanceProfile"].get("Tags", []),
    ),
}


def write(call: Call, entry: Entry, identity: str, anew: bool = False) -> None:
    """Make AWS hold exactly the tags of the call, and the resource's URN; made `anew` it has none to be taken away."""
    if entry.tagged is None:
        return
    service, output = entry.tagged
    name = identity if output == "id" else (entry.read(call, identity) or {})[output]
    client, way = _client(call, service), _WAYS[service]
    wanted = {**call.tags, URN_TAG: call.urn[-_LONGEST_VALUE:]}
    stale = [] if anew else sorted(_read(call, service, name).keys() - wanted.keys())
    way.write(client, name, [{"Key": key, "Value": value} for key, value in wanted.items()])
    if stale:
        way.forget(client, name, stale)


def outputs(call: Call, entry: Entry, observed: dict[str, Any]) -> dict[str, Any]:
    """Return the outputs `tags` and `tagsAll` as AWS holds them; the URN's tag is ours and not shown."""
    if entry.tagged is None:
        return {}
    service, name = entry.tagged
    present = _read(call, service, observed[name])
    present.pop(URN_TAG, None)
    own = call.inputs.get("tags") or {}
    defaults = call.configuration.default_tags
    tags = {key: value for key, value in present.items() if key in own or defaults.get(key) != value}
    return {"tagsAll": present, **({"tags": tags} if tags or "tags" in call.inputs else {})}


def _client(call: Call, service: str) -> Any:
    return call.client(service.partition(":")[0])


def _read(call: Call, service: str, name: str) -> dict[str, str]:
    pairs = _WAYS[service].read(_client(call, service), name)
    return {pair["Key"]: pair.get("Value", "") for pair in pairs if not pair["Key"].startswith("aws:")}
