"""The action table covers what the program declares, its actions exist, and the policy made of it can be attached."""

from __future__ import annotations

import json
import re
from fnmatch import fnmatchcase
from functools import cache
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore import xform_name
from deploying import deploy
from fixtures.planned import planned

from autodeploy.adapters import aws as adapter
from autodeploy.adapters.aws.actions import ACTIONS, OWN, OWN_GLOBAL, SESSIONS
from autodeploy.adapters.aws.finding import SEARCHES
from autodeploy.adapters.aws.policy import LIMIT, OURS, WHOLE, actions, is_global, policy, size
from autodeploy.model import TechStack

SAMPLE = Path(__file__).parents[3] / "fixtures/sample_repos/flask-postgres/techstack.json"
ALL = sorted({action for found in actions(ACTIONS).values() for action in found} | {*OWN, *OWN_GLOBAL})
CLIENTS = {
    "elasticloadbalancing": "elbv2",
    "servicequotas": "service-quotas",
    "tag": "resourcegroupstaggingapi",
}
"""boto3's name of a service where IAM has another."""
NO_OPERATION = {"iam:PassRole": "a permission of its own, asked for where a role is given to a machine"}
MISSING = (
    "{token} has no row in autodeploy/adapters/aws/actions.py: add one with `example`, `look`, `make`, `change` "
    "(or `named`), from the service authorization reference, and look whether the policy still fits."
)


@cache
def operations(service: str) -> frozenset[str]:
    client = boto3.client(CLIENTS.get(service, service), region_name="us-east-1")
    return frozenset(client.meta.service_model.operation_names)


@cache
def allowed() -> tuple[str, ...]:
    return tuple(pattern for statement in policy("us-east-1")["Statement"] for pattern in statement["Action"])


def flat(statement: dict[str, Any]) -> list[str]:
    return [f"{statement['Sid']} {action}" for action in statement["Action"]]


class TestTable:
    def test_has_a_row_for_every_type_of_a_whole_deployment(self) -> None:
        whole = planned(TechStack.model_validate_json(SAMPLE.read_text())).infra
        assert whole.web and whole.database
        for declared in deploy(whole).physical:
            assert declared.type in ACTIONS, MISSING.format(token=declared.type)

    def test_has_a_row_for_every_type_that_can_be_taken_over(self) -> None:
        for token in SEARCHES:
            assert token in ACTIONS, MISSING.format(token=token)

    @pytest.mark.parametrize("action", ALL)
    def test_names_actions_that_exist(self, action: str) -> None:
        service, name = action.split(":")
        assert name in operations(service) or action in NO_OPERATION, f"{action} is no operation of {service}"

    @pytest.mark.parametrize("token", sorted(ACTIONS))
    def test_only_looks_where_it_says_so(self, token: str) -> None:
        for action in ACTIONS[token].look:
            assert action.split(":")[1].startswith(("Describe", "Get", "List")), action


SERVICES = sorted({action.split(":")[0] for action in ALL})


def called() -> set[str]:
    """Return the operations that the adapter's own code names, as method or in text, of the services in the table."""
    words = {
        word
        for path in Path(adapter.__file__).parent.glob("*.py")
        for word in re.findall(r"\b[a-z]+(?:_[a-z0-9]+)+\b", path.read_text("utf-8"))
    }
    return {name for service in SERVICES for name in operations(service) if xform_name(name) in words}


@pytest.mark.parametrize("name", sorted(called()))
def test_what_autodeploy_itself_asks_of_the_account_is_in_the_table(name: str) -> None:
    asked = {action.split(":")[1] for action in ALL}
    assert name in asked, f"add {name} to OWN in autodeploy/adapters/aws/actions.py, or to the row whose type needs it"


