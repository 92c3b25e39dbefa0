"""The design document's properties of infrastructure, on what the Pulumi program declares for any InfraPlan.

One run of the program answers all of them, so each generated plan is deployed once and every property asked of it.
"""

from __future__ import annotations

import ipaddress
import json

from hypothesis import HealthCheck, given, settings

from autodeploy.adapters.aws.actions import ACTIONS
from autodeploy.model import InfraPlan
from autodeploy.model.plan import short_type
from autodeploy.safeguards import Registered, check_registered
from tests.infra.deploying import Declared, Deployed, deploy
from tests.properties.generators import infra_plans


@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(infra_plans())
def test_any_plan_declares_the_infrastructure_of_properties_15_to_20(plan: InfraPlan) -> None:
    deployed = deploy(plan)
    vpc_has_a_public_and_a_private_subnet(plan, deployed)
    network_is_complete(plan, deployed)
    database_exists_only_when_planned(plan, deployed)
    instance_has_the_planned_size(plan, deployed)
    security_groups_open_only_what_is_needed(plan, deployed)
    balancer_exists_only_for_web_services(plan, deployed)
    program_asks_nothing_and_tags_everything(plan, deployed)
    physical_names_are_legal(plan, deployed)
    machine_is_closed_and_bounded(plan, deployed)
    only_what_is_there_is_watched(plan, deployed)
    the_safeguards_let_it_pass(plan, deployed)
    the_policy_knows_every_type(plan, deployed)


# Feature: autodeploy-agent, Property 15: VPC Creation with Subnets
def vpc_has_a_public_and_a_private_subnet(plan: InfraPlan, deployed: Deployed) -> None:
    vpc = deployed.one("Vpc")
    assert vpc.inputs["cidrBlock"] == plan.vpc_cidr
    subnets = deployed.of("Subnet")
    assert {subnet.inputs["vpcId"] for subnet in subnets} == {vpc.id}
    for public, cidrs in ((True, plan.public_cidrs), (False, plan.private_cidrs)):
        found = [subnet.inputs for subnet in subnets if subnet.inputs["mapPublicIpOnLaunch"] is public]
        assert {(each["cidrBlock"], each["availabilityZone"]) for each in found} == set(
            zip(cidrs, plan.zones, strict=True)
        )
    networks = [ipaddress.ip_network(subnet.inputs["cidrBlock"]) for subnet in subnets]
    assert all(network.subnet_of(ipaddress.ip_network(plan.vpc_cidr)) for network in networks)
    assert not any(one.overlaps(other) for one in networks for other in networks if one is not other)


# Feature: autodeploy-agent, Property 16: Network Infrastructure Completeness
def network_is_complete(plan: InfraPlan, deployed: Deployed) -> None:
    vpc = deployed.one("Vpc")
    gateway = deployed.one("InternetGateway")
    assert gateway.inputs["vpcId"] == vpc.id
    tables = {subnet.name: association_of(deployed, subnet.id) for subnet in deployed.of("Subnet")}
    routes = {route.inputs["routeTableId"]: route.inputs for route in deployed.of("Route")}
    for name, table in tables.items():
        if name.startswith("public"):
            assert routes[table]["gatewayId"] == gateway.id
            assert routes[table]["destinationCidrBlock"] == "0.0.0.0/0"
        else:
            assert table not in routes
    assert {table.inputs["vpcId"] for table in deployed.of("RouteTable")} == {vpc.id}


# Feature: autodeploy-agent, Property 17: Conditional Database Provisioning
def database_exists_only_when_planned(plan: InfraPlan, deployed: Deployed) -> None:
    databases = [resource for resource in deployed.physical if resource.type == "aws:rds/instance:Instance"]
    assert len(databases) == (1 if plan.database else 0)
    assert ("databaseEndpoint" in deployed.outputs) is (plan.database is not None)
    if plan.database:
        inputs = databases[0].inputs
        assert (inputs["engine"], inputs["engineVersion"]) == (plan.database.engine, plan.database.engine_version)
        assert inputs["publiclyAccessible"] is False
        assert inputs["storageEncrypted"] is True
        assert "password" not in inputs
        private = {subnet.id for subnet in deployed.of("Subnet") if subnet.name.startswith("private")}
        assert set(deployed.one("SubnetGroup").inputs["subnetIds"]) == private
    else:
        assert not any(":rds/" in resource.type.replace("aws:", ":") for resource in deployed.physical)


