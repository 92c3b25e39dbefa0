"""How results look on standard output: plain text that can be read, cut and searched."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NamedTuple

import typer

from autodeploy.model import STAGES, DeploymentState, ErrorEntry, LogEntry, Preview, RollbackResult


class Check(NamedTuple):
    """One line of `doctor`: `problem` is empty when all is well, `remedy` says what to do."""

    target: str
    what: str
    found: str
    problem: str = ""
    remedy: str = ""


def show_status(state: DeploymentState) -> None:
    """Print one deployment."""
    stack, spec, config, security = (
        state.tech_stack,
        state.infrastructure,
        state.deployment_config,
        state.security_config,
    )
    rows = [
        ("deployment", state.deployment_id),
        ("status", _status(state)),
        ("url", _url(state) if config else None),
        ("repository", f"{state.repo_url} {state.commit[:12]}"),
        ("description", state.description),
        ("target", f"{state.target}, account {state.account_id}, {state.region}"),
        (
            "technology",
            f"{stack.language} {stack.runtime_version}, {stack.framework or 'no framework'}" if stack else None,
        ),
        ("release", config.release_id if config else None),
        ("service", f"{config.service_name} {config.service_status} when last looked at" if config else None),
        ("machine", f"{spec.ec2_instance_id} {spec.ec2_public_ip}" if spec else None),
        ("database", spec.database_endpoint if spec else None),
        (
            "security",
            f"{security.security_score}/100; open on the machine: {_ports(security.open_ports)}" if security else None,
        ),
        ("cost", _cost(state)),
        ("stages", ", ".join(f"{name} {state.stages[name].seconds:.1f} s" for name in STAGES if name in state.stages)),
        ("updated", f"{state.updated_at:%Y-%m-%d %H:%M:%S %Z}"),
        (
            "CA",
            str(spec.ssh_private_key_path).replace("id_ed25519", "ca.pem") if spec and spec.load_balancer_dns else None,
        ),
    ]
    for name, value in rows:
        if value:
            typer.echo(f"{name:13}{value}")
    if state.errors and state.status == "failed":
        last = state.errors[-1]
        typer.echo(f"{'error':13}{last.error_type}: {last.message}\n{'':13}{last.remediation}")


def event_line(entry: LogEntry | ErrorEntry) -> str:
    """Return one entry of the ledger as a line."""
    if isinstance(entry, ErrorEntry):
        return f"{entry.timestamp:%H:%M:%S} ERROR   [{entry.agent}] {entry.error_type}: {entry.message}"
    return f"{entry.timestamp:%H:%M:%S} {entry.level:7} [{entry.agent}] {entry.message}"


def show_list(states: Iterable[DeploymentState]) -> None:
    """Print one line a deployment."""
    rows = [(state.deployment_id, state.status, state.target, _url(state)) for state in states]
    if not rows:
        typer.echo("No deployments. Make one: autodeploy deploy URL", err=True)
        return
    widths = [max(len(row[column]) for row in rows) for column in range(4)]
    for row in rows:
        typer.echo("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip())


def show_preview(preview: Preview) -> None:
    """Print the operations of a preview."""
    for change in preview.changes:
        reasons = f"  ({', '.join(change.reasons)})" if change.reasons else ""
        typer.echo(f"{change.operation:8} {change.type:40} {change.name}{reasons}")
    if not preview.changes:
        typer.echo(f"No changes: {preview.unchanged} resources stand as planned.")


def show_rollback(result: RollbackResult) -> None:
    """Print what a destruction left."""
    typer.echo(f"{result.deployment_id} {result.status}. {result.message}")
    for name in result.remaining:
        typer.echo(f"  left: {name}")


def show_checks(checks: Sequence[Check]) -> None:
    """Print the checks of `doctor`."""
    for check in checks:
        typer.echo(
            f"{'FAIL' if check.problem else 'ok':5} {check.target:6} {check.what}: {check.problem or check.found}"
        )
        if check.remedy:
            typer.echo(f"{'':13}{check.remedy}")


def _cost(state: DeploymentState) -> str | None:
    if state.plan is None:
        return None
    free = " on AWS; the local target charges nothing" if state.target == "local" else ""
    return f"{state.plan.bill}{free}"


def _status(state: DeploymentState) -> str:
    if state.status != "failed":
        return state.status
    where = f" at {state.failed_stage}" if state.failed_stage else ""
    serving = state.deployment_config.release_id if state.deployment_config else ""
    return f"failed{where}" + (f"; release {serving} was serving before and was not replaced" if serving else "")


def _url(state: DeploymentState) -> str:
    standing = state.deployment_config if state.status != "rolled_back" else None
    return (standing and standing.url) or "-"


def _ports(ports: Sequence[int]) -> str:
    return ", ".join(map(str, ports)) or "none"
