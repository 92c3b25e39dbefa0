"""The steps of a release, by value: their order, their shell, and where secrets may be."""

from __future__ import annotations

import base64
import hashlib
import hmac
import re
import subprocess
from pathlib import Path

import pytest
from fixtures.hosts import LocalHost
from fixtures.planned import LOCAL, planned
from fixtures.released import ARTIFACT, DATABASE, FACTS, INFRASTRUCTURE, MYSQL, STACK, WORKER

from autodeploy.converger import converge
from autodeploy.model import BuildArtifact, Evidence, Step, TechStack
from autodeploy.releaser import DatabaseAccess, environment, release, steps
from autodeploy.releaser.database import database_steps
from autodeploy.releaser.postgres import verifier
from autodeploy.releaser.software import artifact_step, settled_step
from autodeploy.releaser.texts import start_script, switch_script, unit

MIGRATED = STACK.but(migration_command="flask db upgrade")
ON_MYSQL = MIGRATED.but(database_type="mysql")


def released(
    stack: TechStack = MIGRATED, artifact: BuildArtifact = ARTIFACT, current: str | None = None
) -> dict[str, Step]:
    databases = {"postgresql": DATABASE, "mysql": MYSQL, "mariadb": MYSQL.but(engine="mariadb")}
    database = databases[stack.database_type or ""] if stack.requires_database else None
    values = environment(stack, {"TOKEN": "token-secret"}, {}, database)
    new = release(artifact, stack, values, "seal-secret", database)
    made = steps(planned(stack), INFRASTRUCTURE, FACTS.but(current_release=current), artifact, stack, new)
    return {step.name: step for step in made}


def test_the_order_of_a_release() -> None:
    assert list(released()) == [
        "cloud-init",
        "packages",
        "user-and-folders",
        "runtime",
        "artifact",
        "environment",
        "database-ca",
        "database-credential",
        "database-role",
        "service",
        "migration",
        "logrotate",
        "proxy",
        "door",
        "switch",
        "five-releases",
    ]


def test_a_worker_has_no_proxy_and_no_database_is_no_database() -> None:
    names = released(WORKER.but(requires_database=False), current="abc")
    assert list(names) == [
        "packages", "user-and-folders", "runtime", "artifact", "environment", "service", "logrotate", "no-proxy", "switch",
        "five-releases",
    ]  # fmt: skip
    assert "disable --now" in (names["no-proxy"].fix or "")
    assert "curl" not in (names["switch"].fix or "")
    assert "nginx" not in names["packages"].want


def test_only_the_balancer_is_let_in_where_a_worker_was_hardened_before() -> None:
    plan = planned(MIGRATED, LOCAL)
    made = steps(plan, INFRASTRUCTURE, FACTS, ARTIFACT, MIGRATED, release(ARTIFACT, MIGRATED, {}, "seal", DATABASE))
    (door,) = [step for step in made if step.name == "door"]
    assert re.findall(r"from (\S+) to any port (\d+)", door.fix or "") == [
        ("10.0.0.0/16", "80"),
        (f"{FACTS.client_address}/32", "80"),
    ]
    (on_aws,) = [step for name, step in released().items() if name == "door"]
    assert re.findall(r"from (\S+) to any port (\d+)", on_aws.fix or "") == [("10.0.0.0/16", "80")]


def test_a_program_of_go_says_itself_which_version_made_it(tmp_path: Path) -> None:
    told = (Evidence(fact="toolchain", value="1.27.3"),)
    names = list(released(STACK.but(language="go", build_tool="go", evidence=told)))
    assert names.index("artifact") < names.index("runtime") < names.index("switch")
    step = released(STACK.but(language="go", build_tool="go", evidence=told))["runtime"]
    program = tmp_path / "app"
    # The head of Go's build information: magic, pointer size, flags, and at offset 32 the version with its length.
    program.write_bytes(b"\x7fELF" + b"\0" * 60 + b"\xff Go buildinf:\x08\x02".ljust(32, b"\0") + b"\x08go1.27.3...")
    program.chmod(0o755)
    place = next(word for word in step.observe.split() if word.endswith("/app"))
    done = subprocess.run(
        ["sh", "-c", step.observe.replace(place, str(program))], capture_output=True, text=True, check=False
    )
    assert done.stdout.strip() == step.want == "go1.27.3"
    assert step.fix == "true"  # what is brought in the same run is looked at after that


def test_a_worker_is_told_no_port() -> None:
    script = switch_script("abc", WORKER, 80)
    assert "write_port() { for name in ; do" in script
    assert "PORT=" not in script.replace("^PORT=", "")


