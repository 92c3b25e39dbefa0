"""Entries of load balancers and their listeners. Every change is served by the data plane at once."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from autodeploy.local.provider import limits, serving
from autodeploy.local.provider.account import ignoring_absent, refusal
from autodeploy.local.provider.entry import Call, Entry
from autodeploy.local.provider.schema import Failure
from autodeploy.local.provider.wire import UNKNOWN, Values, has_unknown
from autodeploy.local.provider.zones import two_zones

_ATTRIBUTES = {
    "enableDeletionProtection": "deletion_protection.enabled",
    "dropInvalidHeaderFields": "routing.http.drop_invalid_header_fields.enabled",
    "idleTimeout": "idle_timeout.timeout_seconds",
}


def _balancer_limits(inputs: Values) -> Iterator[Failure]:
    yield from limits.balancer_name(inputs)
    yield from limits.access_logs(inputs)
    yield from limits.needs(inputs, "subnets")
    if inputs.get("loadBalancerType", "application") not in ("application", UNKNOWN):
        yield "loadBalancerType", "the local target emulates application load balancers only"


def _balancer_create(call: Call) -> str:
    two_zones(call, call.inputs["subnets"], "ValidationError")
    given = call.given(Name="name", Subnets="subnets", SecurityGroups="securityGroups")
    scheme = "internal" if call.inputs.get("internal") else "internet-facing"
    made = call.client("elbv2").create_load_balancer(Type="application", Scheme=scheme, **given)
    arn = str(made["LoadBalancers"][0]["LoadBalancerArn"])
    _write_attributes(call, arn)
    return arn


def _write_attributes(call: Call, arn: str) -> None:
    attributes = [
        {"Key": key, "Value": str(call.inputs[name]).lower()}
        for name, key in _ATTRIBUTES.items()
        if name in call.inputs
    ]
    if attributes:
        call.client("elbv2").modify_load_balancer_attributes(LoadBalancerArn=arn, Attributes=attributes)


def _balancer_read(call: Call, identity: str) -> Values | None:
    elb = call.client("elbv2")
    found = elb.describe_load_balancers(LoadBalancerArns=[identity])["LoadBalancers"][0]
    attributes = _attributes(call, identity)
    return {
        "arn": identity,
        "arnSuffix": identity.partition(":loadbalancer/")[2],
        "dnsName": call.account.wait(call.account.plane.balancer_name(identity)),
        "enableDeletionProtection": attributes["deletion_protection.enabled"] == "true",
        "dropInvalidHeaderFields": attributes.get(_ATTRIBUTES["dropInvalidHeaderFields"]) == "true",
        "idleTimeout": int(attributes.get("idle_timeout.timeout_seconds", 60)),
        "internal": found.get("Scheme") == "internal",
        "ipAddressType": found["IpAddressType"],
        "loadBalancerType": found["Type"],
        "name": found["LoadBalancerName"],
        "securityGroups": found.get("SecurityGroups", []),
        "subnets": [zone["SubnetId"] for zone in found["AvailabilityZones"]],
        "vpcId": found["VpcId"],
        "zoneId": found["CanonicalHostedZoneId"],
    }


def _balancer_update(call: Call, identity: str) -> None:
    elb = call.client("elbv2")
    if call.changed("securityGroups"):
        elb.set_security_groups(LoadBalancerArn=identity, SecurityGroups=call.inputs.get("securityGroups", []))
    if call.changed("subnets"):
        two_zones(call, call.inputs["subnets"], "ValidationError")
        elb.set_subnets(LoadBalancerArn=identity, Subnets=call.inputs["subnets"])
    _write_attributes(call, identity)


def _balancer_delete(call: Call, identity: str) -> None:
    ignoring_absent(lambda: _refuse_protected(call, identity))
    ignoring_absent(lambda: call.client("elbv2").delete_load_balancer(LoadBalancerArn=identity))
    call.account.wait(call.account.plane.serve(identity, ()))


def _balancer_undo(call: Call, identity: str) -> None:
    """Take back a balancer that never served; it has nothing to protect."""
    off = [{"Key": _ATTRIBUTES["enableDeletionProtection"], "Value": "false"}]
    elb = call.client("elbv2")
    ignoring_absent(lambda: elb.modify_load_balancer_attributes(LoadBalancerArn=identity, Attributes=off))
    _balancer_delete(call, identity)


def _refuse_protected(call: Call, identity: str) -> None:
    if _attributes(call, identity)["deletion_protection.enabled"] == "true":
        raise refusal(
            f"OperationNotPermitted: deletion protection is enabled for load balancer '{identity}'",
            "Set enableDeletionProtection to false and deploy first.",
            "Deleting a load balancer",
        )


def _attributes(call: Call, identity: str) -> dict[str, str]:
    held = call.client("elbv2").describe_load_balancer_attributes(LoadBalancerArn=identity)["Attributes"]
    return {item["Key"]: item["Value"] for item in held}


def _listener_limits(inputs: Values) -> Iterator[Failure]:
    yield from limits.needs(inputs, "port")
    yield from limits.within(inputs, "port", 1, 65535)
    protocol = inputs.get("protocol", "HTTP")
    if protocol not in ("HTTP", "HTTPS", UNKNOWN):
        yield "protocol", f"an application load balancer listens on HTTP or HTTPS, not {protocol!r}"
    if protocol == "HTTPS" and not inputs.get("certificateArn"):
        yield "certificateArn", "'certificateArn' is required for HTTPS"
    actions = inputs.get("defaultActions")
    if isinstance(actions, list):
        yield from _action_limits(actions)


def _action_limits(actions: list[Any]) -> Iterator[Failure]:
    if len(actions) != 1:
        yield "defaultActions", "the local target emulates listeners with exactly one default action"
        return
    action = actions[0]
    kind = action.get("type") if isinstance(action, dict) else UNKNOWN
    if kind == "forward" and not action.get("targetGroupArn"):
        yield "defaultActions[0].targetGroupArn", "the local target needs 'targetGroupArn' for a forward"
    elif kind == "redirect" and not _is_to_https(action.get("redirect", {})):
        yield "defaultActions[0].redirect", "the local target emulates redirects to HTTPS with HTTP_301 only"
    elif kind not in ("forward", "redirect", UNKNOWN):
        yield "defaultActions[0].type", f"the local target emulates forward and redirect, not {kind!r}"


def _is_to_https(redirect: Any) -> bool:
    wanted = {"protocol": "HTTPS", "statusCode": "HTTP_301"}
    extra = redirect.keys() - wanted.keys() - {"port"} if isinstance(redirect, dict) else {"?"}
    return has_unknown(redirect) or (not extra and all(redirect.get(name) == value for name, value in wanted.items()))


def _listener_given(call: Call) -> dict[str, Any]:
    action = call.inputs["defaultActions"][0]
    wanted: dict[str, Any] = {"Type": action["type"]}
    if action["type"] == "forward":
        wanted["TargetGroupArn"] = action["targetGroupArn"]
    else:
        port = action["redirect"].get("port", "443")
        wanted["RedirectConfig"] = {"Protocol": "HTTPS", "Port": port, "StatusCode": "HTTP_301"}
    given = call.given(Port="port", SslPolicy="sslPolicy")
    if call.inputs.get("certificateArn"):
        _refuse_unissued(call, call.inputs["certificateArn"])
        given["Certificates"] = [{"CertificateArn": call.inputs["certificateArn"]}]
    return {**given, "Protocol": call.inputs.get("protocol", "HTTP"), "DefaultActions": [wanted]}


def _listener_create(call: Call) -> str:
    balancer, port = call.inputs["loadBalancerArn"], call.inputs["port"]
    elb = call.client("elbv2")
    _refuse_taken(elb.describe_listeners(LoadBalancerArn=balancer)["Listeners"], port)
    made = elb.create_listener(LoadBalancerArn=balancer, **_listener_given(call))["Listeners"][0]
    return str(made["ListenerArn"])


def _refuse_unissued(call: Call, arn: str) -> None:
    if arn not in call.account.imported:
        raise refusal(
            f"UnsupportedCertificate: the certificate {arn} was never issued", "Wait for its validation before it."
        )


def _refuse_taken(listeners: list[dict[str, Any]], port: int) -> None:
    if port in [int(item["Port"]) for item in listeners]:
        raise refusal(f"DuplicateListener: the balancer has a listener on port {port} already", "Use another port.")


def _listener_read(call: Call, identity: str) -> Values | None:
    listeners = call.client("elbv2").describe_listeners(ListenerArns=[identity])["Listeners"]
    if not listeners:
        return None
    found = listeners[0]
    action = found["DefaultActions"][0]
    shown: dict[str, Any] = {"type": action["Type"]}
    if "TargetGroupArn" in action:
        shown["targetGroupArn"] = action["TargetGroupArn"]
    if "RedirectConfig" in action:
        shown["redirect"] = {key[0].lower() + key[1:]: value for key, value in action["RedirectConfig"].items()}
    return {
        "arn": identity,
        "loadBalancerArn": found["LoadBalancerArn"],
        "port": int(found["Port"]),
        "protocol": found["Protocol"],
        "sslPolicy": found.get("SslPolicy") if found["Protocol"] == "HTTPS" else None,
        "certificateArn": next(iter(serving.certificates(found)), None),
        "defaultActions": [shown],
    }


def _listener_update(call: Call, identity: str) -> None:
    elb, balancer = call.client("elbv2"), call.inputs["loadBalancerArn"]
    if call.changed("port"):
        _refuse_taken(elb.describe_listeners(LoadBalancerArn=balancer)["Listeners"], call.inputs["port"])
    elb.modify_listener(ListenerArn=identity, **_listener_given(call))
    serving.serve(call, balancer)


def _listener_delete(call: Call, identity: str) -> None:
    ignoring_absent(lambda: call.client("elbv2").delete_listener(ListenerArn=identity))
    ignoring_absent(lambda: serving.serve(call, (call.state or call.inputs)["loadBalancerArn"]))


LOAD_BALANCER = Entry(
    "aws:lb/loadBalancer:LoadBalancer",
    _balancer_create,
    _balancer_read,
    _balancer_delete,
    _balancer_update,
    undo=_balancer_undo,
    limits=_balancer_limits,
    replaces=("internal", "loadBalancerType"),
    updates=("securityGroups", "subnets", "enableDeletionProtection", "dropInvalidHeaderFields", "idleTimeout"),
    recorded=("accessLogs", "enableHttp2", "ipAddressType", "desyncMitigationMode", "preserveHostHeader"),
    tagged=("elbv2", "id"),
    named=("name", 32),
)
LISTENER = Entry(
    "aws:lb/listener:Listener",
    _listener_create,
    _listener_read,
    _listener_delete,
    _listener_update,
    lambda call, identity: serving.serve(call, call.inputs["loadBalancerArn"]),
    limits=_listener_limits,
    replaces=("loadBalancerArn",),
    updates=("port", "protocol", "certificateArn", "sslPolicy", "defaultActions"),
    tagged=("elbv2", "id"),
)
ENTRIES = (LOAD_BALANCER, LISTENER)
