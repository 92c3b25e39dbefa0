"""What can be known of a failed deployment, gathered from Host and Cloud into its dossier before anything is removed.

A source that does not answer is named in the dossier and stops nothing. Secrets are taken out of every file.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import closing
from functools import partial
from pathlib import Path

from autodeploy.agents.machines import Connect
from autodeploy.errors import AgentError
from autodeploy.model import DeploymentState, InfrastructureSpec, Machine
from autodeploy.ports import Cloud, Say, Store
from autodeploy.releaser import EVIDENCE, EVIDENCE_SECONDS, without_secrets

FOLDER = "dossier"
Keep = Callable[[str, str], None]
"""Writes one file of the dossier: its name, its text."""

REACH_SECONDS = 15.0
"""How long a machine that failed may take to answer."""


def gather(state: DeploymentState, connect: Connect, cloud: Cloud, store: Store, say: Say) -> Path:
    """Write the dossier and return its folder; what an earlier run wrote stays where nothing newer can be had."""
    folder = store.folder(state.deployment_id) / FOLDER
    folder.mkdir(mode=0o700, exist_ok=True)
    secrets, told = store.secrets(state.deployment_id), list[str]()

    def keep(name: str, text: str) -> None:
        store.write(state.deployment_id, f"{FOLDER}/{name}", without_secrets(text, secrets) or "(nothing)\n")
        told.append(name)

    def attempt(what: str, source: Callable[[], None]) -> None:
        try:
            source()
        except Exception as err:  # whatever it is, it must not hide why the deployment failed
            told.append(f"{what} could not be had: {reason(err)}")

    keep("errors.txt", _errors(state))
    spec = state.infrastructure
    if spec is not None:
        for machine in spec.machines:
            name = f"{_prefix(spec, machine)}console.txt"
            attempt(name, partial(_keep_console, cloud, machine, name, keep))
        attempt("balancer.txt", lambda: keep("balancer.txt", "\n".join(cloud.target_health(state.deployment_id))))
        for machine in spec.machines:
            what = f"what {machine.name if spec.more_machines else 'the host'} says"
            attempt(what, partial(_ask, connect, spec, machine, keep, say))
    keep("contents.txt", "\n".join(told))
    return folder


def _keep_console(cloud: Cloud, machine: Machine, name: str, keep: Keep) -> None:
    keep(name, cloud.console_output(machine.instance_id))


def _prefix(spec: InfrastructureSpec, machine: Machine) -> str:
    """Return what the files of one machine of several begin with."""
    return f"{machine.name}-" if spec.more_machines else ""


def _ask(connect: Connect, spec: InfrastructureSpec, machine: Machine, keep: Keep, say: Say) -> None:
    with closing(connect(spec.alone(machine), say, REACH_SECONDS)) as host:
        for name, command in EVIDENCE.items():
            answer = host.run(command, timeout_seconds=EVIDENCE_SECONDS)
            complaint = f"\n[status {answer.code}] {answer.stderr}" if answer.code else ""
            keep(f"{_prefix(spec, machine)}{name}", f"{answer.stdout}{complaint}")


def _errors(state: DeploymentState) -> str:
    entries = []
    for error in state.errors:
        shown: Mapping[str, str] = {
            "": f"{error.timestamp:%Y-%m-%d %H:%M:%S %Z} [{error.agent}] {error.error_type}: {error.message}",
            "context": error.context,
            "remediation": error.remediation,
            "output": error.output,
            "stack": error.stack_trace or "",
        }
        entries.append("\n".join(f"{name}: {text}" if name else text for name, text in shown.items() if text))
    return "\n\n".join(entries)


def reason(err: Exception) -> str:
    """Return an error in one line."""
    return err.message if isinstance(err, AgentError) else f"{type(err).__name__}: {err}"