def test_the_runtime_of_nodejs_is_the_release_s_own() -> None:
    stack = STACK.but(language="nodejs", build_tool="npm")
    steps = released(stack, ARTIFACT.but(runtime_version="22.x"))
    assert list(steps).index("artifact") < list(steps).index("runtime") < list(steps).index("switch")
    assert re.search(r"/opt/app/releases/\w+/runtime/bin/node --version", steps["runtime"].observe)
    assert (steps["runtime"].want, steps["runtime"].fix) == ("v22", "true")


def test_the_packages_of_stack_and_artifact_are_wanted() -> None:
    wanted = released(MIGRATED.but(run_packages=("libxml2",)), ARTIFACT.but(run_packages=("libpq5",)))["packages"].want
    assert {"libxml2 installed", "libpq5 installed", "postgresql-client installed", "nginx-light installed"} < set(
        wanted.splitlines()
    )


@pytest.mark.parametrize(
    "stack", [MIGRATED, ON_MYSQL, WORKER, STACK.but(port_env=None), STACK.but(port_env="APP_PORT")]
)
def test_every_script_is_valid_shell(stack: TechStack) -> None:
    for step in released(stack).values():
        for script in (step.observe, step.fix or "true"):
            done = subprocess.run(["sh", "-n"], input=script, capture_output=True, text=True, check=False)
            assert done.returncode == 0, f"{step.name}: {done.stderr}\n{script}"


@pytest.mark.parametrize("stack", [MIGRATED, ON_MYSQL])
def test_secrets_travel_on_standard_input_alone(stack: TechStack) -> None:
    for step in released(stack).values():
        open_text = step.but(stdin=None).to_json()
        for secret in ("token-secret", "ma'ster", "ord-secret", "ord-secret", "seal-secret"):
            assert secret not in open_text, step.name
    carriers = {name for name, step in released(stack).items() if step.stdin}
    assert carriers == {"environment", "database-credential", "database-role"}


def test_the_database_never_sees_the_application_password() -> None:
    stdin = released()["database-role"].stdin or ""
    assert DATABASE.app_password not in stdin
    assert "SCRAM-SHA-256$4096:" in stdin
    assert stdin.startswith("ma'ster-secret\n")


@pytest.mark.parametrize("kind", ["mysql", "mariadb"])
def test_the_role_on_mysql_and_mariadb_is_made_over_verified_tls_and_asked_as_itself(kind: str) -> None:
    steps = released(MIGRATED.but(database_type=kind))
    role = steps["database-role"]
    for command in (role.observe, role.fix or ""):
        assert "--ssl-ca=/etc/autodeploy/database-ca.pem --ssl-verify-server-cert" in command
        assert "--no-defaults" in command and "--host=db.example.internal --port=3306" in command
    assert "--user=app " in role.observe and "--user=dbadmin " in (role.fix or "")
    master, _, sql = (role.stdin or "").partition("\n")
    assert master == "ma'ster-secret"
    assert "CREATE USER IF NOT EXISTS 'app'@'%' IDENTIFIED BY 'p@ss/w''ord-secret'" in sql
    # RDS's master holds neither SUPER nor ALL, and may not give what he does not hold.
    assert "ALL" not in sql and "ON `app`.* TO 'app'@'%'" in sql
    assert "mariadb-client-core installed" in steps["packages"].want
    assert "postgresql" not in steps["packages"].want


@pytest.mark.parametrize(("stack", "database"), [(MIGRATED, DATABASE), (ON_MYSQL, MYSQL)])
def test_another_password_wants_another_role(stack: TechStack, database: DatabaseAccess) -> None:
    def role(password: str) -> Step:
        access = database.but(app_password=password)
        new = release(ARTIFACT, stack, environment(stack, {}, {}, access), "seal", access)
        return {step.name: step for step in database_steps(new)}["database-role"]

    assert role("one").want != role("other").want
    assert role("one").want == role("one").want


def test_a_password_is_a_literal_whatever_it_holds() -> None:
    values = environment(ON_MYSQL, {}, {}, MYSQL)
    new = release(ARTIFACT, ON_MYSQL, values, "seal", MYSQL.but(app_password="a\\'b"))
    made = {step.name: step for step in steps(planned(ON_MYSQL), INFRASTRUCTURE, FACTS, ARTIFACT, ON_MYSQL, new)}
    assert r"IDENTIFIED BY 'a\\''b';" in (made["database-role"].stdin or "")


def test_the_master_may_give_the_database_to_the_role_it_made() -> None:
    # PostgreSQL 16 and later count who made a role as its member, and let him set it only after this grant.
    sql = (released()["database-role"].stdin or "").splitlines()
    assert sql.index('GRANT "app" TO CURRENT_USER;') < sql.index('ALTER DATABASE "app" OWNER TO "app";')


