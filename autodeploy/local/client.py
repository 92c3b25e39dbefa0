"""The local target as commands see it: start its daemon, ask it, stop it, clear it. It never talks to AWS."""

from __future__ import annotations

import asyncio
import fcntl
import http.client
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import autodeploy
from autodeploy.errors import LocalTargetError
from autodeploy.local.containers import AGENT, container_engine
from autodeploy.local.fleet import Fleet, Member
from autodeploy.local.records import DaemonInfo, Records
from autodeploy.local.snapshots import DatabaseSnapshots
from autodeploy.ports import Say

__all__ = ["DaemonInfo", "LocalTarget"]

START_SECONDS = 60.0
STOP_SECONDS = 30.0
SETTLE_SECONDS = 300.0


class LocalTarget:
    """One home's local target, running or not."""

    def __init__(self, home: Path, cache: Path) -> None:
        self.home = home.absolute()
        self.cache = cache
        self.records = Records(self.home)
        self.snapshots = DatabaseSnapshots(self._fleet, self.records.snapshots)

    def ensure(self) -> DaemonInfo:
        """Return the running daemon, started when there is none, once even for two callers; raise LocalTargetError."""
        info = self.running()
        if info is None:
            container_engine()
            with self._one_starter():
                info = self.running() or self._start()
        if info.version != autodeploy.__version__:
            raise LocalTargetError(
                f"the local target's daemon is of version {info.version}, this is {autodeploy.__version__}",
                "Run `autodeploy local reset` and deploy again: its emulated account ends with it.",
                agent=AGENT,
                context="Reaching the local target's daemon",
            )
        return info

    def running(self) -> DaemonInfo | None:
        """Return the daemon that answers, None when none does."""
        info = self.records.read()
        if info is None:
            return None
        health = _ask(info, "GET", "/health")
        return info if health and health["account_epoch"] == info.account_epoch else None

    def settle(self, deployment_id: str, say: Say, seconds: float = SETTLE_SECONDS) -> None:
        """Return when the provider does nothing for a deployment any more; raise LocalTargetError after `seconds`."""
        deadline, idle, spoken = time.monotonic() + seconds, 0, False
        while idle < 2:  # twice: a dead engine's last request may still be on its way in
            info = self.running()
            told = (info and _ask(info, "GET", "/status")) or {}
            working = [line for line in told.get("working", ()) if f":{deployment_id}::" in line]
            idle = 0 if working else idle + 1
            if working and not spoken:
                spoken = True
                say(f"waiting for the local target to finish: {working[0]}")
            if time.monotonic() > deadline:
                raise LocalTargetError(
                    f"the local target is still busy after {seconds:g} s: {', '.join(working)}",
                    "Run the same command again later; `autodeploy local reset` starts with an empty account.",
                    True,
                    agent=AGENT,
                    context=f"Waiting for what a killed engine asked for {deployment_id}",
                )
            time.sleep(0.2)

    def status(self) -> dict[str, object]:
        """Return what runs, by name, for people and --json; needs no daemon."""
        info = self.running()
        told = (info and _ask(info, "GET", "/status")) or {}
        members = asyncio.run(self._fleet().members())
        epoch = info.account_epoch if info else None
        live = [member for member in members if member.epoch == epoch]
        return {
            "daemon": f"running, process {info.pid}, version {info.version}" if info else "not running",
            "account_epoch": epoch,
            "aws_endpoint": info.aws_endpoint if info else None,
            "provider_port": info.provider_port if info else None,
            "machines": [_line(member) for member in live if member.kind == "machine"],
            "databases": [_line(member) for member in live if member.kind == "database"],
            "balancers": [f"https://{name}/" for name in self.records.balancer_names().values()],
            "targets": told.get("targets", []),
            "leftovers": [_line(member) for member in members if member.epoch != epoch],
            "log": str(self.records.log),
        }

    def console_output(self, instance_id: str) -> str:
        """Return what a machine last wrote on its console."""
        fleet = self._fleet()
        return fleet.engine.call("logs", "--tail", "2000", fleet.container("machine", instance_id))

    def target_health(self, deployment_id: str) -> list[str]:
        """Return "address: health" of every target that is a machine of the deployment, with the reason."""
        info = self.running()
        told = (info and _ask(info, "GET", "/status")) or {}
        with ThreadPoolExecutor(1) as apart:  # a stage that asks is itself run by an event loop
            members = apart.submit(asyncio.run, self._fleet().members()).result()
        own = {member.address for member in members if member.deployment == deployment_id}
        return [line for line in told.get("targets", []) if line.partition(":")[0] in own]

    def down(self) -> None:
        """Stop the daemon and all machines of this home; done already counts as done."""
        self._stop_daemon()
        asyncio.run(self._stop_machines())

    def reset(self) -> None:
        """Stop the daemon and remove all that this home has made: containers, networks, snapshots, records."""
        self._stop_daemon()
        asyncio.run(self._fleet().reset())
        for path in (self.records.balancers, self.records.info, self.records.amis):
            path.unlink(missing_ok=True)
        for folder in (self.records.folder / "seeds", self.records.snapshots):
            shutil.rmtree(folder, ignore_errors=True)

    def _fleet(self) -> Fleet:
        return Fleet(container_engine(), self.home, "")

    async def _stop_machines(self) -> None:
        fleet = self._fleet()
        running = [member.container for member in await fleet.members() if member.state == "running"]
        await asyncio.gather(*map(fleet.stop, running))

    def _start(self) -> DaemonInfo:
        self.records.info.unlink(missing_ok=True)
        command = [
            sys.executable,
            "-m",
            "autodeploy.local.daemon",
            "--home",
            str(self.home),
            "--cache",
            str(self.cache),
        ]
        with self.records.log.open("ab") as log:
            process = subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                cwd=self.home,
                env=_environment(),
                # Its own session: Ctrl-C and the end of a terminal are not meant for it.
                start_new_session=True,
            )
        deadline = time.monotonic() + START_SECONDS
        while time.monotonic() < deadline:
            info = self.running()
            if info is not None and info.pid == process.pid:
                return info
            if process.poll() is not None:
                raise self._not_started(f"the local target's daemon ended with status {process.returncode}")
            time.sleep(0.05)
        process.terminate()
        raise self._not_started(f"the local target's daemon is not ready after {START_SECONDS:g} s")

    def _not_started(self, message: str) -> LocalTargetError:
        lines = self.records.log.read_text("utf-8", errors="replace").splitlines()
        return LocalTargetError(
            message,
            f"Read {self.records.log}, then try again; `autodeploy local reset` starts with an empty account.",
            True,
            agent=AGENT,
            context="Starting the local target's daemon",
            output="\n".join(lines[-20:]),
        )

    def _stop_daemon(self) -> None:
        info = self.running()
        if info is None:
            return
        _ask(info, "POST", "/stop")
        if not self._is_over(STOP_SECONDS):
            # It answered as ours a moment ago, so the process id is not somebody else's.
            os.kill(info.pid, signal.SIGKILL)
            self._is_over(STOP_SECONDS)

    def _is_over(self, seconds: float) -> bool:
        """Wait for the daemon's lock to be free; only its end frees it."""
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            with self.records.lock.open("w") as file:
                try:
                    fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                    return True
                except BlockingIOError:
                    time.sleep(0.05)
        return False

    @contextmanager
    def _one_starter(self) -> Iterator[None]:
        self.records.make()
        with (self.records.folder / "start.lock").open("w") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            yield


def _line(member: Member) -> str:
    return f"{member.name} {member.address} {member.state} (deployment {member.deployment})"


def _ask(info: DaemonInfo, method: str, path: str) -> dict[str, Any] | None:
    connection = http.client.HTTPConnection("127.0.0.1", info.control_port, timeout=5)
    try:
        connection.request(method, path, headers={"Authorization": f"Bearer {info.token}"})
        answer = connection.getresponse()
        return dict(json.loads(answer.read())) if answer.status == 200 else None
    except (OSError, http.client.HTTPException, ValueError):
        return None
    finally:
        connection.close()


def _environment() -> dict[str, str]:
    """Return the daemon's environment: it must find this package, and must not meet the operator's AWS account."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("AWS_", "MOTO_"))}
    here = str(Path(autodeploy.__file__).parent.parent)
    paths = [here, *filter(None, [os.environ.get("PYTHONPATH")])]
    direct = ",".join(filter(None, ["127.0.0.1,localhost", os.environ.get("NO_PROXY")]))
    return kept | {
        "PYTHONPATH": os.pathsep.join(paths),
        "NO_PROXY": direct,
        "no_proxy": direct,
        "AWS_EC2_METADATA_DISABLED": "true",
    }
