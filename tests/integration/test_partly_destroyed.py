"""On the local target, through the command line: drift by the account's own API, compute taken away and made again."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from integration.world import World, world

pytestmark = pytest.mark.local


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Any:
    with world(tmp_path_factory.mktemp("partly")) as made:
        yield made


def test_compute_is_taken_away_and_made_again_with_the_data_still_there(place: World) -> None:
    repository: Path = place.repository("flask-postgres", "guestbook")
    made = place.json(
        "deploy", f"file://{repository}", "a guestbook", "--target", "local", "--yes", "--env", "SECRET_KEY=x"
    )
    identifier = made["deployment_id"]
    place.curl(identifier, "--data-urlencode", "name=ada", "--data-urlencode", "message=written before")
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

    gone = place.json("destroy", identifier, "--only", "compute", "--yes")
    assert gone["part"] == "compute" and "aws:ec2:Instance app" in gone["deleted"]
    assert not [name for name in gone["deleted"] if "rds" in name or "Vpc" in name or "LoadBalancer" in name]
    state = place.json("status", identifier)
    assert (state["status"], state["without"], state["infrastructure"]) == ("failed", ["compute"], None)
    assert "without compute" in place.run("status", identifier).stdout

    again = place.json("deploy", f"file://{repository}", "a guestbook", "--target", "local", "--yes")
    assert (again["deployment_id"], again["status"], again["url"]) == (identifier, "complete", made["url"])
    assert "written before" in place.curl(identifier)
    assert place.json("status", identifier)["without"] == []
    assert place.json("status", identifier, "--drift")["resources"] == []
    ended = place.json("destroy", identifier, "--yes")
    assert (ended["status"], ended["remaining"], ended["left"]) == ("rolled_back", [], [])
