"""Tags of emulated resources: one way to write and read them for each AWS service in use."""

from __future__ import annotations

from typing import Any

from autodeploy.local.provider.entry import URN_TAG, Call, Entry

_LONGEST_VALUE = 256
"""https://docs.aws.amazon.com/tag-editor/latest/userguide/best-practices-and-strats.html"""


def write(call: Call, entry: Entry, outputs: dict[str, Any]) -> None:
    """Make AWS hold exactly the tags of the call, and the resource's URN."""
    if entry.tagged is None:
        return
    service, name = entry.tagged
    wanted = {**call.tags, URN_TAG: call.urn[-_LONGEST_VALUE:]}
    stale = sorted(_read(call, service, outputs[name]).keys() - wanted.keys())
    pairs = [{"Key": key, "Value": value} for key, value in wanted.items()]
    client, target = call.client(service), outputs[name]
    if service == "ec2":
        client.create_tags(Resources=[target], Tags=pairs)
        if stale:
            client.delete_tags(Resources=[target], Tags=[{"Key": key} for key in stale])
    elif service == "rds":
        client.add_tags_to_resource(ResourceName=target, Tags=pairs)
        client.remove_tags_from_resource(ResourceName=target, TagKeys=stale)
    elif service == "elbv2":
        client.add_tags(ResourceArns=[target], Tags=pairs)
        if stale:
            client.remove_tags(ResourceArns=[target], TagKeys=stale)
    else:
        client.add_tags_to_certificate(CertificateArn=target, Tags=pairs)
        if stale:
            client.remove_tags_from_certificate(CertificateArn=target, Tags=[{"Key": key} for key in stale])


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


def _read(call: Call, service: str, target: str) -> dict[str, str]:
    client = call.client(service)
    if service == "ec2":
        pairs = client.describe_tags(Filters=[{"Name": "resource-id", "Values": [target]}])["Tags"]
    elif service == "rds":
        pairs = client.list_tags_for_resource(ResourceName=target)["TagList"]
    elif service == "elbv2":
        pairs = client.describe_tags(ResourceArns=[target])["TagDescriptions"][0]["Tags"]
    else:
        pairs = client.list_tags_for_certificate(CertificateArn=target)["Tags"]
    return {pair["Key"]: pair.get("Value", "") for pair in pairs if not pair["Key"].startswith("aws:")}
