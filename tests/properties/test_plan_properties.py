"""500 generated plans, from TechStack and settings to the engine's view: what must hold of every one of them."""

from __future__ import annotations

import json
import re

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from autodeploy.local.provider.schema import schema
from autodeploy.model import CloudFacts, HostedZone, NetworkFacts, Plan, SubnetFacts
from autodeploy.planner import plan
from tests.fixtures.planned import FACTS, LOCAL
from tests.fixtures.planned import settings as chosen
from tests.infra.deploying import Declared, Deployed, deploy
from tests.properties.generators import deployment_ids, slugs, tag_values, tech_stacks, texts

NETWORKS = NetworkFacts(
    vpc_id="vpc-0123456789abcdef0",
    cidr="172.20.0.0/16",
    dns_support=True,
    dns_hostnames=True,
    subnets=tuple(
        SubnetFacts(subnet_id=f"subnet-{n}", zone=f"us-east-1{zone}", free_addresses=99, is_public=out, has_way_out=out)
        for n, (zone, out) in enumerate([("a", True), ("b", True), ("a", False), ("b", False)])
    ),
)
DOMAINS = ("shop.example.com", "example.org", "a.b.c.example.net")
LETTERS = "[a-z0-9]([a-z0-9-]*[a-z0-9])?"
# Length and form by type: the pages that autodeploy/local/provider/limits.py names.
NAMES = {
    "aws:ec2/securityGroup:SecurityGroup": ("name", rf"(?!sg-)(?=.{{1,255}}$){LETTERS}"),
    "aws:cloudwatch/logGroup:LogGroup": ("name", r"[\w./#-]{1,512}"),
    "aws:cloudwatch/metricAlarm:MetricAlarm": ("name", r"[\w.-]{1,255}"),
    "aws:cloudwatch/dashboard:Dashboard": ("dashboardName", r"[\w-]{1,255}"),
    "aws:sns/topic:Topic": ("name", r"[\w-]{1,256}"),
    "aws:iam/role:Role": ("name", r"[\w+=,.@-]{1,64}"),
    "aws:iam/instanceProfile:InstanceProfile": ("name", r"[\w+=,.@-]{1,128}"),
    "aws:ec2/keyPair:KeyPair": ("keyName", rf"(?=.{{1,255}}$){LETTERS}"),
    "aws:lb/loadBalancer:LoadBalancer": ("name", rf"(?!internal-)(?=.{{1,32}}$){LETTERS}"),
    "aws:lb/targetGroup:TargetGroup": ("name", rf"(?=.{{1,32}}$){LETTERS}"),
    "aws:rds/instance:Instance": ("identifier", r"(?=.{1,63}$)[a-z]([a-z0-9]|-(?=[a-z0-9]))*"),
    "aws:rds/subnetGroup:SubnetGroup": ("name", r"(?!default$)(?=.{1,255}$)[a-z]([a-z0-9]|-(?=[a-z0-9]))*"),
    "aws:rds/parameterGroup:ParameterGroup": ("name", r"(?!default$)(?=.{1,255}$)[a-z]([a-z0-9]|-(?=[a-z0-9]))*"),
}
owners: dict[tuple[str, str], str] = {}
"""Which deployment a physical name was given to, over all the plans of a run: they share an account."""


@st.composite
def facts(draw: st.DrawFn) -> CloudFacts:
    """Draw an account at AWS or its emulation, with zones for some domains."""
    zoned = draw(st.sets(st.sampled_from(DOMAINS)))
    zones = {domain: HostedZone(zone_id="Z0123456789", name=domain.partition(".")[2]) for domain in zoned}
    return draw(st.sampled_from((FACTS, LOCAL))).but(hosted_zones=zones, network=draw(st.none() | st.just(NETWORKS)))


@st.composite
def plans(draw: st.DrawFn) -> Plan:
    """Draw what a user can ask for, and plan it."""
    account, stack = draw(facts()), draw(tech_stacks())
    return plan(
        stack,
        account,
        deployment_id=draw(deployment_ids),
        name=draw(slugs | texts),
        ssh_public_key="ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIEXAMPLE autodeploy",
        certificate_pem="leaf",
        certificate_chain_pem="authority",
        settings=chosen(
            domain=draw(st.none() | st.sampled_from(DOMAINS)),
            vpc_id=account.network.vpc_id if account.network and draw(st.booleans()) else None,
            access_logs=draw(st.none() | st.just("logs-of-shop")),
            access=draw(st.sampled_from((None, "ssh", "ssm"))) if account.target == "aws" else None,
            admin_cidr=draw(st.none() | st.ip_addresses(v=4).map(lambda address: f"{address}/32")),
            instance_type=draw(st.none() | st.just("t3.large")),
            instances=draw(st.sampled_from((None, None, 2, 10))) if stack.is_web_service else None,
            tags=draw(st.dictionaries(st.sampled_from(("Team", "Stage", "Owner")), tag_values, max_size=3)),
        ),
    )


