"""Plans: sizes, zones, image, database, guards."""

from __future__ import annotations

import pytest
import yaml
from fixtures.planned import FACTS, LOCAL, planned

from autodeploy.errors import PlanError
from autodeploy.model import CloudFacts, DatabasePlan, DatabaseType, InfraPlan, TechStack, WebPlan

STACK = TechStack(language="python", runtime_version="3.11", build_tool="pip", health_check_path="/up")
WITH_DATABASE = STACK.but(requires_database=True, database_type="postgresql")


def test_a_web_application_gets_a_balancer_and_a_worker_none() -> None:
    web = planned(STACK).infra.web
    assert web is not None
    assert (web.health_check_path, web.host_port) == ("/up", 80)
    assert planned(STACK.but(is_web_service=False)).infra.web is None


def test_the_image_is_the_one_whose_python_fits() -> None:
    assert planned(STACK).infra.image_id == "ami-0debian12"
    assert planned(STACK.but(runtime_version="3.13")).infra.image_id == "ami-0debian13"
    assert planned(STACK.but(language="go", build_tool="go", runtime_version="1.22")).infra.image_id == "ami-0debian13"
    with pytest.raises(PlanError, match=r"Python 2\.7"):
        planned(STACK.but(runtime_version="2.7"))
    with pytest.raises(PlanError, match="no image of debian-12"):
        planned(STACK, FACTS.but(images={"debian-13": "ami-1"}))


def test_the_database_is_the_documents_with_the_accounts_version() -> None:
    database = planned(WITH_DATABASE).infra.database
    assert database is not None
    assert (database.engine, database.engine_version, database.port) == ("postgres", "15.10", 5432)
    assert (database.instance_class, database.storage_gb, database.storage_type) == ("db.t3.micro", 20, "gp2")
    assert database.backup_retention_days == 7
    assert database.deletion_protection
    mariadb = planned(STACK.but(requires_database=True, database_type="mariadb")).infra.database
    assert mariadb is not None
    assert (mariadb.engine, mariadb.engine_version, mariadb.port) == ("mariadb", "10.11", 3306)


def test_a_database_of_the_operators_own_is_not_made() -> None:
    plan = planned(WITH_DATABASE, environment={"DATABASE_URL": "postgresql://elsewhere"})
    assert plan.infra.database is None
    assert any("DATABASE_URL" in note for note in plan.notes)
    assert "elsewhere" not in plan.to_json()


def test_mongodb_is_refused_unless_its_address_is_given() -> None:
    stack = STACK.but(requires_database=True, database_type="mongodb")
    with pytest.raises(PlanError, match="mongodb") as caught:
        planned(stack)
    assert "--env" in caught.value.remediation
    assert (caught.value.agent, caught.value.exit_code) == ("HiveMind SysEng", 50)
    assert planned(stack, environment={"MONGODB_URI": "mongodb://elsewhere"}).infra.database is None


def test_the_local_target_refuses_an_engine_that_it_has_not() -> None:
    assert planned(WITH_DATABASE, LOCAL).infra.database is not None
    facts = LOCAL.but(engine_versions={"postgres": "15"})
    with pytest.raises(PlanError, match="local target has no mysql"):
        planned(STACK.but(requires_database=True, database_type="mysql"), facts)


def test_who_plans_a_mysql_on_the_local_target_is_told_what_stands_in_for_it() -> None:
    def notes(kind: DatabaseType, facts: CloudFacts) -> str:
        return " ".join(planned(STACK.but(requires_database=True, database_type=kind), facts).notes)

    assert "MariaDB stands in" in notes("mysql", LOCAL)
    assert "stands in" not in notes("mariadb", LOCAL) + notes("postgresql", LOCAL) + notes("mysql", FACTS)


def test_mongodb_is_refused_on_the_local_target_too() -> None:
    stack = STACK.but(requires_database=True, database_type="mongodb")
    with pytest.raises(PlanError, match="mongodb"):
        planned(stack, LOCAL)
    assert planned(stack, LOCAL, environment={"DATABASE_URL": "mongodb://elsewhere"}).infra.database is None


@pytest.mark.parametrize("cidr", ["0.0.0.0/0", "0.0.0.0/1", "128.0.0.0/1", "::/0", "2001:db8::/32", "everyone", ""])
def test_ssh_is_never_open_to_the_world(cidr: str) -> None:
    with pytest.raises(PlanError, match="admin CIDR") as caught:
        planned(STACK, FACTS.but(admin_cidr=cidr))
    assert "--admin-cidr" in caught.value.remediation
    if cidr:
        with pytest.raises(PlanError):
            planned(STACK, admin_cidr=cidr)


