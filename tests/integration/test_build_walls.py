"""What a build step cannot reach, and what it leaves: cloud metadata with a listener in place, other builds, time."""

from __future__ import annotations

import os
import platform
import random
import shutil
import subprocess
import sys
import time
import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest
from fixtures.pressing import until
from fixtures.sources import EXPECTED, SAMPLES
from integration.building import BARE, World

from autodeploy.adapters.build import ContainerBuilder, Limits, hosted, operator_registries
from autodeploy.adapters.git import GitRepo
from autodeploy.analyser import analyse
from autodeploy.errors import BuildError
from autodeploy.local.containers import container_engine
from autodeploy.local.packages import ensure_packages

pytestmark = pytest.mark.local

ADDRESSES = ("169.254.169.254", "fd00:ec2::254")
LISTEN = """
import socket, sys, threading
def serve(family, address):
    with socket.create_server((address, 80), family=family) as server:
        while True:
            link, _ = server.accept()
            link.sendall(b"credentials")
            link.close()
for family, address in ((socket.AF_INET, "169.254.169.254"), (socket.AF_INET6, "fd00:ec2::254")):
    threading.Thread(target=serve, args=(family, address)).start()
"""
ASK = """
import socket, sys
reached = []
for address in ("169.254.169.254", "fd00:ec2::254"):
    try:
        socket.create_connection((address, 80), 3).close()
        reached.append(address)
    except OSError as err:
        print(address, err)
open(sys.argv[1], "w").write(" ".join(reached) or "nobody")
"""


LANGUAGES = ("flask-postgres", "nest-typescript", "go-plain")


class Namespaces:
    """Two network namespaces of our own, joined by a cable: a machine, and the cloud behind it."""

    def __init__(self) -> None:
        tag = uuid.uuid4().hex[:6]
        self.machine, self.cloud = f"ad-m-{tag}", f"ad-c-{tag}"
        self._listener: subprocess.Popen[bytes] | None = None

    def inside(self, name: str, *words: str) -> list[str]:
        return ["ip", "netns", "exec", name, *words]

    def run(self, *words: str) -> None:
        subprocess.run(words, check=True, capture_output=True)

    def make(self) -> None:
        for name in (self.machine, self.cloud):
            self.run("ip", "netns", "add", name)
            self.run(*self.inside(name, "ip", "link", "set", "lo", "up"))
        near, far = f"{self.machine}-v"[:15], f"{self.cloud}-v"[:15]
        cable = ("type", "veth", "peer", "name", far, "netns", self.cloud)
        self.run("ip", "link", "add", near, "netns", self.machine, *cable)
        for name, port, own, own6 in (
            (self.machine, near, "192.0.2.2/24", "fd01::2/64"), (self.cloud, far, "192.0.2.1/24", "fd01::1/64"),
        ):  # fmt: skip
            self.run(*self.inside(name, "ip", "address", "add", own, "dev", port))
            self.run(*self.inside(name, "ip", "-6", "address", "add", own6, "dev", port, "nodad"))
            self.run(*self.inside(name, "ip", "link", "set", port, "up"))
        for address, bits in ((ADDRESSES[0], "/32"), (ADDRESSES[1], "/128")):
            nodad = ["nodad"] if ":" in address else []
            self.run(*self.inside(self.cloud, "ip", "address", "add", address + bits, "dev", "lo", *nodad))
        self.run(*self.inside(self.machine, "ip", "route", "add", "default", "via", "192.0.2.1"))
        self.run(*self.inside(self.machine, "ip", "-6", "route", "add", "default", "via", "fd01::1"))
        self._listener = subprocess.Popen(self.inside(self.cloud, sys.executable, "-c", LISTEN))

    def end(self) -> None:
        if self._listener:
            self._listener.kill()
            self._listener.wait()
        for name in (self.machine, self.cloud):
            subprocess.run(["ip", "netns", "delete", name], check=False, capture_output=True)


@pytest.fixture
def namespaces() -> Iterator[Namespaces]:
    made = Namespaces()
    try:
        made.make()
        yield made
    finally:
        made.end()


def test_no_build_step_reaches_the_metadata_address(tmp_path: Path, repository: Path, namespaces: Namespaces) -> None:
    seen = tmp_path / "seen"
    for _ in range(50):
        subprocess.run(namespaces.inside(namespaces.machine, sys.executable, "-c", ASK, str(seen)), check=True)
        if seen.read_text() == " ".join(ADDRESSES):
            break
        time.sleep(0.1)
    assert seen.read_text() == " ".join(ADDRESSES), "the listener itself cannot be reached: nothing is proven"
    world = World(tmp_path, repository)
    engine = container_engine()
    network = ("--network", f"ns:/run/netns/{namespaces.machine}")
    world.builder = ContainerBuilder(
        engine.command("run", "--rm", *network, *engine.limits), ensure_packages, tmp_path / "cache"
    )
    root = world.write(**{"ask.py": ASK})
    artifact = world.build(root, BARE.but(build_command="/app/venv/bin/python ask.py proof"))
    subprocess.run(["tar", "-xf", artifact.path, "--zstd", "-C", str(tmp_path), "src/proof"], check=True)
    assert (tmp_path / "src" / "proof").read_text() == "nobody"


