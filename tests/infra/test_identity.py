"""What a resource is to the engine: type, parents and logical name. Changing one deletes what stands and makes another."""

from __future__ import annotations

import pytest

from autodeploy.model import ExistingNetwork, WebPlan
from tests.infra.deploying import Deployed, deploy
from tests.infra.test_edge import ISSUED
from tests.infra.test_program import plan

NETWORK, FIREWALL = "autodeploy:network:Network", "autodeploy:network:Firewall"
COMPUTE, DATABASE = "autodeploy:compute:Compute", "autodeploy:database:Database"
BALANCER, DOMAIN = "autodeploy:balancer:Balancer", "autodeploy:balancer:Domain"
GROUP, INGRESS = "aws:ec2/securityGroup:SecurityGroup", "aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule"
EGRESS, TIE = (
    "aws:vpc/securityGroupEgressRule:SecurityGroupEgressRule",
    "aws:ec2/routeTableAssociation:RouteTableAssociation",
)

MONITORING, PROFILE, LOGS = (
    "autodeploy:monitoring:Monitoring",
    "autodeploy:compute:Profile",
    "autodeploy:monitoring:Logs",
)
ALARM = f"{MONITORING}$aws:cloudwatch/metricAlarm:MetricAlarm"

OF_EVERY_PLAN = {
    f"{PROFILE}::profile",
    f"{PROFILE}$aws:iam/role:Role::app",
    f"{PROFILE}$aws:iam/rolePolicy:RolePolicy::log-group",
    f"{PROFILE}$aws:iam/instanceProfile:InstanceProfile::app",
    f"{LOGS}::logs",
    f"{LOGS}$aws:cloudwatch/logGroup:LogGroup::app",
    f"{MONITORING}::monitoring",
    f"{MONITORING}$aws:cloudwatch/dashboard:Dashboard::overview",
    f"{MONITORING}$aws:sns/topic:Topic::alarms",
    *(f"{ALARM}::{name}" for name in ("status", "credits")),
    "pulumi:providers:aws::aws",
    f"{NETWORK}::network",
    *(f"{NETWORK}$aws:ec2/subnet:Subnet::{kind}-{n}" for kind in ("public", "private") for n in (1, 2)),
    *(f"{NETWORK}${TIE}::{kind}-{n}" for kind in ("public", "private") for n in (1, 2)),
    *(f"{NETWORK}$aws:ec2/routeTable:RouteTable::{kind}" for kind in ("public", "private")),
    f"{NETWORK}$aws:ec2/vpc:Vpc::vpc",
    f"{NETWORK}$aws:ec2/internetGateway:InternetGateway::internet",
    f"{NETWORK}$aws:ec2/route:Route::public-default",
    f"{FIREWALL}::firewall",
    f"{FIREWALL}${GROUP}::app",
    f"{FIREWALL}${GROUP}::ssh",
    f"{FIREWALL}${INGRESS}::ssh",
    f"{FIREWALL}${EGRESS}::app-out",
    f"{COMPUTE}::compute",
    f"{COMPUTE}$aws:ec2/keyPair:KeyPair::operator",
    f"{COMPUTE}$aws:ec2/instance:Instance::app",
}
OF_A_DATABASE = {
    f"{ALARM}::storage",
    f"{FIREWALL}${GROUP}::database",
    f"{FIREWALL}${INGRESS}::database-app",
    f"{DATABASE}::database",
    f"{DATABASE}$aws:rds/instance:Instance::database",
    f"{DATABASE}$aws:rds/subnetGroup:SubnetGroup::private",
    f"{DATABASE}$aws:rds/parameterGroup:ParameterGroup::tls-only",
}
OF_A_BALANCER = {
    *(f"{ALARM}::{name}" for name in ("health", "app-5xx", "lb-5xx")),
    f"{FIREWALL}${GROUP}::balancer",
    *(f"{FIREWALL}${INGRESS}::{name}" for name in ("balancer-http", "balancer-https", "app-web")),
    f"{FIREWALL}${EGRESS}::balancer-app",
    f"{BALANCER}::balancer",
    f"{BALANCER}$aws:lb/loadBalancer:LoadBalancer::public",
    f"{BALANCER}$aws:lb/targetGroup:TargetGroup::app",
    f"{BALANCER}$aws:lb/targetGroupAttachment:TargetGroupAttachment::app",
    *(f"{BALANCER}$aws:lb/listener:Listener::{name}" for name in ("https", "http")),
}
IMPORTED = {f"{BALANCER}$aws:acm/certificate:Certificate::public"}
OF_A_DOMAIN = {
    f"{BALANCER}${DOMAIN}::domain",
    f"{BALANCER}${DOMAIN}$aws:acm/certificate:Certificate::domain",
    f"{BALANCER}${DOMAIN}$aws:acm/certificateValidation:CertificateValidation::domain",
    *(f"{BALANCER}${DOMAIN}$aws:route53/record:Record::{name}" for name in ("domain-proof", "domain-ipv4")),
}

LOST = """the program no longer declares {}.
Every deployment that stands has them under these names: an upgrade would delete them and make others; a database would
be lost. Where one was renamed, or given another parent, let the new one carry
    opts=pulumi.ResourceOptions(..., aliases=[pulumi.Alias(name="the old one", parent=the_old_one)])
and change its line here. Where one is really to go, take its line out, and say in CHANGELOG.md what an upgrade deletes.
"""
NEW = "the program declares {} that no line here knows: if none of them is a rename of what stands, add them here"


def identities(deployed: Deployed) -> set[str]:
    """Return what the engine knows the resources by, without the names of stack and project."""
    return {urn.split("::", 2)[2] for urn in deployed.urns if not urn.split("::")[2].startswith("pulumi:pulumi:Stack")}


def check(deployed: Deployed, expected: set[str]) -> None:
    found = identities(deployed)
    assert not expected - found, LOST.format(sorted(expected - found))
    assert not found - expected, NEW.format(sorted(found - expected))


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({}, OF_EVERY_PLAN | OF_A_DATABASE | OF_A_BALANCER | IMPORTED),
        ({"web": ISSUED}, OF_EVERY_PLAN | OF_A_DATABASE | OF_A_BALANCER | OF_A_DOMAIN),
        ({"database": None}, OF_EVERY_PLAN | OF_A_BALANCER | IMPORTED),
        ({"web": None}, OF_EVERY_PLAN | OF_A_DATABASE),
    ],
    ids=["whole", "domain", "no database", "worker"],
)
def test_what_stands_keeps_its_identity(changes: dict[str, WebPlan | None], expected: set[str]) -> None:
    check(deploy(plan(**changes)), expected)


def test_a_network_of_somebody_else_s_changes_no_other_identity() -> None:
    theirs = ExistingNetwork(vpc_id="v", public_subnet_ids=("a", "b"), private_subnet_ids=("c", "d"))
    own = OF_EVERY_PLAN | OF_A_DATABASE | OF_A_BALANCER | IMPORTED
    check(deploy(plan(network=theirs)), {each for each in own if not each.startswith(NETWORK)})


def test_what_is_lost_is_told_with_what_to_do() -> None:
    with pytest.raises(AssertionError, match=r"no longer declares .*Vpc::vpc(.|\n)*aliases="):
        check(
            deploy(
                plan(network=ExistingNetwork(vpc_id="v", public_subnet_ids=("a", "b"), private_subnet_ids=("c", "d")))
            ),
            OF_EVERY_PLAN | OF_A_DATABASE | OF_A_BALANCER | IMPORTED,
        )
