"""unlock: say who holds a deployment; with --force, break what only a person can know to be dead."""

from __future__ import annotations

from typing import Annotated

import typer

from autodeploy.cli.deploy import Identifier, Json


def register(app: typer.Typer) -> None:
    """Add the verb."""
    app.command()(unlock)


def unlock(
    context: typer.Context,
    deployment: Identifier = None,
    force: Annotated[bool, typer.Option("--force", help="Break the locks of owners that are not alive here.")] = False,
    json: Json = False,
) -> None:
    """Say who holds a deployment, since when, and whether that process lives. Exit code: 0 if nobody, 75 if somebody.

    A dead process of this machine holds nothing: the next command sees to that by itself. --force is for a process
    on another machine, or a process id that something else has now. A live one of this machine is never robbed.
    """
    from autodeploy.cli.choices import find, ready, wired
    from autodeploy.cli.views import show_owners

    # Without a target: looking at locks needs no account, and starts no daemon.
    wiring = wired(context, ready(context).but(target=None))
    identifier = find(wiring.store, deployment, ended=True).deployment_id
    held_by = wiring.store.owner(identifier)
    owners = [*([held_by] if held_by else []), *wiring.engine.locks(identifier)]
    if force and owners:
        wiring.store.unlock(identifier)
        wiring.engine.unlock(identifier)
    if json:
        typer.echo("[" + ", ".join(owner.to_json() for owner in owners) + "]")
    else:
        show_owners(identifier, owners, broken=force)
    if owners and not force:
        raise typer.Exit(75)