@pytest.mark.nightly
@pytest.mark.parametrize("name", LANGUAGES)
def test_cleared_caches_give_the_same_bytes(name: str, tmp_path: Path, repository: Path) -> None:
    built_twice(name, tmp_path, repository)


def test_cleared_caches_give_the_same_bytes_of_one_language(
    tmp_path: Path, repository: Path, chance: random.Random
) -> None:
    built_twice(chance.choice(LANGUAGES), tmp_path, repository)


def built_twice(name: str, tmp_path: Path, repository: Path) -> None:
    """Build a sample from nothing, twice; the archives must be the same."""
    print(name)
    world = World(tmp_path, repository)
    shutil.rmtree(world.root, ignore_errors=True)
    shutil.copytree(SAMPLES / name, world.root, ignore=shutil.ignore_patterns(*EXPECTED))
    checksums = []
    for _ in range(2):
        shutil.rmtree(tmp_path / "cache", ignore_errors=True)
        world.forget()
        source = GitRepo(tmp_path / "cache").checkout(str(world.root), None, ".", tmp_path / "into")
        checksums.append(world.build(world.root, analyse(source)).checksum)
    assert checksums[0] == checksums[1]


HOME_PROBE = """
import os, pathlib
assert not [name for name in os.environ if name.startswith(("AWS", "SSH", "AUTODEPLOY"))], os.environ
assert pathlib.Path.cwd() == pathlib.Path("/app/src")
for path in ("/root/.ssh", "/root/.aws", "/run/podman", "/run/docker.sock", "/home/build/.aws", "/work", "/srv"):
    assert not os.path.exists(path), path
assert len([name for name in os.listdir("/proc") if name.isdigit()]) < 12
words = pathlib.Path("/proc/1/environ").read_bytes() if os.access("/proc/1/environ", os.R_OK) else b""
assert b"cloud-secret" not in words
try:
    pathlib.Path("/usr/proof").touch()
except OSError:
    pathlib.Path("proof").write_text("built here")
"""


def on_this_machine(tmp_path: Path, limits: Limits | None = None) -> ContainerBuilder:
    registries = operator_registries(os.environ, Path.home())
    return ContainerBuilder((), ensure_packages, tmp_path / "cache", registries, limits, host=True)


def is_debian_12() -> bool:
    return 'VERSION_ID="12"' in Path("/etc/os-release").read_text() and platform.machine() == "x86_64"


def test_a_build_on_this_machine_is_the_same_build_or_is_refused(
    tmp_path: Path, repository: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "cloud-secret")
    world = World(tmp_path, repository)
    stack = BARE.but(build_command="/app/venv/bin/python probe.py")
    root = world.write(**{"probe.py": HOME_PROBE, "app.py": "x = 1\n"})
    world.builder = on_this_machine(tmp_path)
    if not is_debian_12():
        with pytest.raises(BuildError, match="cannot be built here"):
            world.build(root, stack)
        return
    artifact = world.build(root, stack)
    assert hosted.WARNING in world.said
    names = subprocess.run(["tar", "-tf", artifact.path, "--zstd"], capture_output=True, text=True, check=True).stdout
    assert {"manifest.json", "src/proof", "venv/bin/pip"} <= set(names.split())
    assert str(world.builder.trial(artifact, stack, {}, world.said.append)).startswith("not booted")
    assert not list((tmp_path / "cache" / "host" / "builds").iterdir())


def test_a_build_on_this_machine_ends_with_us(tmp_path: Path, repository: Path) -> None:
    world = World(tmp_path, repository)
    world.builder = on_this_machine(tmp_path, Limits(build_seconds=20))
    root = world.write(**{"app.py": ""})
    with pytest.raises(BuildError, match="did not end within 20 s" if is_debian_12() else "cannot be built here"):
        world.build(root, BARE.but(build_command="setsid sleep 613 & sleep 614"))
    until(lambda: not {"sleep 613", "sleep 614"} & set(running()))


def running() -> list[str]:
    return subprocess.run(["ps", "-eo", "args="], capture_output=True, text=True, check=True).stdout.splitlines()
