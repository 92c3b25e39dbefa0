"""A machine and a database of the local target, with releases to put on them: what the tests of a host share."""

from __future__ import annotations

import hashlib
import json
import subprocess
import time
import urllib.error
import urllib.request
from pathlib import Path

from fixtures.planned import LOCAL, planned
from fixtures.released import ARTIFACT, INFRASTRUCTURE, STACK
from integration.machine import Machine

from autodeploy.adapters.ssh import SshHost
from autodeploy.local.authority import authority
from autodeploy.local.dataplane import DatabaseOrder
from autodeploy.local.local_dataplane import LocalDataPlane
from autodeploy.model import BuildArtifact, Plan, Step, TechStack
from autodeploy.releaser import DatabaseAccess, Release, environment, release, steps

APP = """
import http.server, json, os, subprocess

def database():
    sql = "SELECT current_user || '/' || count(*) FROM visits"
    done = subprocess.run(["psql", "-XAt", "-d", os.environ["DATABASE_URL"], "-c", sql], capture_output=True, text=True)
    return done.stdout.strip() or done.stderr

class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        told = {"greeting": os.environ["GREETING"], "pid": os.getpid(), "user": os.getuid(), "database": database()}
        body = json.dumps(told).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

http.server.ThreadingHTTPServer(("127.0.0.1", int(os.environ["PORT"])), Handler).serve_forever()
"""
WEB = STACK.but(
    health_check_path="/",
    migration_command="""psql -d "$DATABASE_URL" -c 'CREATE TABLE IF NOT EXISTS visits (at timestamptz)'""",
)


class Lab(Machine):
    """One machine with its database, and what a release of it needs."""

    def __init__(self, folder: Path) -> None:
        self.plan: Plan = planned(WEB, LOCAL)
        super().__init__(folder, "it-host", plan=self.plan)
        self.database = DatabaseOrder(
            identifier="it-host-db",
            deployment_id="it-host",
            network=self.order.network,
            engine="postgres",
            engine_version="15.8",
            username="dbadmin",
            password="mas'ter",
            database_name="app",
        )
        self.artifact = self._artifact()

    async def boot(self, plane: LocalDataPlane) -> None:
        await super().boot(plane)
        self.database_address, _ = await plane.run_database(self.database)

    def release(self, stack: TechStack = WEB, greeting: str = "it's me", command: str = "python main.py") -> Release:
        access = DatabaseAccess(
            host=self.database_address,
            port=5432,
            name="app",
            master_username="dbadmin",
            master_password="mas'ter",
            app_password="p@ss/w'ord",
            ca_pem=authority(self.folder / "local").read_text(),
        )
        self.current_artifact = self.artifact.but(start_command=command)
        return release(
            self.current_artifact, stack, environment(stack, {"GREETING": greeting}, {}, access), "seal", access
        )

    def steps(self, host: SshHost, new: Release, stack: TechStack = WEB) -> tuple[Step, ...]:
        return steps(self.plan, INFRASTRUCTURE, self.facts(host), self.current_artifact, stack, new)

    def ask(self, seconds: float = 30) -> tuple[str, dict[str, object]]:
        with urllib.request.urlopen(f"http://{self.address}/", timeout=seconds) as answer:
            return answer.headers["X-AutoDeploy-Release"], json.load(answer)

    def await_answer(self, seconds: float = 30) -> tuple[str, dict[str, object]]:
        deadline = time.monotonic() + seconds
        while True:
            try:
                return self.ask(3)
            except (urllib.error.URLError, OSError, TimeoutError):
                if time.monotonic() > deadline:
                    raise
                time.sleep(0.1)

    def _artifact(self) -> BuildArtifact:
        app = self.folder / "app"
        (app / "src").mkdir(parents=True)
        (app / "src" / "main.py").write_text(APP)
        (app / "venv" / "bin").mkdir(parents=True)
        (app / "venv" / "bin" / "python").symlink_to("/usr/bin/python3")
        (app / "venv" / "pyvenv.cfg").write_text("home = /usr/bin\ninclude-system-site-packages = false\n")
        path = self.folder / "app.tar.zst"
        subprocess.run(["tar", "--zstd", "-cf", path, "-C", app, "."], check=True)
        checksum = hashlib.sha256(path.read_bytes()).hexdigest()
        return ARTIFACT.but(path=str(path), checksum=checksum, size_bytes=path.stat().st_size, runtime_version="3.11")
