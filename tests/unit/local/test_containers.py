"""The container engine: which one is taken, with which flags, and what is said when there is none."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from autodeploy.errors import LocalTargetError
from autodeploy.local.containers import container_engine, operator_certificates

from . import fake_engine
from .conftest import Install


def test_without_an_engine_the_error_says_what_to_install(engine_path: Install) -> None:
    with pytest.raises(LocalTargetError, match="neither podman nor docker") as caught:
        container_engine()
    assert "apt-get install podman" in caught.value.remediation
    assert caught.value.exit_code == 62


def test_podman_is_preferred_and_takes_runc_on_old_control_groups(engine_path: Install) -> None:
    engine_path("docker")
    engine_path("podman")
    engine = container_engine()
    assert engine.is_podman
    assert engine.command("ps") == ["podman", "--runtime", "runc", "ps"]
    assert "--systemd=always" in engine.boot
    assert engine.limits[0] == "--ulimit" and engine.limits[1].startswith("nofile=")


def test_podman_keeps_its_own_runtime_on_the_unified_hierarchy(engine_path: Install) -> None:
    engine_path("podman", host={"cgroupVersion": "v2", "ociRuntime": {"name": "crun"}})
    assert container_engine().command("ps") == ["podman", "ps"]


def test_docker_gets_its_own_flags(engine_path: Install) -> None:
    engine_path("docker")
    engine = container_engine()
    assert not engine.is_podman
    assert "--cgroupns=host" in engine.boot and "--systemd=always" not in engine.boot


def test_podman_without_root_is_refused(engine_path: Install) -> None:
    engine_path("podman", host={"security": {"rootless": True}})
    with pytest.raises(LocalTargetError, match="without root") as caught:
        container_engine()
    assert "as root" in caught.value.remediation
    assert container_engine(machines=False).program == "podman"


def test_crun_alone_on_old_control_groups_is_refused(engine_path: Install, tmp_path: Path) -> None:
    engine_path("podman", host={"ociRuntime": {"name": "crun"}})
    (tmp_path / "bin" / "runc").unlink()
    with pytest.raises(LocalTargetError, match="needs runc"):
        container_engine()


@pytest.mark.parametrize("program", ["podman", "docker"])
def test_an_engine_that_does_not_work_is_named(engine_path: Install, program: str) -> None:
    engine_path(program, broken=["info"])
    with pytest.raises(LocalTargetError, match=f"{program} is installed but does not work") as caught:
        container_engine()
    assert f"{program} info" in caught.value.remediation
    assert "info is broken" in caught.value.output


def test_a_failing_call_carries_the_engines_last_line(podman: Path) -> None:
    engine = container_engine()
    with pytest.raises(LocalTargetError, match="unknown command frobnicate"):
        asyncio.run(engine.run("frobnicate"))
    with pytest.raises(LocalTargetError, match="unknown command frobnicate"):
        engine.call("frobnicate")


def test_a_call_that_never_ends_is_ended(engine_path: Install, tmp_path: Path) -> None:
    engine_path("podman")
    engine = container_engine()
    (tmp_path / "bin" / "podman").write_text("#!/bin/sh\nexec /bin/sleep 30\n")
    with pytest.raises(LocalTargetError, match="no end after"):
        asyncio.run(engine.run("ps", timeout=0.2))
    with pytest.raises(LocalTargetError, match="no end after"):
        engine.call("ps", timeout=0.2)


def test_what_is_not_there_is_none(podman: Path) -> None:
    assert asyncio.run(container_engine().inspect("container", "nobody")) is None
    assert fake_engine.calls(podman)[-1][-1] == "nobody"


def test_the_operators_bundle_is_found_by_environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    bundle = tmp_path / "ca.pem"
    bundle.write_text("pem")
    monkeypatch.setenv("SSL_CERT_FILE", str(bundle))
    assert operator_certificates() == "pem"


def test_what_has_gone_meanwhile_is_left_out(podman: Path) -> None:
    engine = container_engine()

    async def both() -> list[object]:
        await engine.run("run", "--name", "here", "--label", "a=b")
        return await engine.inspect_all("container", ["here", "gone"])

    assert [each["Name"] for each in asyncio.run(both())] == ["here"]  # type: ignore[index]
    assert asyncio.run(engine.inspect_all("container", [])) == []
