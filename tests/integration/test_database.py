"""A deployment with a database through the command line: session, backups, drift, compute that goes and comes, its end.

The tests of this file are one story, told in order of one deployment.
"""

from __future__ import annotations

import json
import shlex
import subprocess
from pathlib import Path
from typing import Any

import pytest
from integration.guestbook import messages, sign
from integration.world import World, world

from autodeploy.local.client import LocalTarget
from autodeploy.local.databases import KIND

pytestmark = pytest.mark.local


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Any:
    with world(tmp_path_factory.mktemp("database")) as made:
        made.repository("flask-postgres", "guestbook")
        yield made


def deploy(place: World, *words: str) -> str:
    repository = f"file://{place.folder / 'guestbook'}"
    return str(place.json("deploy", repository, "a guestbook", "--target", "local", "--yes", *words)["deployment_id"])


@pytest.fixture(scope="module")
def identifier(place: World) -> str:
    return deploy(place, "--env", "SECRET_KEY=for-the-test")


def asked(place: World, identifier: str, sql: str) -> str:
    """Type SQL into the session that `db connect` opens; return what it shows."""
    shown = place.run("db", "connect", identifier)
    assert shown.returncode == 0, shown.stderr
    done = subprocess.run(shown.stdout, shell=True, input=sql, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


def as_superuser(place: World, database: str, sql: str) -> str:
    fleet = LocalTarget(place.home, place.folder)._fleet()
    words = ["exec", fleet.container(KIND, database), "su", "postgres", "-c", f'psql -XAtc "{sql}"']
    return fleet.engine.call(*words).strip()


def test_a_session_is_the_applications_own_over_verified_tls(place: World, identifier: str) -> None:
    sign(place, identifier, "seen in the session")
    sql = "SELECT current_user, ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid(); SELECT message FROM entries;\n"
    shown = asked(place, identifier, f"\\pset format unaligned\n{sql}")
    assert "app|t" in shown and "seen in the session" in shown


def test_a_plain_connection_is_refused(place: World, identifier: str) -> None:
    host = place.json("status", identifier)["infrastructure"]["database_endpoint"]
    plain = f"psql 'host={host} user=app dbname=app password=x sslmode=disable' -c 'SELECT 1' 2>&1; true"
    said = place.ssh(identifier, plain)
    assert "no encryption" in said and "no pg_hba.conf entry" in said


def test_a_row_that_was_deleted_is_back_after_a_restore(place: World, identifier: str) -> None:
    sign(place, identifier, "precious")
    taken = place.json("db", "backup", identifier)
    assert (taken["status"], taken["encrypted"], taken["deployment_id"]) == ("available", True, identifier)
    asked(place, identifier, "DELETE FROM entries; CREATE TABLE later (n int); INSERT INTO later VALUES (1);\n")
    assert messages(place, identifier) == []
    (old,) = place.aws("rds").describe_db_instances()["DBInstances"]
    assert place.json("db", "restore", taken["name"], identifier, "--yes")["status"] == "complete"
    (new,) = place.aws("rds").describe_db_instances()["DBInstances"]
    assert new["DBInstanceIdentifier"] != old["DBInstanceIdentifier"] and new["DeletionProtection"]
    assert new["MasterUserSecret"]["SecretArn"] != old["MasterUserSecret"]["SecretArn"]
    assert "precious" in messages(place, identifier)
    assert "later" not in asked(place, identifier, "\\dt\n")
    # The sequence, the owner and the rights came along: the application writes as before.
    sign(place, identifier, "after the restore")
    assert messages(place, identifier)[0] == "after the restore"
    before, first = [each["name"] for each in place.json("db", "backups", identifier)]
    assert first == taken["name"] and before.startswith(f"{identifier}-backup-")
    # What is restored stays what it is: nothing of it is planned again.
    assert place.run("preview", identifier).returncode == 0
    assert deploy(place) == identifier
    assert messages(place, identifier)[0] == "after the restore"


def test_the_application_goes_on_when_the_master_password_is_rotated(place: World, identifier: str) -> None:
    vault = place.aws("secretsmanager")
    (database,) = place.aws("rds").describe_db_instances()["DBInstances"]
    name, secret = database["DBInstanceIdentifier"], database["MasterUserSecret"]["SecretArn"]
    # What RDS does on a rotation: a new password in the server, then in the secret.
    as_superuser(place, name, "ALTER ROLE dbadmin PASSWORD 'rotated-by-rds'")
    vault.put_secret_value(
        SecretId=secret, SecretString=json.dumps({"username": "dbadmin", "password": "rotated-by-rds"})
    )
    sign(place, identifier, "after the rotation")
    place.ssh(identifier, "sudo systemctl restart app")
    assert place.eventually(lambda: "after the rotation" in messages(place, identifier))
    assert deploy(place) == identifier
    assert "after the rotation" in messages(place, identifier)


def test_drift_by_the_account_s_own_api_is_seen(place: World, identifier: str) -> None:
    assert place.json("status", identifier, "--drift")["resources"] == []
    ec2 = place.aws("ec2")
    named = [{"Name": "tag:DeploymentId", "Values": [identifier]}]
    (rule,) = [rule for rule in ec2.describe_security_group_rules()["SecurityGroupRules"] if rule.get("FromPort") == 22]
    ec2.revoke_security_group_ingress(GroupId=rule["GroupId"], SecurityGroupRuleIds=[rule["SecurityGroupRuleId"]])
    vpc = ec2.describe_vpcs(Filters=named)["Vpcs"][0]["VpcId"]
    ec2.create_tags(Resources=[vpc], Tags=[{"Key": "Owner", "Value": "eve"}])
    shown = place.run("status", identifier, "--drift", "--json")
    assert shown.returncode == 4, shown.stderr
    found = {(each["type"], each["operation"]): each for each in json.loads(shown.stdout)["resources"]}
    assert set(found) == {("aws:vpc:SecurityGroupIngressRule", "delete"), ("aws:ec2:Vpc", "update")}
    (owner,) = found["aws:ec2:Vpc", "update"]["properties"]
    assert (owner["path"], owner["planned"], owner["found"]) == ("tags.Owner", "", '"eve"')


def test_compute_is_taken_away_and_made_again_with_the_data_still_there(place: World, identifier: str) -> None:
    sign(place, identifier, "before the compute went")
    url = place.json("status", identifier)["deployment_config"]["url"]
    gone = place.json("destroy", identifier, "--only", "compute", "--yes")
    assert gone["part"] == "compute" and "aws:ec2:Instance app" in gone["deleted"]
    assert not [name for name in gone["deleted"] if "rds" in name or "Vpc" in name or "LoadBalancer" in name]
    state = place.json("status", identifier)
    assert (state["status"], state["without"], state["infrastructure"]) == ("failed", ["compute"], None)
    assert "without compute" in place.run("status", identifier).stdout

    assert deploy(place) == identifier
    state = place.json("status", identifier)
    assert (state["status"], state["without"], state["deployment_config"]["url"]) == ("complete", [], url)
    assert "before the compute went" in messages(place, identifier)
    assert place.json("status", identifier, "--drift")["resources"] == []


def test_destroyed_it_leaves_named_snapshots_that_another_deployment_can_have(place: World, identifier: str) -> None:
    backup, *others = [each["name"] for each in place.json("db", "backups", identifier)]
    for each in others:
        assert place.run("db", "delete", each, identifier, "--yes").returncode == 0
    sign(place, identifier, "the last words")
    gone = place.json("destroy", identifier, "--yes")
    name, other = gone["snapshots"]
    assert gone["status"] == "rolled_back" and name.startswith(f"{identifier}-final-") and other == backup
    assert gone["message"] == f"Nothing is left but the snapshots {name} (free of charge), {backup} (free of charge)."
    assert [each["name"] for each in place.json("db", "backups", identifier)] == [name, backup]
    _, *command = shlex.split(gone["kept"][1]["delete"])
    assert place.run(*command, "--yes").returncode == 0
    assert [each["name"] for each in place.json("db", "backups", identifier)] == [name]
    kept: Path = place.home / "local" / "snapshots" / f"{name}.dump"
    assert kept.stat().st_size > 0
    successor = deploy(place, "--env", "SECRET_KEY=for-the-test")
    assert successor != identifier and messages(place, successor) == []
    assert place.run("db", "restore", name, successor, "--yes").returncode == 0
    assert messages(place, successor)[0] == "the last words"
    assert place.run("db", "delete", name, identifier, "--yes").returncode == 0
    assert not kept.exists()
