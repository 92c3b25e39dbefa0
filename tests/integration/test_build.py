"""Real builds and trials in real containers, of small applications made here."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import tarfile
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from fixtures.pressing import until
from integration.building import BARE, World

from autodeploy.adapters.build import Limits
from autodeploy.errors import BuildError
from autodeploy.model import Evidence, TechStack

pytestmark = pytest.mark.local

FLASK = {
    "requirements.txt": "flask==3.1.*\npsycopg2-binary\n",
    "app.py": (
        "import os, psycopg2\n"
        "from flask import Flask\n"
        "app = Flask(__name__)\n"
        "@app.get('/health')\n"
        "def health():\n"
        "    with psycopg2.connect(os.environ['DATABASE_URL'], sslmode='require') as link, link.cursor() as cursor:\n"
        "        cursor.execute('select name from notes')\n"
        "        return cursor.fetchone()[0]\n"
    ),
    "migrate.py": (
        "import os, psycopg2\n"
        "with psycopg2.connect(os.environ['DATABASE_URL']) as link, link.cursor() as cursor:\n"
        "    cursor.execute(\"create table notes (name text); insert into notes values ('made')\")\n"
    ),
}
ASYNC = """
import asyncio, os
from sqlalchemy import text
from sqlalchemy.ext.asyncio import create_async_engine

async def main():
    async with create_async_engine(os.environ["DATABASE_URL"]).begin() as link:
        await link.execute(text("create table notes (name text)"))

asyncio.run(main())
"""
PARTS = """
import os, psycopg2
names = {part: os.environ["DB_" + part.upper()] for part in ("host", "port", "user", "password")}
with psycopg2.connect(dbname=os.environ["DB_NAME"], **names) as link, link.cursor() as cursor:
    cursor.execute("insert into notes values ('made')")
"""
STACK = TechStack(
    language="python", runtime_version="3.11", build_tool="pip", server_package="gunicorn", health_check_path="/health",
    start_command="/app/venv/bin/gunicorn --bind 127.0.0.1:$PORT app:app", requires_database=True,
    database_type="postgresql", migration_command="/app/venv/bin/python migrate.py",
)  # fmt: skip
PROBE = """
import os, pathlib, socket, subprocess, sys
for address in ("169.254.169.254", "169.254.170.2"):
    try:
        socket.create_connection((address, 80), 3)
        sys.exit(f"reached {address}")
    except OSError as err:
        print(address, err)
assert os.getuid() == 10001, os.getuid()
status = pathlib.Path("/proc/self/status").read_text()
assert "CapEff:\\t0000000000000000" in status and "CapBnd:\\t0000000000000000" in status, status
assert "NoNewPrivs:\\t1" in status
assert subprocess.run(["ip", "route", "del", "blackhole", "169.254.169.254"]).returncode != 0
assert not [name for name in os.environ if name.startswith(("AWS", "SSH", "AUTODEPLOY"))], os.environ
for path in ("/proc/1/environ", "/cache/layers", "/root/.ssh"):
    assert not os.access(path, os.R_OK), path