class TestPolicy:
    @pytest.mark.parametrize("region", ["us-east-1", "ap-southeast-7", "us-gov-west-1", "cn-northwest-1"])
    def test_fits_into_a_managed_policy(self, region: str) -> None:
        assert size(policy(region)) <= LIMIT, "give reads of a service as a whole in policy.WHOLE, or split the policy"

    @pytest.mark.parametrize("action", ALL)
    def test_allows_every_action_of_the_table(self, action: str) -> None:
        assert any(fnmatchcase(action, pattern) for pattern in allowed())

    def test_is_a_document_as_iam_takes_it(self) -> None:
        document = json.loads(json.dumps(policy("us-east-1")))
        assert document["Version"] == "2012-10-17"
        sids = [statement["Sid"] for statement in document["Statement"]]
        assert len(set(sids)) == len(sids)
        assert all(sid.isalnum() for sid in sids)
        for statement in document["Statement"]:
            assert statement["Effect"] == "Allow"
            assert statement["Action"] == sorted(set(statement["Action"]))
            assert not any("{" in resource for resource in [statement["Resource"]])

    def test_allows_nothing_whole_but_reads_and_changes_of_its_own(self) -> None:
        whole = {pattern for patterns in WHOLE.values() for pattern in patterns}
        for statement in policy("us-east-1")["Statement"]:
            for pattern in statement["Action"]:
                if "*" in pattern:
                    is_own = statement.get("Condition", {}).get("StringEquals", {}).items() >= OURS.items()
                    assert pattern in whole
                    assert ":Describe" in pattern or is_own

    def test_changes_and_deletes_only_what_is_tagged_or_named(self) -> None:
        for statement in policy("us-east-1")["Statement"]:
            condition = json.dumps(statement.get("Condition", {}))
            for action in statement["Action"]:
                if action.split(":")[1].startswith(("Delete", "Terminate", "Detach", "Stop", "Revoke", "Remove")):
                    assert "aws:ResourceTag/ManagedBy" in condition or statement["Resource"] != "*", action

    def test_binds_to_its_region_what_belongs_to_one(self) -> None:
        for statement in policy("eu-west-1")["Statement"]:
            told = json.dumps([statement["Resource"], statement.get("Condition", {})])
            if not all(is_global(action) for action in statement["Action"]) and not statement["Sid"].startswith(
                "Named"
            ):
                assert "eu-west-1" in told, statement["Sid"]

    def test_of_a_plan_allows_no_more_than_the_plan_needs(self) -> None:
        document = policy("us-east-1", ["aws:ec2/vpc:Vpc"])
        allowed = [line for statement in document["Statement"] for line in flat(statement)]
        assert not [line for line in allowed if "rds:Create" in line or "iam:Create" in line]
        assert any("ec2:CreateVpc" in line for line in allowed)

    def test_of_a_type_without_tags_tags_nothing(self) -> None:
        told = json.dumps(policy("us-east-1", ["aws:route53/record:Record"]))
        assert "ec2:CreateTags" not in told
        assert "route53:ChangeResourceRecordSets" in told

    @pytest.mark.parametrize("region", ["us-east-1", "ap-southeast-7", "us-gov-west-1", "cn-northwest-1"])
    def test_with_sessions_fits_too(self, region: str) -> None:
        assert size(policy(region, access="ssm")) <= LIMIT

    def test_sessions_are_to_tagged_machines_by_one_document_and_each_person_s_own(self) -> None:
        before = policy("eu-west-1")["Statement"]
        assert "ssm:" not in json.dumps(before)
        *same, machines, own = policy("eu-west-1", access="ssm")["Statement"]
        assert same == before
        assert (machines["Action"], machines["Resource"]) == (
            ["ssm:StartSession"],
            "arn:aws:ec2:eu-west-1:*:instance/*",
        )
        assert machines["Condition"] == {"StringEquals": {"ssm:resourceTag/ManagedBy": "AutoDeploy"}}
        assert own["Resource"] == [
            "arn:aws:ssm:eu-west-1::document/AWS-StartSSHSession",
            "arn:aws:ssm:eu-west-1:*:session/${aws:userid}-*",
        ]
        assert {*machines["Action"], *own["Action"]} == {action for found in SESSIONS.values() for action in found}
        assert "ssm:SendCommand" not in json.dumps([machines, own])

    def test_actions_of_sessions_exist(self) -> None:
        for action in {action for found in SESSIONS.values() for action in found} - {"ssmmessages:OpenDataChannel"}:
            service, name = action.split(":")
            assert name in operations(service)

    def test_knows_the_partitions(self) -> None:
        assert "arn:aws-us-gov:ec2:us-gov-west-1:" in json.dumps(policy("us-gov-west-1"))
