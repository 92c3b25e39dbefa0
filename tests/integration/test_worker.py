"""A worker through the command line: no port, no balancer, no certificate. It takes a web service's place, and back."""

from __future__ import annotations

import shlex
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
from integration.properties import hold_of_what_stands, retry_and_rollback_are_offered
from integration.world import SAMPLES, World, world

pytestmark = pytest.mark.local

FLAGS = ("--target", "local", "--yes")
DOMAIN = "shop.example.com"


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Any:
    with world(tmp_path_factory.mktemp("worker")) as made:
        yield made


@pytest.fixture(scope="module")
def repository(place: World) -> Path:
    return place.repository("python-worker")


@pytest.fixture(scope="module")
def identifier(place: World, repository: Path) -> str:
    result: Any = place.json("deploy", str(repository), "a heartbeat", *FLAGS)
    assert (result["status"], result["url"]) == ("complete", None)
    return str(result["deployment_id"])


def becomes(place: World, repository: Path, sample: str) -> None:
    """Put another application in the place of the repository's own."""
    for path in repository.iterdir():
        if path.name != ".git":
            shutil.rmtree(path) if path.is_dir() else path.unlink()
    shutil.copytree(SAMPLES / sample, repository, dirs_exist_ok=True)
    place.commit(repository, f"be {sample}")


def nothing_of_the_web(place: World) -> None:
    """Assert that the account has no balancer, certificate, or record beside those that every zone has."""
    assert place.aws("elbv2").describe_load_balancers()["LoadBalancers"] == []
    assert place.aws("elbv2").describe_target_groups()["TargetGroups"] == []
    assert place.aws("acm").list_certificates()["CertificateSummaryList"] == []
    route53 = place.aws("route53")
    for zone in route53.list_hosted_zones()["HostedZones"]:
        records = route53.list_resource_record_sets(HostedZoneId=zone["Id"])["ResourceRecordSets"]
        assert {record["Type"] for record in records} <= {"NS", "SOA"}


def serve_at_the_domain(place: World, repository: Path, identifier: str) -> None:
    """Deploy a web service in the worker's place, and ask it as the summary says."""
    becomes(place, repository, "fastapi-plain")
    done = place.run("deploy", str(repository), *FLAGS, "--domain", DOMAIN)
    assert done.returncode == 0, done.stderr
    state = place.json("status", identifier)
    assert (state["status"], state["infrastructure"]["domain"]) == ("complete", DOMAIN)
    (told,) = [line.partition(" curl ")[2] for line in done.stderr.splitlines() if " curl " in line]
    asked = ["curl", "-sSi", "--max-time", "10", *shlex.split(told)]
    asked = [each + state["tech_stack"]["health_check_path"] if each.startswith("https") else each for each in asked]
    answer = subprocess.run(asked, capture_output=True, text=True, check=False)
    assert f"x-autodeploy-release: {state['deployment_config']['release_id']}" in answer.stdout.lower(), answer.stderr
    hold_of_what_stands(state, place.aws, place.home)


def beat(place: World, identifier: str) -> str:
    return place.ssh(identifier, "sudo cat /var/lib/app/heartbeat")


def test_it_works_without_a_way_in(place: World, identifier: str) -> None:
    state = place.json("status", identifier)
    assert (state["tech_stack"]["is_web_service"], state["deployment_config"]["app_port"]) == (False, 0)
    assert state["infrastructure"]["load_balancer_dns"] is None and state["infrastructure"]["certificate_arn"] is None
    assert (state["security_config"]["ssl_enabled"], state["security_config"]["open_ports"]) == (False, [22])
    assert not any("balancer" in line["what"].lower() for line in state["plan"]["cost"])
    assert place.ssh(identifier, "sudo ss -Hltn | grep -v ':22 '", check=False) == ""
    assert place.ssh(identifier, "systemctl is-active nginx", check=False) == "inactive\n"
    assert place.run("open", identifier).returncode == 12
    hold_of_what_stands(state, place.aws, place.home)
    first = beat(place, identifier)
    assert place.eventually(lambda: beat(place, identifier) != first)


def test_a_killed_worker_is_started_again(place: World, identifier: str) -> None:
    place.ssh(identifier, "sudo systemctl kill --signal=KILL app")
    first = beat(place, identifier)
    assert place.eventually(lambda: beat(place, identifier) != first)


def test_a_web_service_at_a_domain_takes_its_place(place: World, identifier: str, repository: Path) -> None:
    serve_at_the_domain(place, repository, identifier)
    # What nobody asks any more must not work on beside it.
    units = place.ssh(identifier, "systemctl list-units --plain --no-legend --state=active 'app-*.service'")
    assert len(units.splitlines()) == 1


def test_a_worker_takes_a_web_services_place(place: World, identifier: str, repository: Path) -> None:
    old = place.json("status", identifier)
    becomes(place, repository, "python-worker")
    main = repository / "heartbeat" / "__main__.py"
    main.write_text(main.read_text().replace("beating every", "now beating every"))
    place.commit(repository, "another word")
    result: Any = place.json("deploy", str(repository), *FLAGS)
    assert (result["status"], result["deployment_id"], result["url"]) == ("complete", identifier, None)
    state = place.json("status", identifier)
    assert state["infrastructure"]["ec2_instance_id"] == old["infrastructure"]["ec2_instance_id"]
    assert "now beating every" in place.run("logs", identifier).stdout
    running = place.ssh(identifier, "systemctl list-units --plain --no-legend --state=active 'app-*.service'")
    assert len(running.splitlines()) == 1 and old["deployment_config"]["release_id"] not in running
    nothing_of_the_web(place)
    assert place.ssh(identifier, "sudo ss -Hltn | grep -v ':22 '", check=False) == ""
    assert place.ssh(identifier, "systemctl is-active nginx", check=False) == "inactive\n"
    assert state["security_config"]["open_ports"] == [22]
    hold_of_what_stands(state, place.aws, place.home)
    assert place.json("preview", identifier)["changes"] == []


def test_a_worker_that_ends_is_no_service(place: World, identifier: str, repository: Path) -> None:
    (repository / "heartbeat" / "__main__.py").write_text("import schedule\nprint('nothing to do')\n")
    place.commit(repository, "give up")
    done = place.run("deploy", str(repository), *FLAGS)
    assert done.returncode == 45
    assert "the worker ended with exit code 0" in done.stderr and "nothing to do" in done.stderr
    retry_and_rollback_are_offered(done.stderr, place.json("status", identifier), "build")


def test_with_its_domain_it_is_taken_back_to_the_last_record(place: World, identifier: str, repository: Path) -> None:
    serve_at_the_domain(place, repository, identifier)
    gone = place.json("destroy", identifier, "--yes")
    assert (gone["status"], gone["remaining"], gone["message"]) == ("rolled_back", [], "Nothing is left.")
    nothing_of_the_web(place)
    assert identifier not in str(place.json("local", "status"))
    assert place.json("status", identifier)["status"] == "rolled_back"
