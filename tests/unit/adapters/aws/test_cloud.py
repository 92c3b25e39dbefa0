"""The Cloud adapter: facts, secret and waiting, against moto and against stubs where moto has a gap."""

from __future__ import annotations

import threading
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import pytest

from autodeploy.adapters.aws import AwsCloud, account
from autodeploy.errors import DeploymentError, InfrastructureError, SettingsError

REGION = "us-east-1"


def served(answer: bytes) -> tuple[HTTPServer, str]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.end_headers()
            self.wfile.write(answer)

        def log_message(self, *_: Any) -> None:
            pass

    server = HTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return server, f"http://127.0.0.1:{server.server_port}/"


class TestFacts:
    def test_of_the_local_target(self, cloud: AwsCloud) -> None:
        facts = cloud.facts()
        assert facts.account_id == "123456789012"
        assert facts.identity.startswith("arn:aws:")
        assert facts.images == {"debian-12": "ami-0debian12local00", "debian-13": "ami-0debian13local00"}
        assert facts.engine_versions == {"postgres": "15", "mysql": "8.0", "mariadb": "10.11"}
        assert facts.admin_cidr == "127.0.0.1/32"
        assert len(facts.zones) >= 2
        assert list(facts.zones) == sorted(facts.zones)
        assert cloud.account_epoch() == "epoch-1"
        assert cloud.ca_bundle() is None

    def test_of_aws_name_the_newest_image_and_the_default_engine_versions(
        self, stubbed: Any, endpoint: str, client: Any
    ) -> None:
        made = client("ec2").run_instances(ImageId="ami-12345678", MinCount=1, MaxCount=1)["Instances"][0]["InstanceId"]
        image = client("ec2").create_image(InstanceId=made, Name="debian-12-amd64-20261101-1")["ImageId"]
        versions = [
            ("describe_db_engine_versions", {"DBEngineVersions": [{"EngineVersion": version}] if version else []})
            for version in ("17.4", "8.0.41", "")
        ]
        connections = {"rds": stubbed("rds", *versions)}
        server, url = served(b"203.0.113.7\n")
        try:
            facts = AwsCloud(
                "aws",
                REGION,
                image_owner="123456789012",
                address_url=url,
                ca_bundle=Path("/ca.pem"),
                connect=lambda service: connections.get(service) or client(service),
            ).facts()
        finally:
            server.shutdown()
        assert facts.images == {"debian-12": image}
        assert facts.engine_versions == {"postgres": "17.4", "mysql": "8.0.41"}
        assert facts.admin_cidr == "203.0.113.7/32"
        assert AwsCloud("aws", REGION).account_epoch() == ""

    def test_the_newest_of_several_images(self, stubbed: Any) -> None:
        listed = {
            "Images": [
                {"ImageId": "ami-old", "CreationDate": "2025-01-01T00:00:00.000Z"},
                {"ImageId": "ami-new", "CreationDate": "2026-01-01T00:00:00.000Z"},
            ]
        }
        ec2 = stubbed("ec2", ("describe_images", listed), ("describe_images", {"Images": []}))
        assert account.images(ec2, "136693071363", REGION) == {"debian-12": "ami-new"}

    def test_no_image_at_all(self, stubbed: Any) -> None:
        ec2 = stubbed("ec2", ("describe_images", {"Images": []}), ("describe_images", {"Images": []}))
        with pytest.raises(InfrastructureError, match="no official Debian image"):
            account.images(ec2, "136693071363", REGION)

    def test_name_the_zones_of_every_size_that_may_be_used(self, endpoint: str) -> None:
        sizes = ["t3.small", "t3.micro", "t3.small", "z9.nano"]
        cloud = AwsCloud("local", REGION, endpoint_url=endpoint, instance_types=sizes, admin_cidr="127.0.0.1/32")
        facts = cloud.facts()
        assert set(facts.offers) == {"t3.small", "t3.micro", "z9.nano"}
        assert facts.offers["z9.nano"] == ()
        assert set(facts.offers["t3.small"]) <= set(facts.zones)

    def test_an_instance_type_that_is_not_offered(self, endpoint: str) -> None:
        with pytest.raises(InfrastructureError, match="no zone of us-east-1 offers") as caught:
            AwsCloud("local", REGION, endpoint_url=endpoint, instance_types=["z9.nano"], admin_cidr="::/0").facts()
        assert "--instance-type" in caught.value.remediation

    @pytest.mark.parametrize("answer", [b"<html>sign in to the hotel</html>", b""])
    def test_an_address_that_is_none(self, answer: bytes) -> None:
        server, url = served(answer)
        try:
            with pytest.raises(SettingsError) as caught:
                account.public_address(url)
        finally:
            server.shutdown()
        assert "--admin-cidr" in caught.value.remediation

    def test_no_answer_about_the_address(self) -> None:
        with pytest.raises(SettingsError) as caught:
            account.public_address("http://127.0.0.1:1/", timeout_seconds=1)
        assert "--admin-cidr" in caught.value.remediation


