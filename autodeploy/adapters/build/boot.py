"""Runs inside the trial's container, as root, with the standard library alone: unpacks an archive, starts the
application as a user without rights, asks it for its health page, and prints what came of it as JSON.

Standard input: one line of JSON (the order), then the archive. Nothing of AutoDeploy is imported here.
"""

from __future__ import annotations

import collections
import contextlib
import glob
import http.client
import json
import os
import pathlib
import shlex
import shutil
import signal
import subprocess
import sys
import threading
import time
from typing import Any

USER = 10001
STATE = "/var/lib/app"
"""The application's home and the one folder that outlives its releases, as systemd's StateDirectory= is."""

_KEY, _CERTIFICATE = "/var/tmp/database.key", "/var/tmp/database.pem"
_CERTIFY = (
    "openssl req -x509 -newkey rsa:2048 -nodes -days 1 -subj /CN=localhost "
    f"-addext subjectAltName=DNS:localhost,IP:127.0.0.1 -keyout {_KEY} -out {_CERTIFICATE}"
)


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


def start_database(database: dict[str, Any]) -> None:
    """Start a database with TLS on loopback, with the role and the database of the order.

    Its certificate, which is its own authority, goes where the application looks for one.
    """
    user, steps = (
        ("postgres", _postgres(database)) if database["engine"] == "postgres" else ("mysql", _mariadb(database))
    )
    for step in (_CERTIFY, *steps):
        done = subprocess.run(
            ["runuser", "-u", user, "--", "sh", "-c", step],
            cwd="/var/tmp",
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode:
            raise SystemExit(f"the trial's database cannot be started: {done.stderr.strip()[-500:]}")
    os.makedirs(os.path.dirname(database["ca_path"]), exist_ok=True)  # noqa: PTH103, PTH120
    shutil.copyfile(_CERTIFICATE, database["ca_path"])


def _postgres(database: dict[str, Any]) -> tuple[str, ...]:
    programs = sorted(glob.glob("/usr/lib/postgresql/*/bin"))[-1]  # noqa: PTH207
    port = database["port"]
    told = (
        "-c unix_socket_directories=/var/tmp -c fsync=off -c ssl=on "
        f"-c ssl_cert_file={_CERTIFICATE} -c ssl_key_file={_KEY} -c listen_addresses={database['host']} -c port={port}"
    )
    role = f"CREATE ROLE {database['username']} LOGIN PASSWORD '{database['password']}'"
    access = "--auth-local=trust --auth-host=scram-sha-256"
    return (
        f"{programs}/initdb -D /var/tmp/database -U postgres {access} --no-sync -E UTF8 --locale=C.UTF-8",
        # As on the host: nobody gets in without TLS.
        "sed -i 's/^host /hostssl /' /var/tmp/database/pg_hba.conf",
        f"{programs}/pg_ctl -D /var/tmp/database -w -l /var/tmp/database.log -o '{told}' start",
        f"{programs}/psql -h /var/tmp -p {port} -U postgres -c {shlex.quote(role)}",
        f"{programs}/createdb -h /var/tmp -p {port} -U postgres -O {database['username']} {database['name']}",
    )


def _mariadb(database: dict[str, Any]) -> tuple[str, ...]:
    """The image has an empty server's data in its own place."""
    socket = "--no-defaults --socket=/var/tmp/database.sock"
    told = (
        f"{socket} --bind-address={database['host']} --port={database['port']} --skip-name-resolve "
        f"--ssl-cert={_CERTIFICATE} --ssl-key={_KEY} --require-secure-transport=ON --innodb-log-file-size=8M "
        "--innodb-flush-log-at-trx-commit=0 --pid-file=/var/tmp/database.pid"
    )
    name, user = database["name"], f"'{database['username']}'@'%'"
    sql = (
        f"CREATE DATABASE {name} CHARACTER SET utf8mb4; CREATE USER {user} IDENTIFIED BY '{database['password']}'; "
        f"GRANT ALL ON {name}.* TO {user}"
    )
    up = f"mariadb-admin {socket} ping >/dev/null 2>&1"
    failed = "{ tail -n 5 /var/tmp/database.log >&2; exit 1; }"
    return (
        f"mariadbd {told} >/var/tmp/database.log 2>&1 </dev/null &",
        f"n=0; until {up}; do n=$((n + 1)); [ $n -lt 300 ] || {failed}; sleep 0.1; done",
        f"mariadb {socket} -e {shlex.quote(sql)}",
    )


class Application:
    """The application's process, and the last lines that it wrote."""

    def __init__(self, prefix: list[str], command: str, environment: dict[str, str], folder: str) -> None:
        self.lines: collections.deque[str] = collections.deque(maxlen=100)
        self.process = subprocess.Popen(
            [*prefix, "sh", "-c", command], cwd=folder, env=environment, stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, start_new_session=True,
        )  # fmt: skip
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def _read(self) -> None:
        assert self.process.stdout
        while raw := self.process.stdout.readline(4096):
            self.lines.append(raw.decode("utf-8", "replace").rstrip("\n"))

    def end(self) -> list[str]:
        """Kill it with all its children, and return its last lines."""
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()
        self._reader.join(2)
        return list(self.lines)


def answer(port: int, path: str) -> int | None:
    """Return the status that the health page is answered with; None when nobody answers."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    try:
        connection.request("GET", path, headers={"Host": "localhost", "User-Agent": "AutoDeploy-Trial"})
        return connection.getresponse().status
    except (OSError, http.client.HTTPException):
        return None
    finally:
        connection.close()


def watch(application: Application, order: dict[str, Any]) -> dict[str, Any]:
    """Wait until the application answers, ends, goes on failing or listening on another port, or the time is over."""
    started = time.monotonic()
    status = None
    while time.monotonic() - started < order["seconds"]:
        seconds = round(time.monotonic() - started, 1)
        code = application.process.poll()
        if code is not None:
            return {"outcome": "exited", "code": code, "seconds": seconds}
        if not order["web"]:
            if seconds >= order["settle"]:
                return {"outcome": "running", "seconds": seconds}
        else:
            status = answer(order["port"], order["path"]) or status
            if status is not None and 200 <= status < 500:
                return {"outcome": "answered", "status": status, "seconds": round(time.monotonic() - started, 1)}
        if order["web"] and seconds > order["patience"] and (status is not None or _is_elsewhere(order["port"])):
            break
        time.sleep(0.1)
    if status is not None:
        return {"outcome": "unwell", "status": status}
    return {"outcome": "silent", "ports": listening()}


def _is_elsewhere(port: int) -> bool:
    ports = listening()
    return bool(ports) and port not in ports


def listening(table: str = "/proc/net/tcp", table6: str = "/proc/net/tcp6") -> list[int]:
    """Return the ports that something listens on, a database's left out."""
    found = set()
    for file in (table, table6):
        if os.path.exists(file):  # noqa: PTH110
            with open(file, encoding="ascii") as lines:  # noqa: PTH123
                rows = [line.split() for line in list(lines)[1:]]
            found |= {int(row[1].rpartition(":")[2], 16) for row in rows if row[3] == "0A"}
    return sorted(found - {5432, 3306})


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
