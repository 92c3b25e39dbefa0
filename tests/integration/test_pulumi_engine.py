"""PulumiEngine over the real engine, with a program that needs no provider; and the bare `pulumi` beside it."""

from __future__ import annotations

import json
import os
import socket
import subprocess
from collections.abc import Mapping
from datetime import datetime, timezone
from pathlib import Path

import pulumi
import pytest

from autodeploy import settings
from autodeploy.adapters.pulumi import PulumiEngine, engine
from autodeploy.errors import InfrastructureError, LockedError, PlanError
from autodeploy.model import InfraPlan, WebPlan

pytestmark = pytest.mark.engine

ID = "guestbook-1"
KEY = "-----BEGIN PRIVATE KEY-----\nnobody may read this\n-----END PRIVATE KEY-----\n"
SECRETS = {"certificateKey": KEY}
SOURCE = """
import pulumi

def program():
    config = pulumi.Config("autodeploy")
    config.require("plan")
    key = config.require_secret("certificateKey")
    pulumi.ComponentResource("test:parts:Part", "part")
    pulumi.export("vpcId", "vpc-1")
    pulumi.export("key", key)
"""


def program() -> None:
    scope: dict[str, object] = {}
    exec(SOURCE, scope)
    scope["program"]()  # type: ignore[operator]


@pytest.fixture(scope="session")
def executable() -> Path:
    return engine.provide(settings.load({}).cache, print)


@pytest.fixture
def pulumi_engine(executable: Path, tmp_path: Path) -> PulumiEngine:
    return PulumiEngine(program, tmp_path / "home", tmp_path / "cache", executable=lambda say: executable)


def plan(**changes: object) -> InfraPlan:
    return InfraPlan.model_validate(
        {
            "deployment_id": ID,
            "name": "guestbook",
            "target": "local",
            "account_id": "123456789012",
            "region": "us-east-1",
            "zones": ("us-east-1a", "us-east-1b"),
            "image_id": "ami-1",
            "instance_type": "t3.small",
            "ssh_public_key": "ssh-ed25519 AAAA",
            "admin_cidr": "198.51.100.7/32",
            "user_data": "#cloud-config\n",
            "web": WebPlan(certificate_pem="pem"),
            **changes,
        }
    )


def checkout(folder: Path) -> Path:
    """Make a repository with the same program as a bare project."""
    (folder / "stacks").mkdir(parents=True)
    (folder / "Pulumi.yaml").write_text("name: autodeploy\nruntime: python\nmain: stacks\n")
    (folder / "stacks" / "__main__.py").write_text(f"{SOURCE}\nprogram()\n")
    git = ["git", "-c", "user.name=t", "-c", "user.email=t@example.org"]
    for command in (["init", "-q"], ["add", "-A"], ["commit", "-qm", "x"]):
        subprocess.run([*git, *command], cwd=folder, check=True)
    return folder


def bare(folder: Path, environment: Mapping[str, str], *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        ["pulumi", "--non-interactive", *arguments],
        cwd=folder,
        env={"HOME": str(folder.parent), **environment},
        capture_output=True,
        text=True,
        check=False,
    )


def test_up_outputs_parity_destroy_and_remove(pulumi_engine: PulumiEngine, tmp_path: Path) -> None:
    update_plan = tmp_path / "update-plan.json"
    assert pulumi_engine.resources(ID) == []
    pulumi_engine.preview(plan(), SECRETS, update_plan, print)
    assert update_plan.exists()
    assert pulumi_engine.resources(ID) == []
    outputs = pulumi_engine.up(plan(), SECRETS, update_plan, print)
    assert outputs == {"vpcId": "vpc-1", "key": KEY}
    assert [urn.rsplit("::", 1)[-1] for urn in pulumi_engine.resources(ID)] == ["part"]

    folder = checkout(tmp_path / "checkout")
    environment = pulumi_engine.shell_environment(ID)
    answer = bare(folder, environment, "preview", "--expect-no-changes")
    assert answer.returncode == 0, answer.stdout + answer.stderr
    status = subprocess.run(["git", "status", "--short"], cwd=folder, capture_output=True, text=True, check=True)
    assert [line for line in status.stdout.splitlines() if "__pycache__" not in line] == []

    (folder / "stacks" / "__main__.py").write_text("raise ValueError('boom')\n")
    answer = bare(folder, environment, "preview")
    assert answer.returncode != 0
    assert "ValueError: boom" in answer.stdout + answer.stderr

    for file in [path for path in (tmp_path / "home").rglob("*") if path.is_file()] + [update_plan]:
        assert b"nobody may read this" not in file.read_bytes(), file
    pulumi_engine.destroy(ID, print)
    pulumi_engine.destroy(ID, print)
    assert pulumi_engine.resources(ID) == []
    pulumi_engine.remove(ID)
    pulumi_engine.remove(ID)
    assert not (tmp_path / "home" / "deployments" / ID / "pulumi").exists()


