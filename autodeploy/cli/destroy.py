"""destroy: take a deployment back."""

from __future__ import annotations

from typing import Annotated

import typer

from autodeploy.cli.deploy import DataLoss, Identifier, Json


def register(app: typer.Typer) -> None:
    """Add the verb."""
    app.command()(destroy)


def destroy(
    context: typer.Context,
    deployment: Identifier = None,
    allow_data_loss: DataLoss = None,
    only: Annotated[
        str | None, typer.Option("--only", help="compute: the machine alone; database and network stay.")
    ] = None,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask; the deployment must be named.")] = False,
    json: Json = False,
) -> None:
    """Delete all that a deployment made, but for a last snapshot of its database. Again: says so.

    --allow-data-loss database: no snapshot is taken. Exit code: 0 only if nothing else of it is left in the account.
    """
    from autodeploy.cli.choices import as_deployed, confirm_by_name, find, part_named, ready, wired
    from autodeploy.cli.views import show_rollback
    from autodeploy.stages import already_gone

    settings, part = ready(context), part_named(only)
    state = find(wired(context, settings).store, deployment, ended=True)
    if state.status == "rolled_back":
        result = already_gone(state)  # without a conductor, which would start the local daemon
    else:
        confirm_by_name(state, named=deployment is not None, yes=yes, part=part)
        chosen = as_deployed(settings, state).but(allow_data_loss=tuple(allow_data_loss or ()))
        result = wired(context, chosen).conductor.rollback(state.deployment_id, part)
    if json:
        typer.echo(result.to_json())
    else:
        show_rollback(result)
    if result.remaining:
        raise typer.Exit(60)
