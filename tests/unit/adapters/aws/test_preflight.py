"""What can be known to stop an apply: asked of the emulated account, and of written answers where it has none.

The emulator answers for identity, offers, sizes and what is in use; IAM's simulation, quotas and database offers are
written down.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError
from fixtures.planned import planned

from autodeploy.adapters.aws import AwsCloud, preflight
from autodeploy.errors import InfrastructureError
from autodeploy.model import Check, InfraPlan, Preview, TechStack
from tests.unit.adapters.aws.answers import decided, here, limit

SAMPLE = Path(__file__).parents[3] / "fixtures/sample_repos/flask-postgres/techstack.json"
NOW = datetime(2026, 11, 25, 12, 0, tzinfo=timezone.utc)
VPC, MACHINE, DATABASE = "aws:ec2/vpc:Vpc", "aws:ec2/instance:Instance", "aws:rds/instance:Instance"


@pytest.fixture
def plan() -> InfraPlan:
    return planned(TechStack.model_validate_json(SAMPLE.read_text())).infra


def preview(*tokens: str, operation: str = "create") -> Preview:
    def change(token: str) -> dict[str, Any]:
        kind = f"{token.partition('/')[0]}:{token.rpartition(':')[2]}"
        return {
            "urn": f"urn:pulumi:x::autodeploy::autodeploy:part:Part${token}::it",
            "type": kind,
            "name": "it",
            "operation": operation,
        }

    return Preview.model_validate({"changes": [change(token) for token in tokens]})


class TestClock:
    @pytest.mark.parametrize("seconds", [0, 200, -200])
    def test_near_enough(self, seconds: int) -> None:
        found = preflight._clock("Wed, 25 Nov 2026 12:00:00 GMT", NOW + timedelta(seconds=seconds))
        assert (found.problem, found.warning) == ("", "")

    @pytest.mark.parametrize(("seconds", "said"), [(300, "300 s ahead of"), (-3600, "3600 s behind")])
    def test_wrong(self, seconds: int, said: str) -> None:
        found = preflight._clock("Wed, 25 Nov 2026 12:00:00 GMT", NOW + timedelta(seconds=seconds))
        assert said in found.problem
        assert "timedatectl" in found.remedy

    @pytest.mark.parametrize("date", ["", "soon"])
    def test_unknown(self, date: str) -> None:
        assert "could not be checked" in preflight._clock(date, NOW).warning

    def test_so_wrong_that_aws_does_not_answer(self, stubbed: Any, plan: InfraPlan) -> None:
        answer = {
            "Error": {"Code": "SignatureDoesNotMatch", "Message": "Signature expired"},
            "ResponseMetadata": {"HTTPHeaders": {"date": "Wed, 25 Nov 2026 12:00:00 GMT"}},
        }

        class Sts:
            def get_caller_identity(self) -> Any:
                raise ClientError(answer, "GetCallerIdentity")

        later = NOW + timedelta(hours=1)
        (found,) = preflight.run(here(sts=Sts()), "aws", "us-east-1", later, plan, preview(VPC))
        assert "3600 s ahead of" in found.problem
        with pytest.raises(ClientError, match="SignatureDoesNotMatch"):
            list(preflight.run(here(sts=Sts()), "aws", "us-east-1", NOW, plan, preview(VPC)))


OPTION = {"StorageType": "gp2", "SupportsStorageEncryption": True}


class TestOffers:
    def test_of_machines_in_the_plans_zones(self, client: Any, plan: InfraPlan) -> None:
        found = preflight._offered(client, "aws", plan)
        assert (found.what, found.found) == ("offers of t3.small", "in us-east-1a and us-east-1b")

    def test_a_zone_without_any(self, client: Any, plan: InfraPlan) -> None:
        found = preflight._offered(client, "aws", plan.but(zones=("us-east-1a", "us-east-1z")))
        assert "us-east-1z does not offer t3.small; it is offered in us-east-1a" in found.problem
        nowhere = preflight._offered(client, "aws", plan.but(instance_type="t3.colossal"))
        assert "us-east-1 does not offer it" in nowhere.problem
        assert "--instance-type" in nowhere.remedy

    @pytest.mark.parametrize(
        ("options", "complaint"),
        [
            ([OPTION], ""),
            ([OPTION | {"StorageType": "gp3"}], "offered on gp3 alone"),
            ([OPTION | {"SupportsStorageEncryption": False}], "or unencrypted"),
            ([], "us-east-1 does not offer db.t3.micro with postgres 15.10, encrypted, on gp2"),
        ],
    )
    def test_of_databases(self, stubbed: Any, plan: InfraPlan, options: Any, complaint: str) -> None:
        answer = ("describe_orderable_db_instance_options", {"OrderableDBInstanceOptions": options})
        found = preflight._orderable(here(rds=stubbed("rds", answer)), plan)
        assert complaint in found.problem
        assert bool(found.problem) == bool(complaint)

    def test_what_may_not_be_asked_is_a_warning(self, stubbed: Any, plan: InfraPlan) -> None:
        rds = stubbed("rds", ("describe_orderable_db_instance_options", "AccessDenied"))
        assert "may not call DescribeOrderableDBInstanceOptions" in preflight._orderable(here(rds=rds), plan).warning
        ec2 = stubbed("ec2", ("describe_instance_type_offerings", "UnauthorizedOperation"))
        assert "could not be checked" in preflight._offered(here(ec2=ec2), "aws", plan).warning
        broken = stubbed("rds", ("describe_orderable_db_instance_options", "InternalFailure"))
        with pytest.raises(ClientError, match="InternalFailure"):
            preflight._orderable(here(rds=broken), plan)


class TestWhole:
    def connect(self, client: Any, stubbed: Any, **answers: list[Any]) -> Callable[[str], Any]:
        stubs = {name.replace("_", "-"): stubbed(name.replace("_", "-"), *given) for name, given in answers.items()}
        return lambda service: stubs.get(service) or client(service)

    def test_of_a_first_apply_at_aws(self, client: Any, stubbed: Any, plan: InfraPlan) -> None:
        offered = {"OrderableDBInstanceOptions": [OPTION]}
        connect = self.connect(
            client,
            stubbed,
            iam=[("simulate_principal_policy", decided())],
            service_quotas=[("get_service_quota", limit(10000))] * 3,
            rds=[("describe_db_instances", {"DBInstances": []}), ("describe_orderable_db_instance_options", offered)],
        )
        asked = preflight.run(
            connect, "aws", "us-east-1", datetime.now(timezone.utc), plan, preview(VPC, MACHINE, DATABASE)
        )
        found = {check.what: check for check in asked}
        assert list(found) == [
            *("account", "clock", "permissions", "quota of VPCs", "quota of processors of standard machines"),
            *("quota of databases", "offers of t3.small", "database offers"),
        ]
        assert [check for check in found.values() if check.problem] == []
        assert found["account"].found.endswith("of 123456789012")

    def test_of_a_change_asks_only_what_it_touches(self, client: Any, stubbed: Any, plan: InfraPlan) -> None:
        connect = self.connect(client, stubbed, iam=[("simulate_principal_policy", decided())])
        touched = preview(MACHINE, DATABASE, operation="update")
        found = [check.what for check in preflight.run(connect, "aws", "us-east-1", NOW, plan, touched)]
        assert found == ["account", "clock", "permissions"]

    def test_of_a_machine_that_is_reached_by_sessions_asks_for_their_programs(
        self, client: Any, stubbed: Any, plan: InfraPlan, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("PATH", str(tmp_path))
        connect = self.connect(client, stubbed, iam=[("simulate_principal_policy", decided())])
        touched = preview(MACHINE, operation="update")
        asked = preflight.run(connect, "aws", "us-east-1", NOW, plan.but(access="ssm"), touched)
        found = {check.what: check for check in asked}
        assert list(found) == ["account", "clock", "permissions", "session programs"]
        assert found["session programs"].problem == "not on PATH: aws, session-manager-plugin"

    def test_without_a_plan_asks_for_a_typical_one(self, client: Any, stubbed: Any) -> None:
        connect = self.connect(
            client,
            stubbed,
            iam=[("simulate_principal_policy", decided())],
            service_quotas=[("get_service_quota", limit(10000))] * 5,
        )
        found = [check.what for check in preflight.run(connect, "aws", "us-east-1", NOW, None, None)]
        assert found[:4] == ["account", "clock", "permissions", "session programs"]
        assert len(found) == 9
        assert preflight.scope(None).made == Counter(preflight.TYPICAL)

    def test_credentials_of_another_account_are_told(self, cloud: AwsCloud, plan: InfraPlan) -> None:
        found = cloud.preflight(plan.but(account_id="999999999999"), preview(VPC))
        assert "are of account 123456789012, the plan is of 999999999999" in found[0].problem

    def test_the_local_target_checks_what_it_can(self, cloud: AwsCloud, plan: InfraPlan) -> None:
        found = cloud.preflight(plan, preview(VPC, MACHINE, DATABASE))
        assert [(check.target, check.what, check.problem) for check in found] == [
            ("local", "account", ""),
            ("local", "offers of t3.small", ""),
        ]
        assert all(isinstance(check, Check) for check in cloud.preflight())

    def test_an_account_that_does_not_answer_is_an_error(self, plan: InfraPlan) -> None:
        dead = AwsCloud("local", "us-east-1", endpoint_url="http://127.0.0.1:9", admin_cidr="127.0.0.1/32")
        with pytest.raises(InfrastructureError) as caught:
            dead.preflight(plan, preview(VPC))
        assert caught.value.context == "Checking the account before an apply"