# Feature: autodeploy-agent, Property 18: Instance Sizing Based on Language
def instance_has_the_planned_size(plan: InfraPlan, deployed: Deployed) -> None:
    assert len(machines(deployed)) == plan.instances
    for instance in (machine.inputs for machine in machines(deployed)):
        assert instance["instanceType"] == plan.instance_type
        assert instance["ami"] == plan.image_id
    assert deployed.outputs["instanceId"] == deployed.one("Instance", "app").id


# Feature: autodeploy-agent, Property 19: Minimal Security Group Access
def security_groups_open_only_what_is_needed(plan: InfraPlan, deployed: Deployed) -> None:
    groups = {group.name: group.id for group in deployed.of("SecurityGroup")}
    opened = {
        (rule["securityGroupId"], rule["fromPort"], rule.get("cidrIpv4") or rule["referencedSecurityGroupId"])
        for rule in (each.inputs for each in deployed.of("SecurityGroupIngressRule"))
    }
    assert ("ssh" in groups) is (plan.access == "ssh")
    expected = {(groups["ssh"], 22, plan.admin_cidr)} if plan.access == "ssh" else set()
    if plan.web:
        world = {(groups["balancer"], port, "0.0.0.0/0") for port in (80, 443)}
        expected |= world | {(groups["app"], plan.web.host_port, groups["balancer"])}
    if plan.database:
        expected |= {(groups["database"], plan.database.port, groups["app"])}
    assert opened == expected
    assert {port for _, port, _ in opened} <= {22, 80, 443, 5432, 3306}
    for rule in deployed.of("SecurityGroupIngressRule"):
        assert rule.inputs["toPort"] == rule.inputs["fromPort"]
        assert rule.inputs["ipProtocol"] == "tcp"
    assert not any("ingress" in group.inputs or "egress" in group.inputs for group in deployed.of("SecurityGroup"))
    attached = [set(machine.inputs["vpcSecurityGroupIds"]) for machine in machines(deployed)]
    own = {identifier for name, identifier in groups.items() if name in ("app", "ssh")}
    assert attached == [own] * plan.instances


# Feature: autodeploy-agent, Property 20: Conditional Load Balancer Creation
def balancer_exists_only_for_web_services(plan: InfraPlan, deployed: Deployed) -> None:
    kinds = ("LoadBalancer", "Listener", "TargetGroup", "TargetGroupAttachment", "Certificate")
    counted = {kind: len(deployed.of(kind)) for kind in kinds}
    several = {"Listener": 2, "TargetGroupAttachment": plan.instances}
    assert counted == (dict.fromkeys(kinds, 1) | several if plan.web else dict.fromkeys(kinds, 0))
    assert ("loadBalancerDns" in deployed.outputs) is (plan.web is not None)
    if plan.web:
        balancer = deployed.one("LoadBalancer").inputs
        public = {subnet.id for subnet in deployed.of("Subnet") if subnet.name.startswith("public")}
        assert set(balancer["subnets"]) == public
        assert balancer["internal"] is False
        targets = {member.inputs["targetId"] for member in deployed.of("TargetGroupAttachment")}
        assert targets == {machine.id for machine in machines(deployed)}
        assert deployed.one("TargetGroup").inputs["healthCheck"]["path"] == plan.web.health_check_path


def machines(deployed: Deployed) -> list[Declared]:
    """Return the machines, the first one first."""
    return [each for each in deployed.physical if each.type == "aws:ec2/instance:Instance"]


def association_of(deployed: Deployed, subnet: str) -> str:
    """Return the route table of a subnet."""
    (found,) = [
        each.inputs["routeTableId"]
        for each in deployed.of("RouteTableAssociation")
        if each.inputs["subnetId"] == subnet
    ]
    return str(found)