def test_the_admin_cidr_is_the_operators_before_the_observed() -> None:
    assert planned(STACK).infra.admin_cidr == "203.0.113.7/32"
    assert planned(STACK, admin_cidr="198.51.100.9").infra.admin_cidr == "198.51.100.9/32"
    assert planned(STACK, admin_cidr="198.51.100.9/24").infra.admin_cidr == "198.51.100.0/24"


OFFERS = {"t3.small": ("us-east-1b", "us-east-1c"), "t3.micro": ("us-east-1a", "us-east-1b", "us-east-1c")}


@pytest.mark.parametrize(
    ("offers", "chosen", "zones"),
    [
        ({}, "t3.small", ("us-east-1a", "us-east-1b")),
        (OFFERS, "t3.small", ("us-east-1b", "us-east-1c")),
        (OFFERS, "t3.micro", ("us-east-1b", "us-east-1c")),
        (OFFERS, "m5.large", ("us-east-1b", "us-east-1c")),
        ({**OFFERS, "m5.large": ("us-east-1a", "us-east-1b")}, "m5.large", ("us-east-1a", "us-east-1b")),
        ({**OFFERS, "z9.nano": ()}, "t3.small", ("us-east-1b", "us-east-1c")),
    ],
)
def test_both_zones_offer_the_machine_and_another_size_moves_nothing(
    offers: dict[str, tuple[str, ...]], chosen: str, zones: tuple[str, str]
) -> None:
    assert planned(STACK, FACTS.but(offers=offers), instance_type=chosen).infra.zones == zones


@pytest.mark.parametrize("offered", [(), ("us-east-1a",)])
def test_a_size_that_two_zones_do_not_offer_is_refused(offered: tuple[str, ...]) -> None:
    with pytest.raises(PlanError, match=r"us-east-1 offers m5.large in \d availability zone") as caught:
        planned(STACK, FACTS.but(offers={"m5.large": offered}), instance_type="m5.large")
    assert "--instance-type" in caught.value.remediation


@pytest.mark.parametrize("zones", [(), ("a",), ("a", "a")])
def test_fewer_than_two_zones_are_refused(zones: tuple[str, ...]) -> None:
    with pytest.raises(PlanError, match="availability zone"):
        planned(STACK, FACTS.but(zones=zones))


@pytest.mark.parametrize("name", ["t4g.small", "m7gd.large", "a1.medium", "small", "t3.small; rm"])
def test_an_instance_type_that_cannot_work_is_refused(name: str) -> None:
    with pytest.raises(PlanError, match=r"ARM|no EC2 instance type"):
        planned(STACK, instance_type=name)


def test_the_operator_chooses_the_instance_type() -> None:
    assert planned(STACK, instance_type="m5.large").infra.instance_type == "m5.large"


def test_the_operators_tags_are_joined_and_never_take_the_place_of_ours() -> None:
    assert planned(STACK, tags={"Team": "shop"}).infra.tags == {"Application": "guestbook", "Team": "shop"}


@pytest.mark.parametrize(
    ("key", "value"),
    [("aws:x", "1"), ("DeploymentId", "1"), ("a" * 129, "1"), ("a", "1" * 257), ("a", "b\n"), ("a\n", "b"), ("ä", "1")],
)
def test_a_tag_that_aws_refuses_or_that_is_ours_is_refused(key: str, value: str) -> None:
    with pytest.raises(PlanError, match="cannot be") as caught:
        planned(STACK, tags={key: value})
    assert "--tag" in caught.value.remediation


def test_more_tags_than_there_is_room_for_are_refused() -> None:
    with pytest.raises(PlanError, match="41 tags"):
        planned(STACK, tags={f"Key{number}": "1" for number in range(41)})


def test_encryption_is_no_choice() -> None:
    for part in (InfraPlan, DatabasePlan, WebPlan):
        assert not [name for name in part.model_fields if "encrypt" in name or "tls" in name]


def test_the_same_input_gives_the_same_bytes_and_a_new_health_path_another_digest() -> None:
    assert planned(WITH_DATABASE).to_json() == planned(WITH_DATABASE).to_json()
    assert planned(STACK).infra.digest() != planned(STACK.but(health_check_path="/")).infra.digest()


def test_a_change_of_the_application_alone_changes_no_infrastructure() -> None:
    other = STACK.but(start_command="x", dependencies=("y",), warnings=("z",), port=9000)
    assert planned(other).infra == planned(STACK).infra


def test_the_user_data_makes_the_users_and_asks_for_missing_packages_only() -> None:
    config = yaml.safe_load(planned(STACK).infra.user_data)
    ubuntu, app = config["users"]
    assert ubuntu["name"] == "ubuntu"
    assert ubuntu["ssh_authorized_keys"] == ["ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIEXAMPLE autodeploy"]
    assert ubuntu["sudo"] == "ALL=(ALL) NOPASSWD:ALL"
    assert (app["name"], app["system"], app["shell"]) == ("app", True, "/usr/sbin/nologin")
    assert app["homedir"] == "/var/lib/app"  # what HOME says too: a driver that asks the system must find the same
    assert (config["ssh_pwauth"], config["disable_root"], config["manage_etc_hosts"]) == (False, True, True)
    assert (config["locale"], config["package_update"]) == ("C.UTF-8", False)
    assert "nginx-light" in config["runcmd"][0][2]


