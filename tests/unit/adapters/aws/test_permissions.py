"""What IAM says of the actions that a plan needs; its simulation is written down, the emulator has none."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timezone
from typing import Any

import pytest
from botocore.exceptions import ClientError

from autodeploy.adapters.aws import permissions
from tests.unit.adapters.aws.answers import decided, here

ROLE = "arn:aws:sts::123456789012:assumed-role/deployer/session"
USER = "arn:aws:iam::123456789012:user/deployer"
NOW = datetime(2026, 11, 25, 12, 0, tzinfo=timezone.utc)
VPC = "aws:ec2/vpc:Vpc"


class TestPermissions:
    def iam(self, stubbed: Any, *answers: Any) -> Callable[[str], Any]:
        return here(iam=stubbed("iam", *[("simulate_principal_policy", answer) for answer in answers]))

    def test_all_that_is_needed(self, stubbed: Any) -> None:
        found = permissions.check(self.iam(stubbed, decided()), USER, "us-east-1", [VPC])
        assert (found.found, found.problem, found.warning) == ("all of 10 actions are allowed", "", "")

    def test_what_is_denied_is_named_with_what_helps(self, stubbed: Any) -> None:
        answers = [decided("ec2:CreateVpc", "ec2:DeleteVpc", allowed=())] * 2
        found = permissions.check(self.iam(stubbed, *answers), USER, "us-east-1", [VPC])
        assert found.problem == "2 of 10 needed actions are denied: ec2:CreateVpc, ec2:DeleteVpc"
        assert "autodeploy iam-policy" in found.remedy

    def test_what_is_allowed_where_it_is_needed_is_not_denied(self, stubbed: Any) -> None:
        answers = [decided("ec2:DeleteVpc", allowed=()), decided(allowed=("ec2:DeleteVpc",))]
        assert not permissions.check(self.iam(stubbed, *answers), USER, "us-east-1", [VPC]).problem

    def test_whoever_is_to_enter_by_sessions_must_be_allowed_to_start_them(self, stubbed: Any) -> None:
        started = [
            decided("ssm:StartSession", allowed=()),
            decided("ssm:StartSession", allowed=()),
            decided(allowed=("ssm:StartSession",)),
        ]
        found = permissions.check(self.iam(stubbed, *started), USER, "us-east-1", [VPC], sessions=True)
        assert found.problem == "1 of 11 needed actions are denied: ssm:StartSession"

    def test_an_organisation_may_deny_too(self, stubbed: Any) -> None:
        answers = [decided(OrganizationsDecisionDetail={"AllowedByOrganizations": False})] * 2
        found = permissions.check(self.iam(stubbed, *answers), USER, "us-east-1", [VPC])
        assert "ec2:CreateVpc" in found.problem

    def test_many_are_counted(self, stubbed: Any) -> None:
        wanted = [
            f"ec2:{name}" for name in ("CreateVpc", "DeleteVpc", "CreateTags", "DeleteTags", "ModifyVpcAttribute")
        ]
        many = decided(*wanted, "ec2:DescribeVpcs", "ec2:DescribeVpcAttribute", allowed=())
        places = [decided("ec2:CreateTags", allowed=()), many]
        found = permissions.check(self.iam(stubbed, many, *places), USER, "us-east-1", [VPC])
        assert found.problem.startswith("7 of 10") and found.problem.endswith("and 1 more")

    @pytest.mark.parametrize("code", ["AccessDenied", "NoSuchEntity", "InvalidInput"])
    def test_what_iam_does_not_tell_is_a_warning(self, stubbed: Any, code: str) -> None:
        found = permissions.check(self.iam(stubbed, code), USER, "us-east-1", [VPC])
        assert (found.problem, found.warning) == ("", f"could not be checked: {code}")

    def test_any_other_trouble_is_told(self, stubbed: Any) -> None:
        with pytest.raises(ClientError, match="Throttling"):
            permissions.check(self.iam(stubbed, "Throttling"), USER, "us-east-1", [VPC])

    def test_a_session_is_asked_about_as_its_role(self, stubbed: Any) -> None:
        role = {
            "Path": "/ci/",
            "RoleName": "deployer",
            "RoleId": "AROAEXAMPLEEXAMPLE00",
            "Arn": "arn:aws:iam::123456789012:role/ci/deployer",
            "CreateDate": NOW,
        }
        answers = [("get_role", {"Role": role}), ("simulate_principal_policy", decided())]
        assert permissions._principal(stubbed("iam", *answers), ROLE) == role["Arn"]
        assert permissions._principal(stubbed("iam", ("get_role", "AccessDenied")), ROLE) == (
            "arn:aws:iam::123456789012:role/deployer"
        )
        with pytest.raises(ClientError, match="Throttling"):
            permissions._principal(stubbed("iam", ("get_role", "Throttling")), ROLE)

    def test_the_root_may_everything_and_should_not(self) -> None:
        found = permissions.check(here(), "arn:aws:iam::123456789012:root", "us-east-1", [VPC])
        assert not found.problem
        assert "root" in found.warning
