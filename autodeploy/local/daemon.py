"""The local target's one process: the emulated AWS API, the `aws` provider over it, the balancers, a control port.

It runs until SIGTERM and removes no machine. The emulated account lives in its memory; a new process is a new account.
"""

from __future__ import annotations

import argparse
import asyncio
import fcntl
import gc
import hmac
import logging
import os
import secrets
import signal
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from aiohttp import web

from autodeploy import __version__
from autodeploy.errors import AgentError, LocalTargetError
from autodeploy.local.authority import authority
from autodeploy.local.containers import AGENT, container_engine
from autodeploy.local.local_dataplane import LOG, LocalDataPlane
from autodeploy.local.records import DaemonInfo, Records

CONTEXT = "Starting the local target's daemon"


class Control:
    """The control port: health, status and stop, for whoever has read daemon.json. `working` is the provider's."""

    def __init__(self, dataplane: LocalDataPlane, epoch: str) -> None:
        self.token = secrets.token_hex(16)
        self.stopping = asyncio.Event()
        self.port = 0
        self.working: Callable[[], list[str]] = list
        self._dataplane = dataplane
        self._epoch = epoch
        self._runner: web.ServerRunner | None = None

    async def start(self) -> None:
        """Listen on a free loopback port."""
        self._runner = web.ServerRunner(web.Server(self._answer, access_log=None), shutdown_timeout=1)
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", 0).start()
        self.port = self._runner.addresses[0][1]

    async def stop(self) -> None:
        """Close the port."""
        if self._runner is not None:
            await self._runner.cleanup()

    async def _answer(self, request: web.BaseRequest) -> web.StreamResponse:
        given = request.headers.get("Authorization", "")
        if not hmac.compare_digest(given.encode(), f"Bearer {self.token}".encode()):
            return web.Response(status=401)
        if (request.method, request.path) == ("GET", "/health"):
            return web.json_response({"version": __version__, "account_epoch": self._epoch})
        if (request.method, request.path) == ("GET", "/status"):
            return web.json_response({"targets": self._targets(), "working": self.working()})
        if (request.method, request.path) == ("POST", "/stop"):
            self.stopping.set()
            return web.json_response({"stopping": True})
        return web.Response(status=404)

    def _targets(self) -> list[str]:
        pools = self._dataplane.balancers.pools.values()
        return [f"{address}: {health}" for pool in pools for address, health in pool.health().items()]


class EmulatedApi:
    """moto's server on a free loopback port, in threads of its own."""

    def __init__(self, amis: Path) -> None:
        from autodeploy.local.provider import amis_file

        amis_file(amis)
        # Read when moto is imported, hence the late import.
        os.environ["MOTO_AMIS_PATH"] = str(amis)
        from moto.backends import get_backend
        from moto.server import ThreadedMotoServer

        # Its first request would load it: here, the caller is still busy with its own imports.
        get_backend("ec2")
        self._server: Any = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
        self._server.start()
        host, port = self._server.get_host_and_port()
        self.endpoint = f"http://{host}:{port}"

    def stop(self) -> None:
        """End the server and its threads."""
        self._server.stop()


async def serve(home: Path) -> None:
    """Run all parts until SIGTERM, SIGINT or the control port's stop."""
    from autodeploy.local.provider import serve_provider

    records = Records(home)
    epoch = secrets.token_hex(8)
    authority(records.folder)
    authority(records.folder, "acm")
    dataplane = LocalDataPlane(container_engine(), home, epoch)
    control = Control(dataplane, epoch)
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, control.stopping.set)
    api = await asyncio.to_thread(EmulatedApi, records.amis)
    try:
        provider = await serve_provider(api.endpoint, dataplane)
        control.working = provider.working
        await control.start()
        info = DaemonInfo(
            pid=os.getpid(),
            version=__version__,
            account_epoch=epoch,
            aws_endpoint=api.endpoint,
            provider_port=provider.port,
            control_port=control.port,
            token=control.token,
        )
        records.write(info)
        LOG.info("ready: %s", info)
        await control.stopping.wait()
        LOG.info("stopping")
        records.info.unlink(missing_ok=True)
        await provider.stop()
    finally:
        await dataplane.stop()
        await control.stop()
        await asyncio.to_thread(api.stop)


@contextmanager
def _alone(path: Path) -> Iterator[None]:
    with path.open("w") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as err:
            raise LocalTargetError(
                "another daemon of this home is running",
                "See `autodeploy local status`; `autodeploy local down` stops it.",
                agent=AGENT,
                context=CONTEXT,
            ) from err
        yield


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the daemon of one home in the foreground."""
    parser = argparse.ArgumentParser(prog="python -m autodeploy.local.daemon", description=__doc__)
    parser.add_argument("--home", type=Path, required=True)
    parser.add_argument("--cache", type=Path, required=True)
    choices = parser.parse_args(arguments)
    # What is imported is large and stays: looking through it again and again costs a fifth of the start.
    gc.set_threshold(50_000)
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s: %(message)s")
    for noisy in ("werkzeug", "botocore", "moto"):
        logging.getLogger(noisy).setLevel(logging.WARNING)
    home = choices.home.absolute()
    Records(home).make()
    try:
        with _alone(Records(home).lock):
            asyncio.run(serve(home))
    except AgentError as err:
        print(f"{err}\n{err.output}".rstrip(), file=sys.stderr)
        return err.exit_code
    return 0


if __name__ == "__main__":
    sys.exit(main())
