"""The typer application; each group of verbs is a file of its own, loaded here by name."""

from __future__ import annotations

from typing import Annotated

import typer

from autodeploy import __version__
from autodeploy.cli import analyze, db, deploy, destroy, doctor, iam_policy, inspect, local, unlock

app = typer.Typer(
    name="autodeploy",
    help="From a Git URL and a sentence to a hardened application behind HTTPS in your own AWS account.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)


def _version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"autodeploy {__version__}")
        raise typer.Exit


@app.callback()
def common(
    context: typer.Context,
    debug: Annotated[bool, typer.Option("--debug", help="Show the traceback of an error.")] = False,
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Show the version.")
    ] = False,
) -> None:
    """Hold what all verbs share."""
    context.ensure_object(dict)["debug"] = debug


deploy.register(app)
analyze.register(app)
inspect.register(app)
destroy.register(app)
unlock.register(app)
doctor.register(app)
iam_policy.register(app)
app.add_typer(db.app, name="db")
app.add_typer(local.app, name="local")