@pytest.mark.parametrize(("code", "status"), [(0, "changed"), (2, "changed"), (1, "failed")])
def test_a_degraded_cloud_init_has_settled(tmp_path: object, code: int, status: str) -> None:
    host = LocalHost(tmp_path / "host", ("/run/cloud-init",))  # type: ignore[operator]
    script = f"mkdir -p {host.root}/run/cloud-init; touch {host.root}/run/cloud-init/result.json; exit {code}\n"
    (host.root / "bin" / "cloud-init").write_text(f"#!/bin/sh\n{script}")
    (host.root / "bin" / "cloud-init").chmod(0o755)
    assert converge(host, (settled_step(),), lambda _: None, keep_going=True)[0].status == status


@pytest.mark.parametrize("command", ["tool", "true && tool", "cd .; tool", 'WORD="it\'s" tool'])
def test_the_start_script_finds_the_venv_and_runs_compound_commands(tmp_path: Path, command: str) -> None:
    (tmp_path / "src").mkdir()
    (tmp_path / "venv" / "bin").mkdir(parents=True)
    (tmp_path / "venv" / "bin" / "tool").write_text('#!/bin/sh\necho "$KEY in $(basename "$PWD")"\n')
    (tmp_path / "venv" / "bin" / "tool").chmod(0o755)
    (tmp_path / "env").write_text("KEY=value\nPATH=/usr/bin:/bin\n")
    script = start_script(ARTIFACT.but(start_command=command), STACK).replace("/app/", f"{tmp_path}/")
    environment = {"CREDENTIALS_DIRECTORY": str(tmp_path)}
    done = subprocess.run(["sh", "-c", script], capture_output=True, text=True, check=False, env=environment)
    assert (done.stdout, done.stderr) == ("value in src\n", "")


def test_the_scram_verifier_is_the_one_of_rfc_7677() -> None:
    made = verifier("pencil", base64.b64decode("W22ZaJ0SNY7soEsUEjb6gQ=="))
    server_key = base64.b64decode(made.rsplit(":", 1)[1])
    exchange = (
        "n=user,r=rOprNGfwEbeRWgbNEkqO,r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,"
        "s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096,c=biws,r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0"
    )
    signature = hmac.new(server_key, exchange.encode(), hashlib.sha256).digest()
    assert base64.b64encode(signature).decode() == "6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4="


def test_a_database_name_that_is_no_identifier_is_refused() -> None:
    values = environment(STACK, {}, {}, DATABASE)
    new = release(ARTIFACT, STACK, values, "seal", DATABASE.but(name="app; drop"))
    with pytest.raises(ValueError, match="identifier"):
        steps(planned(STACK), INFRASTRUCTURE, FACTS, ARTIFACT, STACK, new)


def test_two_releases_stand_side_by_side_when_the_port_can_be_told() -> None:
    assert "port=8001" in switch_script("abc", STACK, 80)
    for stack in (STACK.but(port_env=None), WORKER):
        assert "port=8001" not in switch_script("abc", stack, 80)
    assert "for name in APP_PORT PORT" in switch_script("abc", STACK.but(port_env="APP_PORT"), 80)


def test_the_unit_comes_back_and_is_shut_in() -> None:
    text = unit("abc")
    for line in (
        "Restart=always",
        "User=app",
        "ProtectSystem=strict",
        "NoNewPrivileges=yes",
        "CapabilityBoundingSet=",
        "SystemCallFilter=@system-service",
        "LoadCredentialEncrypted=env:/opt/app/releases/abc/env.cred",
        "BindReadOnlyPaths=/opt/app/releases/abc:/app",
        "WantedBy=multi-user.target",
        "Alias=app.service",
    ):
        assert line in text.splitlines()


def test_the_artifact_is_unpacked_whole_or_not_at_all(tmp_path: object) -> None:
    host = LocalHost(tmp_path / "host")  # type: ignore[operator]
    (host.root / "app" / "src").mkdir(parents=True)
    (host.root / "app" / "src" / "main.py").write_text("print()")
    archive = host.root / "app.tar.zst"
    subprocess.run(["tar", "--zstd", "-cf", archive, "-C", host.root / "app", "."], check=True)
    (host.root / "opt/app/releases").mkdir(parents=True)
    checksum = hashlib.sha256(archive.read_bytes()).hexdigest()
    artifact = ARTIFACT.but(path=str(archive), checksum=checksum)
    broken = artifact_step("abc", artifact.but(checksum="d" * 64))
    (result,) = converge(host, (broken,), lambda _: None, keep_going=True)
    assert result.status == "failed"
    assert not (host.root / "opt/app/releases/abc").exists()
    step = artifact_step("abc", artifact)
    assert [converge(host, (step,), lambda _: None)[0].status for _ in range(2)] == ["changed", "ok"]
    assert (host.root / "opt/app/releases/abc/src/main.py").read_text() == "print()"
    assert not (host.root / "opt/app/incoming").exists()
