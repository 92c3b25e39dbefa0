"""The design document's properties of infrastructure, of deployments that really stand: the account itself is asked.

Each check takes what `status` says and the account's clients; it looks at AWS's own answers and never at the plan.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

Client = Callable[[str], Any]
"""Takes the name of a service, returns its boto3 client."""
State = dict[str, Any]

SIZES = {"nodejs": "t3.small", "python": "t3.small", "go": "t3.micro"}
DATABASE_PORTS = {"postgres": 5432, "mysql": 3306, "mariadb": 3306}
WORLD = "0.0.0.0/0"


def hold_of_what_stands(state: State, client: Client, home: Path) -> None:
    """Assert properties 15 to 20, 27 and 28 of one deployment that is complete."""
    vpc_has_a_public_and_a_private_subnet(state, client)
    gateway_and_route_tables_are_configured(state, client)
    database_stands_only_where_one_is_required(state, client)
    machine_has_the_size_of_its_language(state, client)
    groups_open_only_what_is_needed(state, client)
    balancer_stands_only_for_web_services(state, client)
    hardening_opened_nothing(state, client, home)
    tls_is_configured_only_for_web_services(state, client)


# Feature: autodeploy-agent, Property 15: VPC Creation with Subnets
def vpc_has_a_public_and_a_private_subnet(state: State, client: Client) -> None:
    found = subnets(state, client)
    public, private = ({name for name, out in found.items() if out is way} for way in (True, False))
    spec = state["infrastructure"]
    assert spec["public_subnet_id"] in public and spec["private_subnet_id"] in private
    assert {machine["SubnetId"] for machine in instances(state, client)} <= public


# Feature: autodeploy-agent, Property 16: Network Infrastructure Completeness
def gateway_and_route_tables_are_configured(state: State, client: Client) -> None:
    vpc = state["infrastructure"]["vpc_id"]
    attached = [{"Name": "attachment.vpc-id", "Values": [vpc]}]
    (gateway,) = client("ec2").describe_internet_gateways(Filters=attached)["InternetGateways"]
    tables = client("ec2").describe_route_tables(Filters=[{"Name": "vpc-id", "Values": [vpc]}])["RouteTables"]
    associated = {each.get("SubnetId") for table in tables for each in table["Associations"]}
    assert set(subnets(state, client)) <= associated, "no subnet is left to the network's own table"
    ways = [route for table in tables for route in table["Routes"] if route.get("DestinationCidrBlock") == WORLD]
    assert {route.get("GatewayId") for route in ways} == {gateway["InternetGatewayId"]}


# Feature: autodeploy-agent, Property 17: Conditional Database Provisioning
def database_stands_only_where_one_is_required(state: State, client: Client) -> None:
    found = databases(state, client)
    assert len(found) == int(state["tech_stack"]["requires_database"])
    for each in found:
        assert not each["PubliclyAccessible"] and each["StorageEncrypted"]
    assert bool(found) is (state["infrastructure"]["database_endpoint"] is not None)


# Feature: autodeploy-agent, Property 18: Instance Sizing Based on Language
def machine_has_the_size_of_its_language(state: State, client: Client) -> None:
    sizes = {machine["InstanceType"] for machine in instances(state, client)}
    assert sizes == {SIZES[state["tech_stack"]["language"]]}


# Feature: autodeploy-agent, Property 19: Minimal Security Group Access
def groups_open_only_what_is_needed(state: State, client: Client) -> None:
    web = state["tech_stack"]["is_web_service"]
    needed = (
        {22} | ({80, 443} if web else set()) | {DATABASE_PORTS[each["Engine"]] for each in databases(state, client)}
    )
    rules = ways_in(state, client)
    assert {port for rule in rules for port in (rule["FromPort"], rule["ToPort"])} == needed
    assert {rule["IpProtocol"] for rule in rules} == {"tcp"}
    everybody = {rule["FromPort"] for rule in rules if rule.get("CidrIpv4") == WORLD or rule.get("CidrIpv6")}
    assert everybody == ({80, 443} if web else set())


# Feature: autodeploy-agent, Property 20: Conditional Load Balancer Creation
def balancer_stands_only_for_web_services(state: State, client: Client) -> None:
    assert [each["Type"] for each in balancers(state, client)] == (
        ["application"] if state["tech_stack"]["is_web_service"] else []
    )
    assert (state["infrastructure"]["load_balancer_dns"] is not None) is state["tech_stack"]["is_web_service"]


# Feature: autodeploy-agent, Property 27: Security Group Hardening
def hardening_opened_nothing(state: State, client: Client, home: Path) -> None:
    before, after = set(made_by_up(state, home)), {door(rule) for rule in ways_in(state, client)}
    assert before, "the stack's checkpoint is what `up` left, before the hardening"
    assert len(after) <= len(before) and after <= before
    assert set(state["security_config"]["open_ports"]) <= {22, 80}


# Feature: autodeploy-agent, Property 28: Conditional SSL Configuration
def tls_is_configured_only_for_web_services(state: State, client: Client) -> None:
    web = state["tech_stack"]["is_web_service"]
    listeners = [
        listener
        for each in balancers(state, client)
        for listener in client("elbv2").describe_listeners(LoadBalancerArn=each["LoadBalancerArn"])["Listeners"]
    ]
    ending = [each for each in listeners if each["Protocol"] == "HTTPS"]
    shown = [certificate["CertificateArn"] for each in ending for certificate in each["Certificates"]]
    assert shown == ([state["infrastructure"]["certificate_arn"]] if web else [])
    for each in listeners:
        assert each in ending or [action["Type"] for action in each["DefaultActions"]] == ["redirect"]
    assert state["security_config"]["ssl_enabled"] is web
    assert (state["security_config"]["certificate_arn"] is not None) is web


# Feature: autodeploy-agent, Property 36: Deployment Recovery Options
def retry_and_rollback_are_offered(said: str, state: State, stage: str) -> None:
    """Assert that a run which failed once infrastructure stood told both ways on, as commands."""
    identifier = state["deployment_id"]
    assert (state["status"], state["failed_stage"]) == ("failed", stage)
    assert state["infrastructure"] or state["plan"]
    assert f"autodeploy retry {identifier} --stage {stage}" in said
    assert f"autodeploy destroy {identifier}" in said


def tagged(state: State) -> list[dict[str, Any]]:
    """Return the filter of what carries the deployment's tag."""
    return [{"Name": "tag:DeploymentId", "Values": [state["deployment_id"]]}]


