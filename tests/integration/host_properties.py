"""The design document's properties of the host, of deployments that really run: the machine itself is asked.

Each check takes what `status` says and a way to run a command on the machine, over the operator's own SSH.
"""

from __future__ import annotations

import json
import re
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

State = dict[str, Any]
Ask = Callable[[str], str]
"""Takes a command, returns what it prints; fails where the command does."""

RUNTIMES = {"nodejs": "node", "python": "python", "go": "app"}
"""What a release's process executes: an interpreter, or the program itself."""
SCHEMES = {"postgresql": ("postgres",), "mysql": ("mysql", "mariadb")}
ADDRESS = re.compile(
    r"((?P<scheme>[a-z+\d]+)://)?[^:@/]+:[^@]+@(tcp\()?(?P<host>[^:/)]+):(?P<port>\d+)\)?/[^?]+"  # Go's MySQL: no scheme
)


def hold_on_the_host(state: State, home: Path) -> None:
    """Assert properties 21 to 26, 30 and 31 of one deployment that is complete."""
    ask = connection_is_established(state, home)
    runtime_is_that_of_the_stack(state, ask)
    artifact_is_at_its_place(state, ask)
    database_url_is_set_where_there_is_a_database(state, ask)
    service_runs(state, ask)
    application_answers_on_its_port(state, ask)
    firewall_is_active(ask)
    scan_is_recorded(state)


# Feature: autodeploy-agent, Property 21: SSH Connection Establishment
def connection_is_established(state: State, home: Path) -> Ask:
    """Assert that the deployment's key opens the machine whose host key was pinned; return the way to ask it."""
    spec = state["infrastructure"]
    pins = home / "deployments" / state["deployment_id"] / "known_hosts"
    options = ["-o", "StrictHostKeyChecking=yes", "-o", f"UserKnownHostsFile={pins}", "-o", "BatchMode=yes"]
    words = ["ssh", *options, "-i", spec["ssh_private_key_path"], f"ubuntu@{spec['ec2_public_ip']}"]

    def ask(command: str) -> str:
        done = subprocess.run([*words, command], capture_output=True, text=True, check=False, timeout=60)
        assert done.returncode == 0, f"{command}: {done.stdout}{done.stderr}"
        return done.stdout.strip()

    assert ask("echo reached") == "reached"
    return ask


# Feature: autodeploy-agent, Property 22: Runtime Installation Verification
def runtime_is_that_of_the_stack(state: State, ask: Ask) -> None:
    stack, (pid, program) = state["tech_stack"], process(ask)
    assert program.startswith(RUNTIMES[stack["language"]]), program
    if stack["language"] != "go":
        version = state["build_artifact"]["runtime_version"] or stack["runtime_version"]
        said = ask(f"sudo /proc/{pid}/exe --version").lower().removeprefix("python").strip(" v")
        wanted = version.removesuffix(".x").split(".")
        assert said.split(".")[: len(wanted)] == wanted, (said, version)


# Feature: autodeploy-agent, Property 23: Artifact Transfer Verification
def artifact_is_at_its_place(state: State, ask: Ask) -> None:
    release = f"/opt/app/releases/{state['deployment_config']['release_id']}"
    assert ask("readlink -f /opt/app/current") == release
    record = json.loads(ask(f"sudo cat {release}/release.json"))
    assert record["checksum"] == state["build_artifact"]["checksum"]
    assert record["commit"] == state["build_artifact"]["commit"]
    assert int(ask(f"sudo find {release} -type f | wc -l")) > 3


# Feature: autodeploy-agent, Property 24: Environment Variable Configuration
def database_url_is_set_where_there_is_a_database(state: State, ask: Ask) -> None:
    pid, _ = process(ask)
    given = ask(f"sudo cat /proc/{pid}/environ | tr '\\0' '\\n'").splitlines()
    found = [line.partition("=")[2] for line in given if line.startswith("DATABASE_URL=")]
    endpoint = state["infrastructure"]["database_endpoint"]
    assert len(found) == int(endpoint is not None)
    for text in found:
        address = ADDRESS.match(text)
        assert address, "no address of a database"
        assert (address["scheme"] or "mysql").startswith(SCHEMES[state["tech_stack"]["database_type"]])
        assert address["host"] == endpoint
        ask(f"timeout 5 bash -c '</dev/tcp/{address['host']}/{address['port']}'")


# Feature: autodeploy-agent, Property 25: Service Startup Verification
def service_runs(state: State, ask: Ask) -> None:
    name = state["deployment_config"]["service_name"]
    shown = ask(f"systemctl show --property=LoadState,ActiveState,SubState {name}").splitlines()
    assert sorted(shown) == ["ActiveState=active", "LoadState=loaded", "SubState=running"]
    assert state["deployment_config"]["service_status"] == "running"


# Feature: autodeploy-agent, Property 26: Health Check Execution
def application_answers_on_its_port(state: State, ask: Ask) -> None:
    config = state["deployment_config"]
    if not state["tech_stack"]["is_web_service"]:
        assert config["app_port"] == 0
        return
    url = f"http://127.0.0.1:{config['app_port']}{config['health_check_path']}"
    status = int(ask(f"curl -sS --max-time 10 --output /dev/null --write-out '%{{http_code}}' '{url}'"))
    assert 200 <= status < 500
    assert config["startup_seconds"] is not None, "the answer that ended the release's switch was timed"


# Feature: autodeploy-agent, Property 30: Firewall Enablement
def firewall_is_active(ask: Ask) -> None:
    assert "Status: active" in ask("sudo ufw status")


# Feature: autodeploy-agent, Property 31: Vulnerability Scan Execution
def scan_is_recorded(state: State) -> None:
    results = state["security_config"]["vulnerability_scan_results"]
    assert results["scanner"] and results["findings"]


def process(ask: Ask) -> tuple[str, str]:
    """Return id and program of the first process of the application's user that is no shell."""
    each = "do echo $pid $(basename $(sudo readlink /proc/$pid/exe)); done"
    found = [line.split() for line in ask(f"for pid in $(pgrep --uid app); {each}").splitlines()]
    (first, *_) = [(pid, program) for pid, program in found if program not in ("dash", "bash", "sh")]
    return first