pathlib.Path("proof").write_text("walled in")
"""


@pytest.fixture
def world(tmp_path: Path, repository: Path, monkeypatch: pytest.MonkeyPatch) -> World:
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "cloud-secret")
    return World(tmp_path, repository)


def test_a_web_application_with_a_database_is_built_and_answers(world: World) -> None:
    artifact = world.build(world.write(**FLASK), STACK)
    assert artifact.size_bytes == Path(artifact.path).stat().st_size
    listing = subprocess.run(["tar", "-tf", artifact.path, "--zstd"], capture_output=True, text=True, check=True).stdout
    assert "src/app.py" in listing
    assert "venv/bin/gunicorn" in listing
    assert "__pycache__" not in listing
    assert world.trial(artifact, STACK).startswith("HTTP 200 on /health after")
    # A change of the source alone installs nothing anew.
    changed = world.build(world.write(**FLASK, extra="x"), STACK)
    assert changed.checksum != artifact.checksum
    assert any("using those installed before" in line for line in world.said)
    assert world.said.count("Installing dependencies") == 1


def test_parts_of_an_address_and_an_asynchronous_driver_reach_the_trial_s_database(world: World) -> None:
    read = ("DB_HOST=host", "DB_PORT=port", "DB_NAME=name", "DB_USER=user", "DB_PASSWORD=password")
    facts = [Evidence(fact="database_variable", value=value) for value in read]
    facts.append(Evidence(fact="database_url_scheme", value="postgresql+asyncpg"))
    stack = STACK.but(
        evidence=tuple(facts),
        start_command="cd . && gunicorn --bind 127.0.0.1:$PORT app:app",
        migration_command="python ask.py; python parts.py",
    )
    files = {
        "requirements.txt": "flask==3.1.*\npsycopg2-binary\nsqlalchemy[asyncio]\nasyncpg\ngunicorn\n",
        "ask.py": ASYNC,
        "parts.py": PARTS,
        "app.py": FLASK["app.py"].replace(
            "os.environ['DATABASE_URL']",
            "os.environ['DATABASE_URL'].replace('+asyncpg', '').replace('ssl=', 'sslmode=')",
        ),
    }
    artifact = world.build(world.write(**files), stack)
    assert world.trial(artifact, stack).startswith("HTTP 200 on /health after")


def test_untrusted_code_is_walled_in(world: World) -> None:
    stack = BARE.but(build_command="/app/venv/bin/python probe.py")
    artifact = world.build(world.write(**{"probe.py": PROBE}), stack)
    subprocess.run(["tar", "-xf", artifact.path, "--zstd", "-C", str(world.folder), "src/proof"], check=True)
    assert (world.folder / "src" / "proof").read_text() == "walled in"


def test_system_packages_are_there_while_building_and_while_running(world: World) -> None:
    serve = "import http.server as h; h.HTTPServer(('127.0.0.1', 8000), h.SimpleHTTPRequestHandler).serve_forever()"
    stack = BARE.but(
        build_packages=("hello",),
        build_command="hello >greeting",
        run_packages=("cowsay",),
        start_command="/usr/games/cowsay built && test -s greeting && ! command -v hello && python app.py",
    )
    artifact = world.build(world.write(**{"app.py": serve}), stack)
    assert artifact.run_packages == ("cowsay",)
    assert world.trial(artifact, stack).startswith("HTTP 200")
    with pytest.raises(BuildError, match="has no package no-such-package-here"):
        world.build(world.root, BARE.but(build_packages=("no-such-package-here",)))


def test_a_failing_installation_is_told(world: World) -> None:
    with pytest.raises(BuildError) as caught:
        world.build(world.write(**{"requirements.txt": "flask==99.99\n"}), BARE)
    assert caught.value.message == "pip install failed with exit code 1"
    assert caught.value.context == "Installing dependencies for Python application"
    assert "flask==99.99" in caught.value.output
    assert "flask==99.99" in (world.folder / "out" / "build.log").read_text()


def test_memory_and_time_are_bounded(tmp_path: Path, repository: Path) -> None:
    world = World(tmp_path, repository, Limits(memory="256m"))
    root = world.write(**{"eat.py": "x = [bytes([1]) * 1_000_000 for _ in range(1000)]\nprint(len(x))\n"})
    with pytest.raises(BuildError, match="failed with exit code 137") as caught:
        world.build(root, BARE.but(build_command="/app/venv/bin/python eat.py"))
    assert "out of memory" in caught.value.remediation
    # What a build says and writes is no memory: thirty megabytes of output, three hundred in the archive.
    chatty = BARE.but(build_command=f"yes {'x' * 500} | head -c 30000000; head -c 300000000 /dev/urandom >large")
    artifact = world.build(root, chatty)
    assert artifact.size_bytes > 300_000_000
    assert (world.folder / "out" / "build.log").stat().st_size < 21_000_000
    world = World(tmp_path, repository, Limits(build_seconds=25))
    started = time.monotonic()
    with pytest.raises(BuildError, match="did not end within 25 s"):
        world.build(root, BARE.but(build_command="sleep 600"))
    assert time.monotonic() - started < 60


def command_lines() -> Iterator[str]:
    for file in Path("/proc").glob("[0-9]*/cmdline"):
        with contextlib.suppress(OSError):
            yield file.read_text()


def test_ctrl_c_leaves_no_container_and_no_process(world: World) -> None:
    root = world.write(**{"app.py": ""})

    def interrupt() -> None:
        while "Building the application" not in world.said:
            time.sleep(0.05)
        during.extend(world.running().split())
        os.kill(os.getpid(), signal.SIGINT)

    during: list[str] = []
    threading.Thread(target=interrupt, daemon=True).start()
    with pytest.raises(KeyboardInterrupt):
        world.build(root, BARE.but(build_command="setsid sleep 611 & sleep 612"))
    assert len(during) == 1
    until(lambda: not world.running() and not {"sleep\0611\0", "sleep\0612\0"} & {*command_lines()})


def test_no_rights_travel_with_the_archive(world: World) -> None:
    command = "cp /bin/true tool && chmod 6755 tool && mkfifo pipe && ln -s /etc/passwd link && ln tool twin"
    artifact = world.build(world.write(**{"app.py": ""}), BARE.but(build_command=command))
    plain = world.folder / "plain.tar"
    subprocess.run(["zstd", "-q", "-d", artifact.path, "-o", str(plain)], check=True)
    with tarfile.open(plain) as whole:
        entries = {entry.name: entry for entry in whole}
    assert entries["src/tool"].mode == 0o755
    assert (entries["src/link"].linkname, entries["src/twin"].linkname) == ("/etc/passwd", "src/tool")
    told = json.loads(
        subprocess.run(
            ["tar", "-xOf", artifact.path, "--zstd", "manifest.json"], capture_output=True, check=True
        ).stdout
    )
    assert told["unpacked_bytes"] == pytest.approx(plain.stat().st_size, abs=20_480)


def test_an_archive_holds_no_owner_and_one_time(world: World) -> None:
    artifact = world.build(world.write(**{"app.py": ""}), BARE)
    plain = world.folder / "plain.tar"
    subprocess.run(["zstd", "-q", "-d", artifact.path, "-o", str(plain)], check=True)
    with tarfile.open(plain) as archive:
        entries = archive.getmembers()
    assert {(entry.uid, entry.gid) for entry in entries} == {(0, 0)}
    manifest, *rest = entries
    assert (manifest.name, manifest.mtime) == ("manifest.json", 315_619_200)
    assert len({entry.mtime for entry in rest}) == 1
    names = [entry.name for entry in entries]
    assert names.index("src") < names.index("venv")
