"""What a balancer is to serve, computed from the emulated API and handed to the data plane."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from botocore.exceptions import ClientError

from autodeploy.local.dataplane import Listener, Target, TargetGroup
from autodeploy.local.provider.account import is_absent
from autodeploy.local.provider.entry import Call

Described = dict[str, Any]


def listeners(call: Call) -> Iterator[Described]:
    """Yield all listeners of the account, as AWS describes them."""
    elb = call.client("elbv2")
    for balancer in elb.describe_load_balancers()["LoadBalancers"]:
        try:
            yield from elb.describe_listeners(LoadBalancerArn=balancer["LoadBalancerArn"])["Listeners"]
        except ClientError as err:
            # Deleted meanwhile, as a whole stack goes at once; who asks must not take it for its own absence.
            if not is_absent(err):
                raise


def certificates(listener: Described) -> list[str]:
    """Return the ARNs of a listener's certificates."""
    return [item["CertificateArn"] for item in listener.get("Certificates", ())]


def groups(listener: Described) -> list[str]:
    """Return the ARNs of the target groups that a listener forwards to."""
    return [action["TargetGroupArn"] for action in listener["DefaultActions"] if "TargetGroupArn" in action]


def refresh(call: Call, concerns: Callable[[Described], bool]) -> None:
    """Serve every balancer anew that has a listener of concern."""
    for arn in sorted({item["LoadBalancerArn"] for item in listeners(call) if concerns(item)}):
        serve(call, arn)


def serve(call: Call, balancer: str) -> None:
    """Make the data plane serve what the API holds now; the last of several changes at once wins."""
    with call.account.balancer_locks[balancer]:
        described = call.client("elbv2").describe_listeners(LoadBalancerArn=balancer)["Listeners"]
        wanted = [_listener(call, item) for item in sorted(described, key=lambda item: int(item["Port"]))]
        call.account.wait(call.account.plane.serve(balancer, wanted))


def _listener(call: Call, described: Described) -> Listener:
    named = groups(described)
    group = _group(call, named[0]) if named else None
    if not certificates(described):
        return Listener(port=described["Port"], group=group)
    arn = certificates(described)[0]
    held = call.account.imported[arn]
    return Listener(
        port=described["Port"],
        certificate_pem=held.body,
        certificate_key=held.key,
        certificate_chain=held.chain,
        group=group,
    )


def _group(call: Call, arn: str) -> TargetGroup:
    elb = call.client("elbv2")
    found = elb.describe_target_groups(TargetGroupArns=[arn])["TargetGroups"][0]
    attributes = {
        item["Key"]: item["Value"] for item in elb.describe_target_group_attributes(TargetGroupArn=arn)["Attributes"]
    }
    return TargetGroup(
        arn=arn,
        targets=tuple(_targets(call, arn)),
        health_check_path=found.get("HealthCheckPath") or "/",
        interval=found["HealthCheckIntervalSeconds"],
        healthy_threshold=found["HealthyThresholdCount"],
        unhealthy_threshold=found["UnhealthyThresholdCount"],
        drain=int(attributes["deregistration_delay.timeout_seconds"]),
    )


def _targets(call: Call, arn: str) -> Iterator[Target]:
    for item in call.client("elbv2").describe_target_health(TargetGroupArn=arn)["TargetHealthDescriptions"]:
        target = item["Target"]
        address = call.account.addresses.get(target["Id"]) if target["Id"].startswith("i-") else target["Id"]
        if address:
            yield Target(address=address, port=target["Port"])
