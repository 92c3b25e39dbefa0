"""How results look on standard output: plain text that can be read, cut and searched."""

from __future__ import annotations

import shutil
import sys
import textwrap
from collections.abc import Iterable, Iterator, Sequence

import typer

from autodeploy.model import (
    Access,
    Check,
    DeploymentState,
    ErrorEntry,
    LockOwner,
    LogEntry,
    Performance,
    RollbackResult,
    SecurityConfig,
    Snapshot,
    performance,
)

Row = tuple[str, str | None]
"""A fact's name and its value, None or "" where there is none."""
LABEL = 13
TIED = "\N{NO-BREAK SPACE}"
"""Between a figure and its unit, where a line is not broken; shown as a space."""


def show_status(state: DeploymentState) -> None:
    """Print one deployment."""
    rows = [*_what(state), *_where(state), *_how(state)]
    if state.errors and state.status == "failed" and not state.without:
        last = state.errors[-1]
        rows += [("error", f"{last.error_type}: {last.message}"), ("", last.remediation)]
    for name, value in rows:
        if value:
            show_row(name, value)


def _what(state: DeploymentState) -> Iterator[Row]:
    stack, config = state.tech_stack, state.deployment_config
    yield "deployment", state.deployment_id
    yield "status", _status(state)
    yield "url", _url(state) if config else None
    yield "repository", f"{state.repo_url} {state.commit[:12]}"
    yield "description", state.description
    yield "target", f"{state.target}, account {state.account_id}, {state.region}"
    if stack:
        yield "technology", f"{stack.language} {stack.runtime_version}, {stack.framework or 'no framework'}"


def _where(state: DeploymentState) -> Iterator[Row]:
    spec, config, security = state.infrastructure, state.deployment_config, state.security_config
    if config:
        yield "release", config.release_id
        yield "service", f"{config.service_name} {config.service_status} when last looked at"
    if spec:
        for machine in spec.machines:
            where = f"{machine.instance_id} {machine.public_ip}{_entered(spec.access)}"
            yield machine.name if spec.more_machines else "machine", where
        yield "database", spec.database_endpoint
    if security:
        yield "security", f"{security.security_score}/100; open on the machine: {_ports(security.open_ports)}"
        yield "logs", _logs(state, security)


def _how(state: DeploymentState) -> Iterator[Row]:
    took, spec = performance(state), state.infrastructure
    yield "cost", _cost(state)
    yield "stages", ", ".join(f"{name} {seconds:.1f}{TIED}s" for name, seconds in took.stage_seconds.items())
    yield "took", _took(took)
    yield "updated", f"{state.updated_at:%Y-%m-%d %H:%M:%S %Z}"
    if spec and spec.load_balancer_dns and not spec.domain:
        yield "CA", str(spec.ssh_private_key_path).replace("id_ed25519", "ca.pem")


def show_row(name: str, value: str) -> None:
    """Print one fact; on a terminal its words are not cut at the edge."""
    width = shutil.get_terminal_size().columns - LABEL if sys.stdout.isatty() else 0
    lines = textwrap.wrap(value, max(width, 20), break_long_words=False, break_on_hyphens=False) if width else [value]
    for number, line in enumerate(lines):
        typer.echo(f"{name if number == 0 else '':{LABEL}}{one_line(line)}")


def one_line(text: str) -> str:
    """Return text of people, repositories and tools as one line that a terminal does not obey."""
    return "".join(sign if sign.isprintable() else " " for sign in text)


def event_line(entry: LogEntry | ErrorEntry) -> str:
    """Return one entry of the ledger as a line."""
    if isinstance(entry, ErrorEntry):
        return one_line(f"{entry.timestamp:%H:%M:%S} ERROR   [{entry.agent}] {entry.error_type}: {entry.message}")
    return one_line(f"{entry.timestamp:%H:%M:%S} {entry.level:7} [{entry.agent}] {entry.message}")