class TestSecret:
    def test_of_a_managed_database(self, cloud: AwsCloud, client: Any) -> None:
        made = client("rds").create_db_instance(
            DBInstanceIdentifier="managed",
            Engine="postgres",
            DBInstanceClass="db.t3.micro",
            AllocatedStorage=20,
            MasterUsername="dbadmin",
            ManageMasterUserPassword=True,
        )["DBInstance"]
        user, password = cloud.database_password(made["MasterUserSecret"]["SecretArn"])
        assert user
        assert password

    @pytest.mark.parametrize("text", ["hunter2", '{"password": "hunter2"}', '"hunter2"'])
    def test_of_another_form_is_refused_without_repeating_it(self, cloud: AwsCloud, client: Any, text: str) -> None:
        arn = client("secretsmanager").create_secret(Name=f"odd-{hash(text)}", SecretString=text)["ARN"]
        with pytest.raises(InfrastructureError) as caught:
            cloud.database_password(arn)
        assert "hunter2" not in str(caught.value)
        assert caught.value.__suppress_context__

    def test_that_is_not_there(self, cloud: AwsCloud) -> None:
        with pytest.raises(InfrastructureError, match="ResourceNotFoundException"):
            cloud.database_password("arn:aws:secretsmanager:us-east-1:123456789012:secret:none")


def condition(state: str, status: str) -> tuple[str, Any]:
    entry = {"InstanceState": {"Name": state}, "SystemStatus": {"Status": status}, "InstanceStatus": {"Status": status}}
    return "describe_instance_status", {"InstanceStatuses": [entry]}


class TestAwaitInstance:
    def test_that_runs(self, cloud: AwsCloud, client: Any) -> None:
        made = client("ec2").run_instances(ImageId="ami-12345678", MinCount=1, MaxCount=1)["Instances"][0]["InstanceId"]
        said: list[str] = []
        cloud.await_instance(made, said.append)
        assert said == []

    def test_waits_for_the_checks_and_tells_each_change_once(self, stubbed: Any) -> None:
        ec2 = stubbed(
            "ec2",
            ("describe_instance_status", {"InstanceStatuses": []}),
            condition("pending", "initializing"),
            condition("running", "initializing"),
            condition("running", "initializing"),
            condition("running", "ok"),
        )
        said: list[str] = []
        slept: list[float] = []
        AwsCloud("aws", REGION, connect=lambda _: ec2, sleep=slept.append).await_instance("i-1", said.append)
        assert said == [
            "instance i-1 is pending, checks: none yet",
            "instance i-1 is pending, checks: initializing",
            "instance i-1 is running, checks: initializing",
        ]
        assert len(slept) == 4

    def test_gives_up_on_one_that_ended(self, stubbed: Any) -> None:
        ec2 = stubbed("ec2", condition("terminated", "not-applicable"))
        with pytest.raises(DeploymentError, match="terminated") as caught:
            AwsCloud("aws", REGION, connect=lambda _: ec2).await_instance("i-1", print)
        assert not caught.value.recoverable

    def test_gives_up_in_the_end(self, stubbed: Any) -> None:
        ec2 = stubbed("ec2", *[condition("running", "impaired")] * 3)
        cloud = AwsCloud("aws", REGION, connect=lambda _: ec2, sleep=lambda _: None)
        with pytest.raises(DeploymentError, match="impaired") as caught:
            cloud.await_instance("i-1", lambda _: None, timeout_seconds=10)
        assert caught.value.recoverable
