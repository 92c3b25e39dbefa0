"""Runs inside the trial's container, as root, with the standard library alone: unpacks an archive, starts the
application as a user without rights, asks it for its pages, and prints what came of it as JSON.

Standard input: one line of JSON (the order), then the archive. What it imports of AutoDeploy comes as one text with it.
"""

from __future__ import annotations

import json
import os
import pathlib
import shutil
import subprocess
import sys
from typing import Any

from autodeploy.adapters.build.databases import start_database
from autodeploy.adapters.build.watching import Application, watch

USER = 10001
STATE = "/var/lib/app"
"""The application's home and the one folder that outlives its releases, as systemd's StateDirectory= is."""


def as_user(number: int) -> list[str]:
    """Return the prefix that gives up all rights."""
    return ["setpriv", f"--reuid={number}", f"--regid={number}", "--clear-groups", "--inh-caps=-all",
            "--bounding-set=-all", "--no-new-privs"]  # fmt: skip


def unpack(prefix: list[str], root: str) -> None:
    """Unpack the archive that follows on standard input."""
    with subprocess.Popen([*prefix, "tar", "-x", "-I", "zstd -q", "-C", root, "-f", "-"], stdin=subprocess.PIPE) as tar:
        assert tar.stdin
        shutil.copyfileobj(sys.stdin.buffer, tar.stdin, 1 << 18)
    if tar.returncode:
        raise SystemExit(f"the archive cannot be unpacked: tar ended with {tar.returncode}")


def boot(order: dict[str, Any], prefix: list[str], root: str = "/app") -> dict[str, Any]:
    """Migrate, start and watch the application; return outcome and last lines."""
    inherited = {"PATH": os.environ["PATH"], "HOME": STATE, "LANG": "C.UTF-8", "PYTHONUNBUFFERED": "1"}
    environment = {**inherited, **order["environment"]}
    environment["PATH"] = f"{root}/runtime/bin:{root}/venv/bin:{environment['PATH']}"
    folder = f"{root}/src"
    if order["migrate"]:
        migration = Application(prefix, order["migrate"], environment, folder)
        try:
            code = migration.process.wait(order["seconds"] * 2)
        except subprocess.TimeoutExpired:
            code = -1
        lines = migration.end()
        if code:
            return {"outcome": "migration", "code": code, "lines": lines}
    application = Application(prefix, order["start"], environment, folder)
    result = watch(application, order)
    return {**result, "lines": application.end()}


def main() -> None:
    """Carry out the order."""
    order = json.loads(sys.stdin.buffer.readline())
    # As on the host: the application's own folder is root's, and what it may write is its state's.
    for folder in ("/app", STATE, "/var/cache/app"):
        pathlib.Path(folder).mkdir(parents=True, exist_ok=True)
    os.chown(STATE, USER, USER)
    os.chown("/var/cache/app", USER, USER)
    unpack([], "/app")
    if order["database"]:
        start_database(order["database"])
    print(json.dumps(boot(order, as_user(USER))))


if __name__ == "__main__":
    main()