def show_list(states: Iterable[DeploymentState]) -> None:
    """Print one line a deployment."""
    rows = [(state.deployment_id, state.status, state.target, _url(state)) for state in states]
    if not rows:
        typer.echo("No deployments. Make one: autodeploy deploy URL", err=True)
        return
    widths = [max(len(row[column]) for row in rows) for column in range(4)]
    for row in rows:
        typer.echo("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip())


def show_rollback(result: RollbackResult) -> None:
    """Print what a destruction left, with its monthly cost, or what went where only a part was to go."""
    typer.echo(f"{result.deployment_id} {'stands' if result.part else result.status}. {result.message}")
    for name in result.deleted:
        typer.echo(f"  deleted: {name}")
    costs = {left.name: left.usd_per_month for left in result.left}
    for name in result.remaining:
        cost = costs.get(name)
        typer.echo(f"  left: {name}  {'cost unknown' if cost is None else f'{cost:,.2f} USD a month'}")
    for each in result.kept:
        typer.echo(f"  kept: snapshot {each.name}  {each.cost}; delete it: {each.delete}")


def show_snapshots(snapshots: Sequence[Snapshot]) -> None:
    """Print one line a snapshot."""
    if not snapshots:
        typer.echo("No snapshots. Take one: autodeploy db backup", err=True)
    for each in snapshots:
        made = f"{each.created_at:%Y-%m-%d %H:%M:%S %Z}" if each.created_at else "-"
        typer.echo(f"{each.name}  {made}  {each.engine} {each.engine_version}  {each.size_gb} GB  {each.status}")


def show_checks(checks: Sequence[Check]) -> None:
    """Print the checks of `doctor`."""
    for check in checks:
        verdict = "FAIL" if check.problem else "warn" if check.warning else "ok"
        said = check.problem or "; ".join(part for part in (check.found, check.warning) if part)
        typer.echo(f"{verdict:5} {check.target:6} {check.what}: {one_line(said)}")
        if check.remedy:
            typer.echo(f"{'':13}{check.remedy}")


def _entered(access: Access) -> str:
    return ", entered by sessions of Systems Manager" if access == "ssm" else ""


def _logs(state: DeploymentState, security: SecurityConfig) -> str | None:
    from autodeploy.hardener.logs import NAME
    from autodeploy.naming import log_group

    # Of several machines each finding is named by its own.
    found = [finding for finding in security.findings if finding.name.endswith(NAME)]
    if not found or state.plan is None:
        return None
    if all(finding.status == "pass" for finding in found):
        return f"in CloudWatch's log group {log_group(state.plan.infra)} too"
    reasons = [text for text in security.recommendations if f"{NAME}: " in text]
    return f"on the machine alone, not in CloudWatch; {'; '.join(reasons)}"


def _took(took: Performance) -> str:
    parts = (
        ("in all", took.total_seconds or None, "s"),
        ("infrastructure", took.provisioning_seconds, "s"),
        ("start-up", took.startup_seconds, "s"),
        ("artifact", took.artifact_bytes and took.artifact_bytes / 1e6, "MB"),
    )
    return ", ".join(f"{what} {figure:.1f}{TIED}{unit}" for what, figure, unit in parts if figure is not None)


def _cost(state: DeploymentState) -> str | None:
    if state.plan is None:
        return None
    free = " on AWS; the local target charges nothing" if state.target == "local" else ""
    return f"{state.plan.bill}{free}"


def _status(state: DeploymentState) -> str:
    if state.status != "failed":
        return state.status
    if state.without and not state.destroying:
        again = f"autodeploy deploy {state.repo_url} --name {state.name}"
        return f"without {', '.join(state.without)}, which was deleted on request; make it again: {again}"
    where = f" at {state.failed_stage}" if state.failed_stage else ""
    config = state.deployment_config
    serving = config.release_id if config and config.service_status == "running" else ""
    several = state.infrastructure and state.infrastructure.more_machines
    kept = ", and the error says which machine runs it still" if several else " and was not replaced"
    return f"failed{where}" + (f"; release {serving} was serving before{kept}" if serving else "")


def _url(state: DeploymentState) -> str:
    standing = state.deployment_config if state.status != "rolled_back" else None
    return (standing and standing.url) or "-"


def _ports(ports: Sequence[int]) -> str:
    return ", ".join(map(str, ports)) or "none"


def show_owners(deployment_id: str, owners: Sequence[LockOwner], broken: bool) -> None:
    """Print who holds, or held, a deployment."""
    if not owners:
        typer.echo(f"{deployment_id} is free: nobody holds it.")
    for owner in owners:
        fate = {True: "it lives", False: "it is gone", None: "whether it lives cannot be seen from here"}[owner.lives]
        verb = "was held" if broken else "is held"
        typer.echo(f"{owner.what} {deployment_id} {verb} by {owner}: {fate}")
    if any(owner.lives is not False for owner in owners) and not broken:
        typer.echo(f"When it is known to be gone: autodeploy unlock {deployment_id} --force", err=True)