def program_asks_nothing_and_tags_everything(plan: InfraPlan, deployed: Deployed) -> None:
    assert deployed.calls == []
    provider = deployed.one("aws", "aws")
    tags = json.loads(provider.inputs["defaultTags"])["tags"]
    assert tags == {**plan.tags, "DeploymentId": plan.deployment_id, "ManagedBy": "AutoDeploy"}
    assert provider.inputs["region"] == plan.region
    assert json.loads(provider.inputs["allowedAccountIds"]) == [plan.account_id]
    assert all(resource.provider.endswith(provider.id) for resource in deployed.physical)
    assert not any("Release" in (resource.inputs.get("tags") or {}) for resource in deployed.physical)


def physical_names_are_legal(plan: InfraPlan, deployed: Deployed) -> None:
    for resource in deployed.physical:
        name = next((resource.inputs[key] for key in ("name", "identifier", "keyName") if key in resource.inputs), "x")
        # What carries no tag bears the deployment's id, which is unique for ever.
        assert len(name) <= 32 or name == plan.deployment_id
        assert set(name) <= set("abcdefghijklmnopqrstuvwxyz0123456789-")
        assert name[0].isalpha()
        assert "--" not in name
        assert not name.endswith("-")


def machine_is_closed_and_bounded(plan: InfraPlan, deployed: Deployed) -> None:
    for machine in (each.inputs for each in machines(deployed)):
        disk, metadata = machine["rootBlockDevice"], machine["metadataOptions"]
        assert (disk["encrypted"], disk["volumeType"], disk["volumeSize"]) == (True, "gp3", plan.root_volume_gb)
        assert (metadata["httpTokens"], metadata["httpPutResponseHopLimit"]) == ("required", 1)
        assert machine["userDataReplaceOnChange"] is False
    granted = {
        (action, statement["Resource"])
        for policy in deployed.of("RolePolicy")
        for statement in json.loads(policy.inputs["policy"])["Statement"]
        for action in statement["Action"]
    }
    logs = {action for action, resource in granted if resource == f"arn:{deployed.one('LogGroup').id}:*"}
    assert logs == {"logs:CreateLogStream", "logs:PutLogEvents"}
    sessions = {action for action, resource in granted if resource == "*"}
    assert len(granted) == len(logs) + len(sessions) and bool(sessions) is (plan.access == "ssm")
    assert {action.partition(":")[0] for action in sessions} <= {"ssm", "ssmmessages"}
    assert not any(action.partition(":")[2].startswith(("Get", "Put", "Start", "Send")) for action in sessions)


def only_what_is_there_is_watched(plan: InfraPlan, deployed: Deployed) -> None:
    alarms = [alarm.inputs for alarm in deployed.of("MetricAlarm")]
    watched = {alarm["namespace"] for alarm in alarms}
    expected = {"AWS/EC2"} | ({"AWS/ApplicationELB"} if plan.web else set()) | ({"AWS/RDS"} if plan.database else set())
    assert watched == expected
    assert all(alarm["alarmActions"] == [f"arn:{deployed.one('Topic').id}"] for alarm in alarms)
    assert len(deployed.of("TopicSubscription")) == (1 if plan.alarm_email else 0)
    about_credits = [alarm for alarm in alarms if alarm["metricName"] == "CPUCreditBalance"]
    assert len(about_credits) == plan.is_burstable * plan.instances


def the_safeguards_let_it_pass(plan: InfraPlan, deployed: Deployed) -> None:
    registered = [Registered(short_type(each.type), each.name, each.inputs) for each in deployed.physical]
    check_registered(registered, plan.access)


def the_policy_knows_every_type(plan: InfraPlan, deployed: Deployed) -> None:
    unknown = {each.type for each in deployed.physical} - ACTIONS.keys()
    assert not unknown, (
        f"{unknown} have no row in autodeploy/adapters/aws/actions.py: add one with `example`, `look`, `make`, `change` "
        "(or `named`), from the service authorization reference, and look whether the policy still fits"
    )
