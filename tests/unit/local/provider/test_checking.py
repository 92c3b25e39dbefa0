"""Check: what pulumi_aws does not know, what AWS refuses, what the local target cannot do; names that are generated."""

from __future__ import annotations

import json
from typing import Any

import pytest

from autodeploy.local.provider.checking import DEFAULTS, check
from autodeploy.local.provider.schema import completed, schema
from autodeploy.local.provider.table import TABLE
from autodeploy.local.provider.wire import UNKNOWN

SEED = bytes(range(16))
SHORT = {token.rpartition(":")[2]: token for token in TABLE if token != "aws:rds/instance:Instance"}
SHORT["Database"] = "aws:rds/instance:Instance"
VALID: dict[str, dict[str, Any]] = {
    "Vpc": {"cidrBlock": "10.0.0.0/16"},
    "Subnet": {"vpcId": UNKNOWN, "cidrBlock": "10.0.1.0/24"},
    "InternetGateway": {},
    "RouteTable": {"vpcId": UNKNOWN},
    "Route": {"routeTableId": UNKNOWN, "destinationCidrBlock": "0.0.0.0/0", "gatewayId": UNKNOWN},
    "RouteTableAssociation": {"routeTableId": UNKNOWN, "subnetId": UNKNOWN},
    "SecurityGroup": {"vpcId": UNKNOWN},
    "SecurityGroupIngressRule": {
        "securityGroupId": "sg-1",
        "ipProtocol": "tcp",
        "fromPort": 1,
        "toPort": 2,
        "cidrIpv4": UNKNOWN,
    },
    "SecurityGroupEgressRule": {"securityGroupId": "sg-1", "ipProtocol": "-1", "cidrIpv6": "::/0"},
    "KeyPair": {"publicKey": "ssh-ed25519 AAAA"},
    "Instance": {"ami": "ami-1", "instanceType": "t3.micro", "keyName": "k", "subnetId": UNKNOWN, "userData": "x"},
    "SubnetGroup": {"subnetIds": ["a", UNKNOWN]},
    "ParameterGroup": {"family": "postgres15", "parameters": [{"name": "a", "value": "b"}]},
    "Database": {
        "engine": "postgres",
        "engineVersion": "15",
        "instanceClass": "db.t3.micro",
        "username": "dbadmin",
        "allocatedStorage": 20,
        "dbSubnetGroupName": "s",
        "manageMasterUserPassword": True,
    },
    "Record": {"zoneId": "Z1", "name": UNKNOWN, "type": "CNAME", "ttl": 60, "records": [UNKNOWN]},
    "Certificate": {"certificateBody": UNKNOWN, "privateKey": UNKNOWN},
    "CertificateValidation": {"certificateArn": UNKNOWN},
    "LoadBalancer": {"subnets": UNKNOWN},
    "TargetGroup": {"port": 80, "protocol": "HTTP", "vpcId": UNKNOWN, "healthCheck": {"matcher": "200-499"}},
    "TargetGroupAttachment": {"targetGroupArn": UNKNOWN, "targetId": UNKNOWN},
    "Listener": {
        "loadBalancerArn": UNKNOWN,
        "port": 80,
        "defaultActions": [{"type": "forward", "targetGroupArn": UNKNOWN}],
    },
    "Role": {"assumeRolePolicy": '{"Statement": []}', "path": "/autodeploy/"},
    "RolePolicy": {"role": UNKNOWN, "policy": UNKNOWN},
    "InstanceProfile": {"role": UNKNOWN},
    "LogGroup": {"retentionInDays": 30},
    "MetricAlarm": {
        "namespace": "AWS/EC2",
        "metricName": "StatusCheckFailed",
        "dimensions": {"InstanceId": UNKNOWN},
        "statistic": "Maximum",
        "comparisonOperator": "GreaterThanThreshold",
        "threshold": 0.5,
        "period": 60,
        "evaluationPeriods": 3,
        "alarmActions": [UNKNOWN],
    },
    "Dashboard": {"dashboardName": "web-1", "dashboardBody": UNKNOWN},
    "Topic": {},
    "TopicSubscription": {"topic": UNKNOWN, "protocol": "email", "endpoint": "ops@example.org"},
}


def refused(kind: str, changes: dict[str, Any]) -> dict[str, str]:
    news = {name: value for name, value in {**VALID[kind], **changes}.items() if value is not None}
    return dict(check(TABLE[SHORT[kind]], news, {}, "thing", SEED)[1])


@pytest.mark.parametrize("kind", VALID)
def test_every_type_has_inputs_that_pass(kind: str) -> None:
    assert refused(kind, {}) == {}
    assert set(VALID) == set(SHORT)