def test_a_preview_leaves_the_live_config_alone_and_a_lost_one_is_made_anew(
    pulumi_engine: PulumiEngine, tmp_path: Path
) -> None:
    pulumi_engine.up(plan(), SECRETS, None, print)
    config = tmp_path / "home" / "deployments" / ID / "pulumi" / f"Pulumi.{ID}.yaml"
    before = config.read_bytes()
    pulumi_engine.preview(plan(instance_type="t3.large"), SECRETS, None, print)
    assert config.read_bytes() == before
    pulumi_engine.up(plan(instance_type="t3.large"), SECRETS, None, print)
    assert b"t3.large" in config.read_bytes()
    config.unlink()  # a config that was lost, or half written, is made anew
    assert pulumi_engine.up(plan(), SECRETS, None, print)["vpcId"] == "vpc-1"
    for damaged in ("", "encryptionsalt: [", "config: {}\n"):
        config.write_text(damaged)
        assert pulumi_engine.up(plan(), SECRETS, None, print) == {"vpcId": "vpc-1", "key": KEY}


def test_a_state_that_was_half_written_gives_way_to_the_one_before(pulumi_engine: PulumiEngine, tmp_path: Path) -> None:
    pulumi_engine.up(plan(), SECRETS, None, print)
    state = tmp_path / "home" / "pulumi" / ".pulumi" / "stacks" / "autodeploy" / f"{ID}.json"
    state.write_bytes(state.read_bytes()[:200])
    for note in (tmp_path / "home" / "pulumi" / ".pulumi").rglob("*.attrs"):
        note.write_text("")
    said: list[str] = []
    pulumi_engine.repair(ID, said.append)
    assert "was damaged" in said[0]
    assert pulumi_engine.up(plan(), SECRETS, None, print)["vpcId"] == "vpc-1"
    assert [urn.rsplit("::", 1)[-1] for urn in pulumi_engine.resources(ID)] == ["part"]


def test_a_lock_that_was_half_written_does_not_last(pulumi_engine: PulumiEngine, tmp_path: Path) -> None:
    locks = tmp_path / "home" / "pulumi" / ".pulumi" / "locks" / "organization" / "autodeploy" / ID
    locks.mkdir(parents=True)
    (locks / "7f.json.18c2a.tmp").write_text("")
    os.utime(locks / "7f.json.18c2a.tmp", (0, 0))
    assert pulumi_engine.up(plan(), SECRETS, None, print)["vpcId"] == "vpc-1"
    assert pulumi_engine.locks(ID) == [] and pulumi_engine.unlock(ID) == []


def test_refuses_a_balancer_without_its_key(pulumi_engine: PulumiEngine) -> None:
    with pytest.raises(PlanError, match="key of its certificate"):
        pulumi_engine.preview(plan(), {}, None, print)
    assert pulumi_engine.preview(plan(web=None), SECRETS, None, print).changes == ()


def test_a_failing_program_is_a_plan_error(executable: Path, tmp_path: Path) -> None:
    def failing() -> None:
        raise ValueError("no such zone")

    failed = PulumiEngine(failing, tmp_path / "home", tmp_path / "cache", executable=lambda say: executable)
    with pytest.raises(PlanError, match="ValueError: no such zone"):
        failed.up(plan(), SECRETS, None, print)


def test_a_held_lock_is_locked_and_a_wrong_passphrase_is_named(pulumi_engine: PulumiEngine, tmp_path: Path) -> None:
    pulumi_engine.up(plan(), SECRETS, None, print)
    locks = tmp_path / "home" / "pulumi" / ".pulumi" / "locks" / "organization" / "autodeploy" / ID
    locks.mkdir(parents=True, exist_ok=True)
    lock = {
        "username": "u",
        "hostname": socket.gethostname(),
        "timestamp": f"{datetime.now(timezone.utc):%Y-%m-%dT%H:%M:%SZ}",
    }
    (locks / "live.json").write_text(json.dumps({**lock, "pid": os.getpid()}))
    with pytest.raises(LockedError):
        pulumi_engine.up(plan(), SECRETS, None, print)
    assert [owner.pid for owner in pulumi_engine.locks(ID)] == [os.getpid()]
    gone = subprocess.Popen(["true"])
    gone.wait()
    (locks / "live.json").write_text(json.dumps({**lock, "pid": gone.pid}))
    said: list[str] = []
    pulumi_engine.destroy(ID, said.append)
    assert "lock is removed" in said[0]
    (tmp_path / "home" / "passphrase").write_text("another")
    with pytest.raises(InfrastructureError, match="passphrase"):
        pulumi_engine.up(plan(), SECRETS, None, print)


def test_a_program_interrupted_by_the_operator_leaves_no_lock(executable: Path, tmp_path: Path) -> None:
    engines: list[PulumiEngine] = []

    def slow() -> None:
        engines[0].interrupt()
        pulumi.export("vpcId", "vpc-1")

    engines.append(PulumiEngine(slow, tmp_path / "home", tmp_path / "cache", executable=lambda say: executable))
    with pytest.raises(KeyboardInterrupt):
        engines[0].up(plan(), SECRETS, None, print)
    again = PulumiEngine(program, tmp_path / "home", tmp_path / "cache", executable=lambda say: executable)
    assert again.up(plan(), SECRETS, None, print)["vpcId"] == "vpc-1"
    again.interrupt()
