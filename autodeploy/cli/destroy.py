"""destroy: take a deployment back."""

from __future__ import annotations

from typing import Annotated

import typer

from autodeploy.cli.deploy import Identifier, Json


def register(app: typer.Typer) -> None:
    """Add the verb."""
    app.command()(destroy)


def destroy(
    context: typer.Context,
    deployment: Identifier = None,
    only: Annotated[
        str | None, typer.Option("--only", help="compute: the machine alone; database and network stay.")
    ] = None,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask; the deployment must be named.")] = False,
    json: Json = False,
) -> None:
    """Delete all that a deployment made. Again: says so. Exit code: 0 only if the account has nothing of it left."""
    from autodeploy.cli.choices import as_deployed, confirm_by_name, find, part_named, ready, wired
    from autodeploy.cli.views import show_rollback
    from autodeploy.stages import already_gone

    settings, part = ready(context), part_named(only)
    state = find(wired(context, settings).store, deployment, ended=True)
    if state.status == "rolled_back":
        result = already_gone(state.deployment_id)  # without a conductor, which would start the local daemon
    else:
        confirm_by_name(state, named=deployment is not None, yes=yes, part=part)
        result = wired(context, as_deployed(settings, state)).conductor.rollback(state.deployment_id, part)
    if json:
        typer.echo(result.to_json())
    else:
        show_rollback(result)
    if result.remaining:
        raise typer.Exit(60)
