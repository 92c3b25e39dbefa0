"""How much of the quotas is used; the emulator counts, and knows the quotas of VPCs alone."""

from __future__ import annotations

from typing import Any

import pytest
from botocore.exceptions import ClientError

from autodeploy.adapters.aws import quotas
from tests.unit.adapters.aws.answers import limit


class TestQuotas:
    def asked(self, client: Any, stubbed: Any, answers: list[Any], made: dict[str, int], size: str = "t3.small") -> Any:
        stub = stubbed("service-quotas", *answers)
        connect = lambda service: stub if service == "service-quotas" else client(service)  # noqa: E731
        return list(quotas.check(connect, "us-east-1", made, size))

    def test_of_the_emulator_itself(self, client: Any) -> None:
        standing = len(client("ec2").describe_vpcs()["Vpcs"])
        (found,) = quotas.check(client, "us-east-1", {"aws:ec2:Vpc": 1}, "t3.small")
        assert found.what == "quota of VPCs"
        assert bool(found.problem) == (standing >= 5)
        assert f"{standing} of 5" in (found.problem or found.found)

    def test_one_that_is_used_up_says_how_to_get_more(self, client: Any, stubbed: Any) -> None:
        (found,) = self.asked(client, stubbed, [("get_service_quota", limit(1))], {"aws:ec2:Vpc": 1})
        assert "1 more are needed" in found.problem
        assert "request-service-quota-increase --region us-east-1 --service-code vpc" in found.remedy

    def test_one_that_was_never_changed_is_aws_own(self, client: Any, stubbed: Any) -> None:
        answers = [("get_service_quota", "NoSuchResourceException"), ("get_aws_default_service_quota", limit(50))]
        (found,) = self.asked(client, stubbed, answers, {"aws:lb:LoadBalancer": 1})
        assert found.found.endswith(" of 50 in use, 1 more to come")

    def test_of_machines_counts_processors_of_what_runs(self, client: Any, stubbed: Any) -> None:
        client("ec2").run_instances(ImageId="ami-12345678", InstanceType="m5.xlarge", MinCount=2, MaxCount=2)
        used = quotas._processors(client)
        (found,) = self.asked(client, stubbed, [("get_service_quota", limit(used + 1))], {"aws:ec2:Instance": 1})
        assert used >= 8
        assert found.problem == f"{used} of {used + 1} are in use, and 2 more are needed"
        (free,) = self.asked(
            client, stubbed, [("get_service_quota", limit(used))], {"aws:ec2:Instance": 1}, "p3.2xlarge"
        )
        assert not free.problem  # of another family, with a quota of its own

    @pytest.mark.parametrize("kind", [quota.type for quota in quotas.QUOTAS])
    def test_each_counts_what_the_account_has(self, client: Any, stubbed: Any, kind: str) -> None:
        (found,) = self.asked(client, stubbed, [("get_service_quota", limit(1000))], {kind: 1})
        assert not found.problem
        assert "of 1000 in use" in found.found

    def test_no_machines_are_no_processors(self, client: Any) -> None:
        assert quotas.processors(client, []) == {}

    def test_what_is_not_made_is_not_asked_about(self, client: Any, stubbed: Any) -> None:
        assert self.asked(client, stubbed, [], {"aws:ec2:KeyPair": 3}) == []

    def test_what_may_not_be_asked_is_a_warning(self, client: Any, stubbed: Any) -> None:
        (found,) = self.asked(client, stubbed, [("get_service_quota", "AccessDeniedException")], {"aws:ec2:Vpc": 1})
        assert not found.problem
        assert found.warning == "could not be checked: these credentials may not call GetServiceQuota"

    def test_other_trouble_is_told(self, client: Any, stubbed: Any) -> None:
        for answers in (
            [("get_service_quota", "ThrottlingException")],
            [
                ("get_service_quota", "NoSuchResourceException"),
                ("get_aws_default_service_quota", "ThrottlingException"),
            ],
        ):
            with pytest.raises(ClientError, match="ThrottlingException"):
                self.asked(client, stubbed, answers, {"aws:ec2:Vpc": 1})
