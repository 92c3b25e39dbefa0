"""db connect|backup|backups|restore|delete: a deployment's database and the snapshots of it."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Annotated

import typer

from autodeploy.cli.deploy import Identifier, Json, show_result

if TYPE_CHECKING:
    from autodeploy.model import DeploymentState
    from autodeploy.safekeeping import Safekeeping

app = typer.Typer(help="A deployment's database: a session, snapshots, and the way back.", no_args_is_help=True)
Name = Annotated[str, typer.Argument(help="The snapshot's name.")]
Yes = Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")]


@app.command()
def connect(context: typer.Context, deployment: Identifier = None) -> None:
    """Open a session on the database, as the application's role. Without a terminal: print the command that does."""
    import shlex
    import subprocess

    from autodeploy.cli.choices import find, ready, wired
    from autodeploy.entering import session_to
    from autodeploy.safekeeping import way_in

    command = way_in(find(wired(context, ready(context)).store, deployment), session_to)
    if not (sys.stdin.isatty() and sys.stdout.isatty()):
        typer.echo(shlex.join(command))
        return
    raise typer.Exit(subprocess.run(command, check=False).returncode)


@app.command()
def backup(context: typer.Context, deployment: Identifier = None, json: Json = False) -> None:
    """Take a verified snapshot of the database now. It outlives the deployment."""
    safekeeping, state = _found(context, deployment)
    taken = safekeeping.backup(state.deployment_id)
    typer.echo(taken.to_json() if json else taken.name)


@app.command()
def backups(context: typer.Context, deployment: Identifier = None, json: Json = False) -> None:
    """List the snapshots of the database, newest first; those of a deployment that is destroyed, too."""
    from autodeploy.cli.views import show_snapshots

    safekeeping, state = _found(context, deployment, ended=True)
    found = safekeeping.snapshots(state.deployment_id)
    if json:
        typer.echo("[" + ",\n".join(each.to_json() for each in found) + "]")
    else:
        show_snapshots(found)


@app.command()
def restore(
    context: typer.Context, snapshot: Name, deployment: Identifier = None, yes: Yes = False, json: Json = False
) -> None:
    """Make a database from a snapshot, in the place of the one that stands, of which a snapshot is taken first."""
    from autodeploy.cli.choices import as_deployed, find, ready, wired

    settings = ready(context, yes=yes or None)
    state = find(wired(context, settings).store, deployment)
    wiring = wired(context, as_deployed(settings, state))
    show_result(context, wiring, wiring.conductor.restore(state.deployment_id, snapshot), json)


@app.command()
def delete(context: typer.Context, snapshot: Name, deployment: Identifier = None, yes: Yes = False) -> None:
    """Delete a snapshot. Its data is gone then."""
    safekeeping, state = _found(context, deployment, ended=True)
    again = f"autodeploy db delete {snapshot} {state.deployment_id} --yes"
    _agreed(f"Delete the snapshot {snapshot} and its data?", yes, again)
    safekeeping.delete(state.deployment_id, snapshot)
    typer.echo(f"The snapshot {snapshot} is deleted.", err=True)


def _found(context: typer.Context, deployment: str | None, ended: bool = False) -> tuple[Safekeeping, DeploymentState]:
    from autodeploy.cli.choices import as_deployed, find, ready, wired
    from autodeploy.safekeeping import Safekeeping

    settings = ready(context)
    state = find(wired(context, settings).store, deployment, ended=ended)
    wiring = wired(context, as_deployed(settings, state))
    return Safekeeping(wiring.cloud, wiring.ui, wiring.clock, wiring.store), state


def _agreed(question: str, yes: bool, again: str) -> None:
    from autodeploy.errors import ApprovalError

    if yes:
        return
    if sys.stdin.isatty() and sys.stderr.isatty() and typer.confirm(question, err=True):
        return
    raise ApprovalError("it was not confirmed; nothing was changed", f"Say yes: {again}", context=question)
