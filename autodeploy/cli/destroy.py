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
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask; the deployment must be named.")] = False,
    json: Json = False,
) -> None:
    """Delete everything that the deployment made; again: says so."""
    from autodeploy.cli.choices import confirm_by_name, find, ready
    from autodeploy.cli.views import show_rollback
    from autodeploy.wiring import Wiring

    settings = ready(context)
    state = find(Wiring(settings).store, deployment)
    if state.status != "rolled_back":
        confirm_by_name(state, named=deployment is not None, yes=yes)
    result = Wiring(settings.but(target=state.target, region=state.region)).conductor.rollback(state.deployment_id)
    if json:
        typer.echo(result.to_json())
    else:
        show_rollback(result)
    if result.remaining:
        raise typer.Exit(60)
