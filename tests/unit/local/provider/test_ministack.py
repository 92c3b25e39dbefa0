"""Every entry of the table on two emulators, moto and ministack: made, read, changed and deleted on both alike.

Where ministack is not as AWS is, it stands in DIFFERENCES, and is seen to be so.
"""

from __future__ import annotations

import functools
import os
import re
import signal
import subprocess
import sys
import time
from asyncio import AbstractEventLoop, run_coroutine_threadsafe
from collections import defaultdict
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import boto3
import grpc
import pytest
from fakes.plane import FakePlane
from protocol_engine import REGION, Engine, Made
from whole import World, changes, domain, whole

from autodeploy.local.provider import serve_provider
from autodeploy.local.provider.table import TABLE, load_schemas

PYTHON = Path(sys.prefix) / "ministack" / "bin" / "python"

# Of a type: which step of its life ends how on ministack (1.5.33); docs/infrastructure.md tells of them.
DIFFERENCES: dict[str, dict[str, str]] = {
    # Of a key pair it keeps the name alone; without the public half no machine can be booted that would know it.
    "aws:ec2/keyPair:KeyPair": {"tells": "not keyType, not publicKey"},
    "aws:ec2/instance:Instance": {"create": "KeyError: 'PublicKey'"},
    # Its clusters alone have a managed password; an instance's master has one that no secret holds.
    "aws:rds/instance:Instance": {"create": "KeyError: 'MasterUserSecret'"},
    "aws:lb/targetGroup:TargetGroup": {"tells": "not ipAddressType, not protocolVersion"},
    # AWS leaves out what is empty.
    "aws:cloudwatch/metricAlarm:MetricAlarm": {"tells": "alarmDescription"},
}


class Watched(Engine):
    """Goes on whatever happens, and notes by type and step what was wrong, "" when nothing was."""

    def __post_init__(self) -> None:
        super().__post_init__()
        self.noted: dict[str, dict[str, str]] = defaultdict(dict)
        self.told: dict[str, set[str]] = defaultdict(set)

    def watch(self, token: str, step: str, work: Callable[[], Any]) -> Any:
        self.noted[token].setdefault(step, "")
        try:
            return work()
        except (AssertionError, grpc.RpcError) as err:
            said = err.details() if isinstance(err, grpc.RpcError) else str(err)
            self.noted[token][step] = said.removeprefix("the local target failed: ").partition(". ")[0]

    def create(self, token: str, name: str, inputs: dict[str, Any], secrets: Any = ()) -> Made:
        make = super().create
        made = self.watch(token, "create", lambda: make(token, name, inputs, secrets))
        self.told[token] |= made.outputs.keys() if made else set()
        return made or Made(token, name, "", inputs, {})

    def prove(self, made: Made, foreseen: dict[str, Any], news: dict[str, Any]) -> None:
        prove = super().prove
        if made.id:
            self.watch(made.token, "read", lambda: prove(made, foreseen, news))

    def prove_changed(self, made: Made, news: dict[str, Any]) -> Made:
        return self.watch(made.token, "update", lambda: self.change(made, **news)) or made

    def prove_deleted(self, made: list[Made]) -> None:
        for each in made:
            self.watch(each.token, "delete", functools.partial(self.delete, each))
        for each in made:
            self.watch(each.token, "delete", functools.partial(self.is_gone, each))

    def differing(self, token: str, other: Watched) -> dict[str, str]:
        """Return what was wrong, a line a step, and which outputs are told here alone or not at all."""
        wrong = {step: said for step, said in self.noted[token].items() if said}
        here, there = self.told[token], other.told[token]
        tells = ", ".join([*(f"not {name}" for name in sorted(there - here)), *sorted(here - there)])
        return wrong | ({"tells": tells} if here and tells else {})

    def is_gone(self, made: Made) -> None:
        assert self.read(made) is None
        self.delete(made)


def live(engine: Watched, aws: Callable[[str], Any]) -> None:
    """Make one at least of every type, change what can be changed, and delete all of them."""
    made = {name: each for name, each in (whole(World(engine), engine) | domain(aws, engine)).items() if each.id}
    for name, news in changes(made).items():
        if name in made:
            made[name] = engine.prove_changed(made[name], news)
    engine.prove_deleted([*reversed(made.values())])


@pytest.fixture(scope="module")
def ministack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Its server in a process and an environment of its own, which makes no container and leaves no file."""
    assert PYTHON.is_file(), "ministack is not installed: make ministack"
    home = tmp_path_factory.mktemp("ministack")
    settings = {"MINISTACK_ACCOUNT_ID": "123456789012", "DOCKER_HOST": "unix:///nowhere", "TMPDIR": str(home)}
    command = [PYTHON, "-m", "hypercorn", "ministack.app:app", "--bind", "127.0.0.1:0"]
    with (home / "log").open("wb") as log:
        environment = {"PATH": os.environ["PATH"], **settings}
        server = subprocess.Popen(command, cwd=home, env=environment, stderr=log, start_new_session=True)
    try:
        yield _address(server, home / "log")
    finally:
        os.killpg(server.pid, signal.SIGKILL)  # who serves is a child of its own
        server.wait()


def _address(server: subprocess.Popen[bytes], log: Path) -> str:
    deadline = time.monotonic() + 120
    while time.monotonic() < deadline and server.poll() is None:
        if found := re.search(r"Running on (http://[\d.]+:\d+) ", log.read_text()):
            return found[1]
        time.sleep(0.05)
    raise AssertionError(log.read_text())


@pytest.fixture(scope="module")
def lives(emulator: str, reset: Callable[[], None], ministack: str, loop: AbstractEventLoop) -> list[Watched]:
    """A whole life on moto, and one on ministack."""
    reset()
    load_schemas()
    return [_live(endpoint, loop) for endpoint in (emulator, ministack)]


def _live(endpoint: str, loop: AbstractEventLoop) -> Watched:
    known = {"aws_access_key_id": "test", "aws_secret_access_key": "test"}
    server = run_coroutine_threadsafe(serve_provider(endpoint, FakePlane()), loop).result(60)
    engine = Watched(server.port)
    try:
        engine.configure()
        live(engine, lambda service: boto3.client(service, REGION, endpoint_url=endpoint, **known))
        return engine
    finally:
        engine.channel.close()
        run_coroutine_threadsafe(server.stop(), loop).result(60)


@pytest.mark.parametrize("token", TABLE, ids=lambda token: token.rpartition(":")[2])
def test_an_entry_is_right_on_both_or_differs_as_it_is_written_down(token: str, lives: list[Watched]) -> None:
    on_moto, on_ministack = lives
    changeable = TABLE[token].updates or TABLE[token].tagged
    steps = {"create", "read", "delete"} | ({"update"} if changeable else set())
    assert on_moto.noted[token] == dict.fromkeys(steps, "")
    assert on_ministack.differing(token, on_moto) == DIFFERENCES.get(token, {})