@pytest.mark.parametrize("kind", VALID)
def test_an_unknown_input_is_named_with_its_neighbour(kind: str) -> None:
    known = sorted(TABLE[SHORT[kind]].handled() & schema(SHORT[kind]).inputs.keys())[0]
    answer = refused(kind, {known + "z": "x"})
    assert answer[known + "z"] == f"{SHORT[kind]} has no property '{known}z'; did you mean '{known}'?"


@pytest.mark.parametrize("kind", [kind for kind in VALID if schema(SHORT[kind]).required])
def test_a_missing_input_is_named(kind: str) -> None:
    for name in schema(SHORT[kind]).required:
        assert refused(kind, {name: None})[name] == f"missing required property '{name}'"


@pytest.mark.parametrize("kind", VALID)
def test_the_table_speaks_of_real_inputs_only(kind: str) -> None:
    entry = TABLE[SHORT[kind]]
    assert entry.handled() <= schema(entry.token).inputs.keys()
    assert not set(entry.replaces) & set(entry.updates)


@pytest.mark.parametrize(
    ("kind", "changes", "path"),
    [
        ("Vpc", {"cidrBlock": None}, "cidrBlock"),
        ("Vpc", {"cidrBlock": "10.0.0.0/8"}, "cidrBlock"),
        ("Vpc", {"cidrBlock": "10.0.0.1/16"}, "cidrBlock"),
        ("Vpc", {"cidrBlock": 10}, "cidrBlock"),
        ("Vpc", {"enableDnsSupport": "yes"}, "enableDnsSupport"),
        ("Vpc", {"ipv6IpamPoolId": "x"}, "ipv6IpamPoolId"),
        ("Vpc", {"tags": {"aws:x": "y"}}, "tags.aws:x"),
        ("Vpc", {"tags": {"x": "no$sign"}}, "tags.x"),
        ("Vpc", {"tags": {"x": 1}}, "tags.x"),
        ("Vpc", {"tags": {f"k{n}": "v" for n in range(51)}}, "tags"),
        ("Vpc", {"tags": ["a"]}, "tags"),
        ("SecurityGroup", {"vpcId": None}, "vpcId"),
        ("SecurityGroup", {"name": "sg-mine"}, "name"),
        ("SecurityGroup", {"description": "the app's"}, "description"),
        ("SecurityGroup", {"ingress": []}, "ingress"),
        ("SecurityGroupIngressRule", {"toPort": None}, "toPort"),
        ("SecurityGroupIngressRule", {"toPort": 65536}, "toPort"),
        ("SecurityGroupIngressRule", {"cidrIpv4": None}, "cidrIpv4"),
        ("SecurityGroupIngressRule", {"cidrIpv4": "10.0.0.1/8"}, "cidrIpv4"),
        ("SecurityGroupIngressRule", {"referencedSecurityGroupId": "sg-2"}, "cidrIpv4"),
        ("SecurityGroupEgressRule", {"cidrIpv6": "0.0.0.0/0"}, "cidrIpv6"),
        ("Route", {"gatewayId": None}, "gatewayId"),
        ("RouteTableAssociation", {"subnetId": None}, "subnetId"),
        ("KeyPair", {"keyName": "clé"}, "keyName"),
        ("Instance", {"userData": "x" * 16385}, "userData"),
        ("Instance", {"subnetId": None}, "subnetId"),
        ("Instance", {"rootBlockDevice": {"volumeSise": 20}}, "rootBlockDevice.volumeSise"),
        ("Instance", {"rootBlockDevice": []}, "rootBlockDevice"),
        ("Instance", {"hibernation": True}, "hibernation"),
        ("Database", {"identifier": "Web"}, "identifier"),
        ("Database", {"identifier": "web--db"}, "identifier"),
        ("Database", {"identifier": "web-"}, "identifier"),
        ("Database", {"dbName": "my-app"}, "dbName"),
        ("Database", {"engine": "oracle-ee"}, "engine"),
        ("Database", {"engineVersion": "fifteen"}, "engineVersion"),
        ("Database", {"engine": "mysql", "engineVersion": "8"}, "engineVersion"),
        ("Database", {"username": "1admin"}, "username"),
        ("Database", {"backupRetentionPeriod": 36}, "backupRetentionPeriod"),
        ("Subnet", {"cidrBlock": "10.0.1.0/29"}, "cidrBlock"),
        ("Database", {"allocatedStorage": 5}, "allocatedStorage"),
        ("Database", {"manageMasterUserPassword": None}, "manageMasterUserPassword"),
        ("Database", {"password": "x"}, "password"),
        ("ParameterGroup", {"name": "default"}, "name"),
        ("ParameterGroup", {"parameters": [{"name": "a"}]}, "parameters[0].value"),
        ("SubnetGroup", {"name": "-x"}, "name"),
        ("Certificate", {"privateKey": None}, "privateKey"),
        ("Certificate", {"certificateBody": "x", "privateKey": "y"}, "certificateBody"),
        ("Certificate", {"domainName": "example.org", "validationMethod": "EMAIL"}, "validationMethod"),
        ("LoadBalancer", {"accessLogs": {"bucket": "B"}}, "accessLogs.bucket"),
        ("LoadBalancer", {"accessLogs": {"bucket": "logs", "prefix": "/x"}}, "accessLogs.prefix"),
        ("LoadBalancer", {"accessLogs": {"bucket": "logs", "prefix": "a/AWSLogs"}}, "accessLogs.prefix"),
        ("LoadBalancer", {"name": "l" * 33}, "name"),
        ("LoadBalancer", {"name": "under_score"}, "name"),
        ("LoadBalancer", {"name": "-l"}, "name"),
        ("LoadBalancer", {"name": "internal-l"}, "name"),
        ("LoadBalancer", {"loadBalancerType": "network"}, "loadBalancerType"),
        ("TargetGroup", {"name": "t" * 33}, "name"),
        ("TargetGroup", {"protocol": "HTTPS"}, "protocol"),
        ("TargetGroup", {"targetType": "lambda"}, "targetType"),
        ("TargetGroup", {"deregistrationDelay": 3601}, "deregistrationDelay"),
        ("TargetGroup", {"healthCheck": None}, "healthCheck.matcher"),
        ("TargetGroup", {"healthCheck": {"matcher": "200-399"}}, "healthCheck.matcher"),
        ("TargetGroup", {"healthCheck": {"matcher": "200-499", "interval": 4}}, "healthCheck.interval"),
        ("TargetGroup", {"healthCheck": {"matcher": "200-499", "interval": 5, "timeout": 5}}, "healthCheck.timeout"),
        ("TargetGroup", {"healthCheck": {"matcher": "200-499", "path": "x"}}, "healthCheck.path"),
        ("TargetGroup", {"healthCheck": {"matcher": "200-499", "port": "9"}}, "healthCheck.port"),
        ("Listener", {"port": None}, "port"),
        ("Listener", {"protocol": "TCP"}, "protocol"),
        ("Listener", {"protocol": "HTTPS"}, "certificateArn"),
        ("Listener", {"defaultActions": []}, "defaultActions"),
        ("Listener", {"defaultActions": [{"type": "forward"}]}, "defaultActions[0].targetGroupArn"),
        ("Listener", {"defaultActions": [{"type": "fixed-response"}]}, "defaultActions[0].type"),
        (
            "Listener",
            {"defaultActions": [{"type": "redirect", "redirect": {"statusCode": "HTTP_302"}}]},
            "defaultActions[0].redirect",
        ),
        ("Listener", {"defaultActions": [{"type": "redirect"}]}, "defaultActions[0].redirect"),
        ("Role", {"name": "r" * 65}, "name"),
        ("Role", {"name": "rôle"}, "name"),
        ("Role", {"path": "autodeploy"}, "path"),
        ("Role", {"description": "d" * 1001}, "description"),
        ("Role", {"maxSessionDuration": 60}, "maxSessionDuration"),
        ("Role", {"assumeRolePolicy": "[]"}, "assumeRolePolicy"),
        ("Role", {"assumeRolePolicy": json.dumps({"x": "x" * 2048})}, "assumeRolePolicy"),
        ("Role", {"managedPolicyArns": ["arn:aws:iam::aws:policy/AdministratorAccess"]}, "managedPolicyArns"),
        ("RolePolicy", {"policy": "{"}, "policy"),
        ("RolePolicy", {"policy": json.dumps({"x": "x" * 10240})}, "policy"),
        ("InstanceProfile", {"name": "p p"}, "name"),
        ("LogGroup", {"name": "a b"}, "name"),
        ("LogGroup", {"retentionInDays": 31}, "retentionInDays"),
        ("LogGroup", {"skipDestroy": True}, "skipDestroy"),
        ("MetricAlarm", {"period": None}, "period"),
        ("MetricAlarm", {"period": 90}, "period"),
        ("MetricAlarm", {"evaluationPeriods": 0}, "evaluationPeriods"),
        ("MetricAlarm", {"period": 300, "evaluationPeriods": 289}, "evaluationPeriods"),
        ("MetricAlarm", {"period": 3600, "evaluationPeriods": 169}, "evaluationPeriods"),
        ("MetricAlarm", {"statistic": "Median"}, "statistic"),
        ("MetricAlarm", {"treatMissingData": "ignored"}, "treatMissingData"),
        ("MetricAlarm", {"comparisonOperator": ">"}, "comparisonOperator"),
        ("MetricAlarm", {"alarmActions": ["arn"] * 6}, "alarmActions"),
        ("MetricAlarm", {"alarmDescription": "d" * 1025}, "alarmDescription"),
        ("Dashboard", {"dashboardName": "a.b"}, "dashboardName"),
        ("Dashboard", {"dashboardBody": "nothing"}, "dashboardBody"),
        ("Dashboard", {"dashboardBody": json.dumps({"widgets": [{"type": "clock"}]})}, "dashboardBody"),
        ("Dashboard", {"dashboardBody": json.dumps({"widgets": [{"type": "text", "x": 20}]})}, "dashboardBody"),
        ("Dashboard", {"dashboardBody": json.dumps({"widgets": [{"type": "text"}] * 501})}, "dashboardBody"),
        ("Topic", {"name": "a b"}, "name"),
        ("Topic", {"kmsMasterKeyId": "alias/aws/sns"}, "kmsMasterKeyId"),
        ("TopicSubscription", {"protocol": "sms"}, "protocol"),
        ("TopicSubscription", {"endpoint": "nobody"}, "endpoint"),
    ],
)
def test_what_cannot_be_made_is_refused_by_name(kind: str, changes: dict[str, Any], path: str) -> None:
    assert path in refused(kind, changes)


