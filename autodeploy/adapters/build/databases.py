"""Runs inside the trial's container as a part of boot.py: starts the scratch database that stands in for the real one.

What is ordered is a ScratchDatabase as JSON. Nothing of AutoDeploy is imported here.
"""

from __future__ import annotations

import glob
import os
import shlex
import shutil
import subprocess
from typing import Any

_KEY, _CERTIFICATE = "/var/tmp/database.key", "/var/tmp/database.pem"
_CERTIFY = (
    "openssl req -x509 -newkey rsa:2048 -nodes -days 1 -subj /CN=localhost "
    f"-addext subjectAltName=DNS:localhost,IP:127.0.0.1 -keyout {_KEY} -out {_CERTIFICATE}"
)


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
