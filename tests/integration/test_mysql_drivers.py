"""Every driver of MySQL for Python, with the address and the variables that it is given, beside a trial's MariaDB."""

from __future__ import annotations

import hashlib
import os
import subprocess
from pathlib import Path

import pytest

from autodeploy.adapters.build import ContainerBuilder, operator_registries
from autodeploy.adapters.git import GitRepo
from autodeploy.builder import recipe
from autodeploy.local.containers import container_engine
from autodeploy.local.packages import ensure_packages
from autodeploy.model import Evidence, TechStack, scratch_database
from autodeploy.releaser import trial_environment

pytestmark = pytest.mark.local

MIGRATION = """
import asyncio, os, MySQLdb
from sqlalchemy import create_engine, text
from sqlalchemy.ext.asyncio import create_async_engine

url, ca = os.environ["DATABASE_URL"], os.environ["DB_CA"]
asked = text("show status like 'Ssl_version'")
for driver in ("pymysql", "mysqldb", "mysqlconnector"):
    with create_engine(url.replace("+pymysql", "+" + driver)).connect() as link:
        assert link.execute(asked).one()[1].startswith("TLS"), driver
async def main():
    engine = create_async_engine(url.replace("+pymysql", "+asyncmy"))
    async with engine.begin() as link:
        assert (await link.execute(asked)).one()[1].startswith("TLS")
        await link.execute(text("create table notes (name text)"))
        await link.execute(text("insert into notes values ('made \U0001f642')"))
    await engine.dispose()
asyncio.run(main())
parts = {part: os.environ["DB_" + part.upper()] for part in ("host", "user", "password", "database")}
MySQLdb.connect(port=int(os.environ["DB_PORT"]), ssl={"ca": ca}, **parts).close()
try:
    MySQLdb.connect(port=int(os.environ["DB_PORT"]), **parts)
except MySQLdb.OperationalError as err:
    print(err)
else:
    raise SystemExit("a connection without TLS was let in")
"""
APP = """
import os
from flask import Flask
from sqlalchemy import create_engine, text
app, engine = Flask(__name__), create_engine(os.environ["DATABASE_URL"])
@app.get("/health")
def health():
    with engine.connect() as link:
        return link.execute(text("select name from notes")).one()[0]
"""
PARTS = ("DB_HOST=host", "DB_PORT=port", "DB_DATABASE=name", "DB_USER=user", "DB_PASSWORD=password", "DB_CA=ca")
STACK = TechStack(
    language="python",
    runtime_version="3.11",
    build_tool="pip",
    server_package="gunicorn",
    health_check_path="/health",
    start_command="/app/venv/bin/gunicorn --bind 127.0.0.1:$PORT app:app",
    migration_command="python ask.py",
    requires_database=True,
    database_type="mysql",
    evidence=(
        *(Evidence(fact="database_variable", value=value) for value in PARTS),
        Evidence(fact="database_url_scheme", value="mysql+pymysql"),
    ),
)
REQUIREMENTS = (
    "flask==3.1.*\nsqlalchemy[asyncio]\npymysql\nmysqlclient\nmysql-connector-python\nasyncmy\ncryptography\n"
)


def test_every_driver_reaches_the_trial_s_database_by_tls(tmp_path: Path) -> None:
    engine, said = container_engine(), list[str]()
    builder = ContainerBuilder(
        engine.command("run", "--rm", *engine.limits),
        ensure_packages,
        tmp_path / "cache",
        operator_registries(os.environ, Path.home()),
    )
    root = tmp_path / "repository"
    root.mkdir()
    for name, text in (("requirements.txt", REQUIREMENTS), ("ask.py", MIGRATION), ("app.py", APP)):
        (root / name).write_text(text)
    try:
        source = GitRepo(tmp_path / "cache").checkout(str(root), None, ".", tmp_path / "into")
        artifact = builder.build(source, STACK, recipe(STACK, source), tmp_path / "out", said.append)
        environment = trial_environment(STACK, {}, scratch_database(STACK))
        assert str(builder.trial(artifact, STACK, environment, said.append)).startswith("HTTP 200 on /health after")
    finally:
        owner = hashlib.sha256(f"{root}\0.".encode()).hexdigest()[:16]
        command = [engine.program, "volume", "rm", "--force", f"autodeploy-cache-{owner}"]
        subprocess.run(command, capture_output=True, check=True)
    assert any("beside a MariaDB of its own in the place of MySQL" in line for line in said)
