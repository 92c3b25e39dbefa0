"""What the Pulumi program declares, on Pulumi's own mocks: hardening, secrets, names, and refusals."""

from __future__ import annotations

import json
import re
from typing import Any

import pulumi
import pytest

from autodeploy.model import DatabasePlan, InfraPlan, WebPlan
from tests.infra.deploying import KEY, SECRET, Deployed, deploy

# https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_CreateSecurityGroup.html
DESCRIPTION = re.compile(r"[a-zA-Z0-9 ._\-:/()#,@\[\]+=&;{}!$*]{1,255}")
CERTIFICATE = "-----BEGIN CERTIFICATE-----\nleaf\n-----END CERTIFICATE-----\n"


def plan(**changes: Any) -> InfraPlan:
    return InfraPlan.model_validate(
        {
            "deployment_id": "guestbook-1",
            "name": "guestbook",
            "target": "local",
            "account_id": "123456789012",
            "region": "us-east-1",
            "zones": ("us-east-1a", "us-east-1b"),
            "image_id": "ami-debian12local0001",
            "instance_type": "t3.small",
            "ssh_public_key": "ssh-ed25519 AAAA",
            "admin_cidr": "198.51.100.7/32",
            "user_data": "#cloud-config\n",
            "web": WebPlan(certificate_pem=CERTIFICATE, certificate_chain_pem="chain"),
            "database": DatabasePlan(engine="postgres", engine_version="15.8"),
            **changes,
        }
    )


@pytest.fixture(scope="module")
def whole() -> Deployed:
    return deploy(plan())


def test_machine_is_encrypted_and_answers_metadata_by_token_only(whole: Deployed) -> None:
    inputs = whole.one("Instance", "app").inputs
    assert inputs["rootBlockDevice"]["encrypted"] is True
    assert inputs["rootBlockDevice"]["volumeType"] == "gp3"
    metadata = inputs["metadataOptions"]
    assert (metadata["httpTokens"], metadata["httpPutResponseHopLimit"]) == ("required", 1)
    assert inputs["userData"] == "#cloud-config\n"
    assert inputs["userDataReplaceOnChange"] is False
    assert inputs["keyName"] == whole.one("KeyPair").inputs["keyName"] == whole.outputs["keyName"]


def test_the_machine_has_its_profile(whole: Deployed) -> None:
    profile = whole.one("InstanceProfile").inputs["name"]
    assert whole.one("Instance", "app").inputs["iamInstanceProfile"] == profile == "guestbook-1"


def test_the_machine_may_write_to_its_own_log_group_and_do_nothing_else(whole: Deployed) -> None:
    (statement,) = json.loads(whole.one("RolePolicy").inputs["policy"])["Statement"]
    assert statement["Effect"] == "Allow"
    assert statement["Action"] == ["logs:CreateLogStream", "logs:PutLogEvents"]
    assert statement["Resource"] == f"arn:{whole.one('LogGroup').id}:*"
    role = whole.one("Role").inputs
    (trusted,) = json.loads(role["assumeRolePolicy"])["Statement"]
    assert (trusted["Principal"], trusted["Action"]) == ({"Service": "ec2.amazonaws.com"}, "sts:AssumeRole")
    assert not {"managedPolicyArns", "inlinePolicies"} & role.keys()
    assert whole.one("RolePolicy").inputs["role"] == whole.one("InstanceProfile").inputs["role"] == role["name"]


def test_a_machine_that_is_reached_by_sessions_has_no_ssh_port_and_may_take_sessions(whole: Deployed) -> None:
    deployed = deploy(plan(access="ssm", admin_cidr="127.0.0.1/32"))
    assert {group.name for group in deployed.of("SecurityGroup")} == {"app", "balancer", "database"}
    assert not [rule for rule in deployed.of("SecurityGroupIngressRule") if rule.inputs["fromPort"] == 22]
    machine = deployed.one("Instance", "app").inputs
    assert machine["vpcSecurityGroupIds"] == [deployed.one("SecurityGroup", "app").id]
    policies = {each.name: json.loads(each.inputs["policy"])["Statement"] for each in deployed.of("RolePolicy")}
    assert policies["log-group"] == json.loads(whole.one("RolePolicy").inputs["policy"])["Statement"]
    (statement,) = policies["session"]
    assert statement["Effect"] == "Allow"
    assert statement["Action"] == [
        "ssm:UpdateInstanceInformation",
        "ssmmessages:CreateControlChannel",
        "ssmmessages:CreateDataChannel",
        "ssmmessages:OpenControlChannel",
        "ssmmessages:OpenDataChannel",
    ]
    assert {each.inputs["role"] for each in deployed.of("RolePolicy")} == {deployed.one("Role").inputs["name"]}
    assert not deployed.of("RolePolicyAttachment"), "AWS's managed policies read every parameter of the account"