def test_the_user_data_knows_nothing_of_the_application() -> None:
    assert planned(WITH_DATABASE, LOCAL).infra.user_data == planned(STACK.but(health_check_path="/x")).infra.user_data


def test_names_are_legal_and_what_the_analysis_left_open_is_said() -> None:
    plan = planned(STACK.but(warnings=("redis is used and not made",)))
    assert plan.infra.name == "guestbook"
    assert plan.infra.tags == {"Application": "guestbook"}
    assert "redis is used and not made" in plan.notes


def test_facts_without_engine_versions_leave_the_minor_to_rds() -> None:
    facts: CloudFacts = FACTS.but(engine_versions={})
    database = planned(WITH_DATABASE, facts).infra.database
    assert database is not None
    assert database.engine_version == "15"


def test_alarms_go_to_an_address_and_the_local_target_says_that_it_sends_none() -> None:
    assert planned(STACK).infra.alarm_email is planned(STACK, alarm_email="").infra.alarm_email is None
    told = planned(STACK, LOCAL, alarm_email="ops@example.org")
    assert told.infra.alarm_email == "ops@example.org"
    assert "the local target sends no mail: alarms would go to ops@example.org" in told.notes
    assert not any("sends no mail" in note for note in planned(STACK, alarm_email="ops@example.org").notes)


@pytest.mark.parametrize("address", ["ops", "ops@example", "ops @example.org", "a@b@example.org"])
def test_what_is_no_address_is_refused(address: str) -> None:
    with pytest.raises(PlanError, match="no e-mail address") as caught:
        planned(STACK, alarm_email=address)
    assert "--alarm-email" in caught.value.remediation


class TestAccess:
    """--access ssm: no open port for the operator, and an agent in its place."""

    def test_ssh_is_as_it_was(self) -> None:
        infra = planned(STACK).infra
        assert infra == planned(STACK, access="ssh").infra
        assert '"access":' not in infra.to_json() and "amazon-ssm-agent" not in infra.user_data
        assert InfraPlan.model_validate_json(infra.to_json()) == infra

    def test_by_sessions_nobody_is_admitted_from_outside(self) -> None:
        plan = planned(STACK, access="ssm", admin_cidr="198.51.100.0/24")
        assert (plan.infra.access, plan.infra.admin_cidr) == ("ssm", "127.0.0.1/32")
        assert InfraPlan.model_validate_json(plan.infra.to_json()) == plan.infra
        assert planned(STACK, FACTS.but(admin_cidr="no address"), access="ssm").infra.access == "ssm"
        assert any("session-manager-plugin" in note for note in plan.notes)

    def test_the_local_target_has_none(self) -> None:
        with pytest.raises(PlanError, match="the local target has no Systems Manager") as caught:
            planned(STACK, LOCAL, access="ssm")
        assert "--target aws" in caught.value.remediation

    def test_the_first_boot_installs_the_agent_of_the_region_last(self) -> None:
        plain = yaml.safe_load(planned(STACK).infra.user_data)
        booted = yaml.safe_load(planned(STACK, FACTS.but(region="eu-west-1"), access="ssm").infra.user_data)
        *before, (shell, flag, script) = booted["runcmd"]
        assert {**booted, "runcmd": plain["runcmd"][1:]} == {**plain, "runcmd": before[1:]}
        assert " gpgv; do" in before[0][2] and (shell, flag) == ("sh", "-c")
        bucket = "https://s3.eu-west-1.amazonaws.com/amazon-ssm-eu-west-1/latest/debian_amd64/amazon-ssm-agent.deb"
        assert f"fetch package.deb {bucket}\n" in script and f"fetch package.deb.sig {bucket}.sig\n" in script
        assert script.index("VALIDSIG") < script.index("apt-get")

    def test_user_data_has_room(self) -> None:
        # https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/user-data.html: 16 KB before it is encoded.
        assert len(planned(STACK, access="ssm").infra.user_data) < 8_000


def test_a_role_is_in_the_plan_and_no_role_leaves_the_plan_as_it_was() -> None:
    plain, role_arn = planned(STACK).infra, "arn:aws:iam::123456789012:role/deployer"
    assert "role_arn" not in plain.to_json()
    for settled in ({"role_arn": ""}, {"role_arn": None}):
        assert planned(STACK, **settled).infra.digest() == plain.digest()
    assert planned(STACK, role_arn=role_arn).infra == plain.but(role_arn=role_arn)
