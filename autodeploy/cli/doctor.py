"""doctor: says what this machine and these credentials can and cannot do, before anything is tried."""

from __future__ import annotations

from functools import partial
from typing import Annotated

import typer

from autodeploy.cli.deploy import Json, RoleArn


def register(app: typer.Typer) -> None:
    """Add the verb."""
    app.command()(doctor)


def doctor(
    context: typer.Context,
    target: Annotated[str | None, typer.Option(help="aws or local; default: both.")] = None,
    profile: Annotated[str | None, typer.Option(help="AWS profile.")] = None,
    role_arn: RoleArn = None,
    json: Json = False,
) -> None:
    """Check what a deployment needs. Exit code: 0 when the chosen target is ready, or either where none is chosen."""
    from autodeploy.cli.checks import run
    from autodeploy.cli.choices import ready, wired
    from autodeploy.cli.views import show_checks

    found = run(ready(context, target=target, profile=profile, role_arn=role_arn), partial(wired, context))
    if json:
        import json as json_

        typer.echo(json_.dumps([check._asdict() for check in found], indent=2))
    else:
        show_checks(found)
    wrong = {check.target for check in found if check.problem}
    ready_targets = {check.target for check in found} - wrong - {"both"}
    if "both" in wrong or not ready_targets:
        raise typer.Exit(10)