def test_access_alone_changes_nothing_else_of_what_is_declared(whole: Deployed) -> None:
    other = deploy(plan(access="ssm"))
    told = {(each.type, each.name): each.inputs for each in other.physical}
    before = {(each.type, each.name): each.inputs for each in whole.physical}
    assert before.keys() - told.keys() == {
        ("aws:ec2/securityGroup:SecurityGroup", "ssh"),
        ("aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule", "ssh"),
    }
    assert told.keys() - before.keys() == {("aws:iam/rolePolicy:RolePolicy", "session")}
    differing = {key for key in told.keys() & before.keys() if told[key] != before[key]}
    assert differing == {("aws:ec2/instance:Instance", "app")}


def test_database_is_private_backed_up_and_refuses_plain_connections(whole: Deployed) -> None:
    inputs = whole.one("Instance", "database").inputs
    assert inputs["manageMasterUserPassword"] is True
    assert inputs["deletionProtection"] is True
    assert inputs["backupRetentionPeriod"] == 7
    assert inputs["skipFinalSnapshot"] is False
    assert inputs["finalSnapshotIdentifier"] == f"{inputs['identifier']}-final"
    assert inputs["applyImmediately"] is True
    (parameter,) = whole.one("ParameterGroup").inputs["parameters"]
    assert (parameter["name"], parameter["value"]) == ("rds.force_ssl", "1")
    assert inputs["parameterGroupName"] == whole.one("ParameterGroup").inputs["name"]


@pytest.mark.parametrize("target", ["aws", "local"])
@pytest.mark.parametrize("protected", [True, False])
def test_only_an_unprotected_database_goes_without_a_last_snapshot(target: str, protected: bool) -> None:
    database = DatabasePlan(engine="postgres", engine_version="15.8", deletion_protection=protected)
    made = deploy(plan(target=target, database=database)).one("Instance", "database")
    assert made.inputs["skipFinalSnapshot"] is not protected


def test_protection_and_parameters_come_from_the_plan() -> None:
    database = DatabasePlan(engine="mysql", engine_version="8.0.39", port=3306, deletion_protection=False)
    deployed = deploy(plan(database=database))
    inputs = deployed.one("Instance", "database").inputs
    assert inputs["deletionProtection"] is False
    assert inputs["finalSnapshotIdentifier"] == f"{inputs['identifier']}-final"
    assert deployed.one("ParameterGroup").inputs["family"] == "mysql8.0"
    assert deployed.one("ParameterGroup").inputs["parameters"][0]["name"] == "require_secure_transport"


def test_https_forwards_and_http_only_redirects(whole: Deployed) -> None:
    https, http = whole.one("Listener", "https").inputs, whole.one("Listener", "http").inputs
    assert (https["port"], https["protocol"]) == (443, "HTTPS")
    assert https["sslPolicy"].startswith("ELBSecurityPolicy-TLS13-1-2")
    assert https["certificateArn"] == whole.outputs["certificateArn"]
    assert https["defaultActions"][0]["type"] == "forward"
    (redirect,) = http["defaultActions"]
    assert redirect["type"] == "redirect"
    assert redirect["redirect"] == {"protocol": "HTTPS", "port": "443", "statusCode": "HTTP_301"}


def test_balancer_is_protected_and_drops_what_is_no_header(whole: Deployed) -> None:
    inputs = whole.one("LoadBalancer").inputs
    assert inputs["enableDeletionProtection"] is True and inputs["dropInvalidHeaderFields"] is True
    assert "accessLogs" not in inputs
    open_plan = plan(web=plan().web.but(deletion_protection=False, access_logs_bucket="logs-of-shop"))
    inputs = deploy(open_plan).one("LoadBalancer").inputs
    assert inputs["enableDeletionProtection"] is False
    assert inputs["accessLogs"] == {"bucket": "logs-of-shop", "prefix": "guestbook-1", "enabled": True}