@settings(max_examples=500, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(plans())
def test_of_500_plans_none_is_open_unencrypted_untagged_or_misnamed(made: Plan) -> None:
    infra = made.infra
    deployed = deploy(infra)
    opens_no_port_that_the_application_does_not_need(made, deployed)
    leaves_no_data_unencrypted(made, deployed)
    tags_everything(made, deployed)
    names_are_legal_and_distinct(made, deployed)


def opens_no_port_that_the_application_does_not_need(made: Plan, deployed: Deployed) -> None:
    infra = made.infra
    needed = {("ssh", 22, infra.admin_cidr)} if infra.access == "ssh" else set()
    if infra.web:
        needed |= {
            ("balancer", 80, "0.0.0.0/0"),
            ("balancer", 443, "0.0.0.0/0"),
            ("app", infra.web.host_port, "balancer"),
        }
    if infra.database:
        needed |= {("database", infra.database.port, "app")}
    names = {group.id: group.name for group in deployed.of("SecurityGroup")}
    opened = []
    for rule in (each.inputs for each in deployed.of("SecurityGroupIngressRule")):
        assert rule["ipProtocol"] == "tcp" and rule["fromPort"] == rule["toPort"]
        source = rule.get("cidrIpv4") or names[rule["referencedSecurityGroupId"]]
        opened.append((names[rule["securityGroupId"]], rule["fromPort"], source))
    assert sorted(opened) == sorted(needed), "each port that is needed is opened once, and no other"
    assert not any("ingress" in group.inputs for group in deployed.of("SecurityGroup"))
    assert not any(each.inputs.get("publiclyAccessible") for each in deployed.physical)
    kinds = {each.type for each in deployed.physical}
    assert not kinds & {"aws:ec2/securityGroupRule:SecurityGroupRule", "aws:ec2/eip:Eip"}


def leaves_no_data_unencrypted(made: Plan, deployed: Deployed) -> None:
    for each in deployed.physical:
        if each.type == "aws:ec2/instance:Instance":
            assert each.inputs["rootBlockDevice"]["encrypted"] is True
            assert "ebsBlockDevices" not in each.inputs and "ephemeralBlockDevices" not in each.inputs
        if each.type == "aws:rds/instance:Instance":
            assert each.inputs["storageEncrypted"] is True
        if each.type == "aws:rds/parameterGroup:ParameterGroup":
            assert {item["value"] for item in each.inputs["parameters"]} == {"1"}, "TLS is required"
        if each.type == "aws:lb/listener:Listener" and each.inputs["protocol"] != "HTTPS":
            assert [action["type"] for action in each.inputs["defaultActions"]] == ["redirect"]
    storing = {"aws:s3/bucket:Bucket", "aws:ebs/volume:Volume", "aws:efs/fileSystem:FileSystem", "aws:sqs/queue:Queue"}
    assert not storing & {each.type for each in deployed.physical}, "say here how it is encrypted"


def tags_everything(made: Plan, deployed: Deployed) -> None:
    provider = deployed.one("aws", "aws")
    tags = json.loads(provider.inputs["defaultTags"])["tags"]
    assert tags == {**made.infra.tags, "DeploymentId": made.infra.deployment_id, "ManagedBy": "AutoDeploy"}
    for each in deployed.physical:
        assert each.provider.endswith(provider.id), f"{each.type} {each.name} is made without the default tags"
        if "tags" in schema(each.type).inputs:
            assert not set(tags) & set(each.inputs.get("tags") or {}), "nothing takes the place of a default tag"


def names_are_legal_and_distinct(made: Plan, deployed: Deployed) -> None:
    given_ = [(each.type, name, pattern) for each, name, pattern in map(named, deployed.physical) if name]
    assert len({(kind, name) for kind, name, _ in given_}) == len(given_)
    for kind, name, pattern in given_:
        assert re.fullmatch(pattern, name), f"{kind} cannot be named {name!r}"
        assert owners.setdefault((kind, name), made.infra.deployment_id) == made.infra.deployment_id
    # A key pair's name again, the user's own domain, and a name within a role.
    referring = {
        ("aws:ec2/instance:Instance", "keyName"),
        ("aws:route53/record:Record", "name"),
        ("aws:iam/rolePolicy:RolePolicy", "name"),
    }
    for each in deployed.physical:
        strange = {(each.type, key) for key in ("name", "identifier", "keyName") if key in each.inputs} - referring
        assert not strange or each.type in NAMES, f"{each.type} takes a physical name: add its form to NAMES"


def named(each: Declared) -> tuple[Declared, str, str]:
    """Return a resource with its physical name and the form that AWS asks for; "" for one that takes none."""
    field, pattern = NAMES.get(each.type, ("", ""))
    return each, str(each.inputs[field]) if field else "", pattern