def subnets(state: State, client: Client) -> dict[str, bool]:
    """Return the subnets of the deployment's network, and whether their route table leads to the internet."""
    ec2, vpc = client("ec2"), [{"Name": "vpc-id", "Values": [state["infrastructure"]["vpc_id"]]}]
    open_ = {
        each.get("SubnetId")
        for table in ec2.describe_route_tables(Filters=vpc)["RouteTables"]
        if any(str(route.get("GatewayId")).startswith("igw-") for route in table["Routes"])
        for each in table["Associations"]
    }
    return {each["SubnetId"]: each["SubnetId"] in open_ for each in ec2.describe_subnets(Filters=vpc)["Subnets"]}


def instances(state: State, client: Client) -> list[dict[str, Any]]:
    """Return the deployment's machines that run."""
    running = [*tagged(state), {"Name": "instance-state-name", "Values": ["running"]}]
    found = client("ec2").describe_instances(Filters=running)["Reservations"]
    return [machine for reservation in found for machine in reservation["Instances"]]


def databases(state: State, client: Client) -> list[dict[str, Any]]:
    """Return the deployment's databases."""
    own = {"Key": "DeploymentId", "Value": state["deployment_id"]}
    return [each for each in client("rds").describe_db_instances()["DBInstances"] if own in each["TagList"]]


def balancers(state: State, client: Client) -> list[dict[str, Any]]:
    """Return the balancers in the deployment's network."""
    vpc = state["infrastructure"]["vpc_id"]
    return [each for each in client("elbv2").describe_load_balancers()["LoadBalancers"] if each["VpcId"] == vpc]


def ways_in(state: State, client: Client) -> list[dict[str, Any]]:
    """Return the rules that let anything into the deployment's security groups."""
    ec2 = client("ec2")
    own = [group["GroupId"] for group in ec2.describe_security_groups(Filters=tagged(state))["SecurityGroups"]]
    assert own
    found = ec2.describe_security_group_rules(Filters=[{"Name": "group-id", "Values": own}])["SecurityGroupRules"]
    return [rule for rule in found if not rule["IsEgress"]]


def door(rule: dict[str, Any]) -> tuple[str, int, str]:
    """Return group, port and source of a rule as EC2 describes it."""
    source = rule.get("CidrIpv4") or rule["ReferencedGroupInfo"]["GroupId"]
    return rule["GroupId"], rule["FromPort"], source


def made_by_up(state: State, home: Path) -> Iterator[tuple[str, int, str]]:
    """Yield the same of the rules that the stack's checkpoint has; nothing writes it between `up` and the hardening."""
    file = home / "pulumi" / ".pulumi" / "stacks" / "autodeploy" / f"{state['deployment_id']}.json"
    for resource in json.loads(file.read_text())["checkpoint"]["latest"]["resources"]:
        if resource["type"] == "aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule":
            given = resource["outputs"]
            yield (
                given["securityGroupId"],
                given["fromPort"],
                given.get("cidrIpv4") or given["referencedSecurityGroupId"],
            )