def test_any_answer_but_a_server_error_is_healthy(whole: Deployed) -> None:
    assert whole.one("TargetGroup").inputs["healthCheck"]["matcher"] == "200-499"


def test_certificate_key_is_a_secret_and_stands_nowhere_else(whole: Deployed) -> None:
    certificate = whole.one("Certificate").inputs
    assert certificate["privateKey"][SECRET]
    assert certificate["privateKey"]["value"] == KEY
    assert certificate["certificateChain"] == "chain"
    others = [each.inputs for each in whole.resources if each.type != "aws:acm/certificate:Certificate"]
    assert "nobody may read this" not in json.dumps([dict(each) for each in others], default=str)
    assert "nobody may read this" not in json.dumps(whole.outputs, default=str)


def test_exports_what_the_agents_read(whole: Deployed) -> None:
    assert set(whole.outputs) == {
        "vpcId",
        "publicSubnetId",
        "privateSubnetId",
        "instanceId",
        "publicIp",
        "privateIp",
        "securityGroupId",
        "keyName",
        "databaseEndpoint",
        "databasePort",
        "databaseName",
        "databaseSecretArn",
        "loadBalancerDns",
        "certificateArn",
    }
    assert whole.outputs["securityGroupId"] == whole.one("SecurityGroup", "app").id
    assert whole.outputs["publicSubnetId"] == whole.one("Subnet", "public-1").id
    assert whole.outputs["databaseSecretArn"] == "arn:secret"


def test_worker_without_database_has_neither(whole: Deployed) -> None:
    deployed = deploy(plan(web=None, database=None), {"autodeploy:plan": plan(web=None, database=None).to_json()})
    assert {group.name for group in deployed.of("SecurityGroup")} == {"app", "ssh"}
    assert {rule.inputs["fromPort"] for rule in deployed.of("SecurityGroupIngressRule")} == {22}
    assert len(deployed.physical) < len(whole.physical)


def test_descriptions_are_legal_for_aws(whole: Deployed) -> None:
    described = [each.inputs["description"] for each in whole.physical if "description" in each.inputs]
    assert described
    assert all(DESCRIPTION.fullmatch(text) for text in described)


def test_names_change_with_what_forces_replacement(whole: Deployed) -> None:
    other = deploy(plan(ssh_public_key="ssh-ed25519 BBBB", vpc_cidr="10.1.0.0/16"))
    for kind, key in (("KeyPair", "keyName"), ("LoadBalancer", "name"), ("TargetGroup", "name")):
        assert other.one(kind).inputs[key] != whole.one(kind).inputs[key]
    assert deploy(plan()).one("KeyPair").inputs == whole.one("KeyPair").inputs


def test_two_deployments_share_no_name(whole: Deployed) -> None:
    keys = ("name", "identifier", "keyName")

    def names(deployed: Deployed) -> set[str]:
        return {each.inputs[key] for each in deployed.physical for key in keys if key in each.inputs}

    assert not names(whole) & names(deploy(plan(deployment_id="guestbook-2")))


@pytest.mark.parametrize(
    ("config", "complaint"),
    [
        ({}, "autodeploy:plan"),
        ({"autodeploy:plan": "{}"}, "deployment_id"),
        ({"autodeploy:plan": plan().to_json()}, "autodeploy:certificateKey"),
    ],
)
def test_refuses_a_config_that_is_not_whole(config: dict[str, str], complaint: str) -> None:
    with pytest.raises((pulumi.ConfigMissingError, ValueError), match=complaint):
        deploy(plan(), config)


def test_the_provider_assumes_the_role_of_the_plan(whole: Deployed) -> None:
    (plain,) = whole.of("aws")
    assert "assumeRoles" not in plain.inputs
    role_arn = "arn:aws:iam::123456789012:role/deployer"
    (assuming,) = deploy(plan(role_arn=role_arn)).of("aws")
    assert json.loads(assuming.inputs["assumeRoles"]) == [{"roleArn": role_arn, "sessionName": "AutoDeploy"}]
    assert {name: value for name, value in assuming.inputs.items() if name != "assumeRoles"} == plain.inputs