def test_a_foreign_key_is_refused() -> None:
    from cryptography.hazmat.primitives import serialization
    from cryptography.hazmat.primitives.asymmetric import ec

    other = ec.generate_private_key(ec.SECP256R1()).private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    answer = refused("Certificate", {"certificateBody": _self_signed(), "privateKey": other.decode()})
    assert answer == {"privateKey": "the private key does not belong to the certificate"}


def test_unknown_values_pass_every_limit() -> None:
    for kind in VALID:
        names = TABLE[SHORT[kind]].handled() & schema(SHORT[kind]).inputs.keys()
        names -= {"referencedSecurityGroupId", "cidrIpv4", "cidrIpv6", "manageMasterUserPassword", "certificateArn"}
        assert refused(kind, dict.fromkeys(names, UNKNOWN)) == {}, kind


def test_a_generated_name_is_kept_until_the_program_gives_one() -> None:
    entry = TABLE[SHORT["LoadBalancer"]]
    long = "a-rather-long-logical-name-of-a-balancer"
    first, _ = check(entry, VALID["LoadBalancer"], {}, long, SEED)
    assert (first["name"], first[DEFAULTS]) == ("a-rather-long-logical-na-0001020", ["name"])
    second, _ = check(entry, VALID["LoadBalancer"], first, long, SEED[::-1])
    assert second["name"] == first["name"]
    given, _ = check(entry, {**VALID["LoadBalancer"], "name": "mine"}, first, long, SEED)
    assert (given["name"], given[DEFAULTS]) == ("mine", [])
    again, _ = check(entry, VALID["LoadBalancer"], given, long, SEED)
    assert again["name"] == first["name"]


def test_a_generated_name_of_rds_is_lower_case() -> None:
    inputs, failures = check(TABLE["aws:rds/subnetGroup:SubnetGroup"], VALID["SubnetGroup"], {}, "Private", SEED)
    assert (inputs["name"], inputs["description"], failures) == ("private-0001020", "Managed by Pulumi", [])


def test_members_that_are_not_given_are_not_known_yet() -> None:
    done = completed(SHORT["TargetGroup"], {"healthCheck": {"path": "/x"}, "port": 80, "tags": {"a": "b"}})
    assert (done["healthCheck"]["path"], done["healthCheck"]["interval"]) == ("/x", UNKNOWN)
    assert (done["port"], done["tags"]) == (80, {"a": "b"})


def _self_signed() -> str:
    import datetime

    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec

    key = ec.generate_private_key(ec.SECP256R1())
    now = datetime.datetime(2030, 1, 1)
    builder = x509.CertificateBuilder().subject_name(x509.Name([])).issuer_name(x509.Name([]))
    builder = builder.public_key(key.public_key()).serial_number(1).not_valid_before(now)
    made = builder.not_valid_after(now + datetime.timedelta(days=1)).sign(key, hashes.SHA256())
    return made.public_bytes(serialization.Encoding.PEM).decode()
