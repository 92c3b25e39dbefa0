"""local status|down|reset: the embedded target's daemon and machines."""

from __future__ import annotations

import typer

from autodeploy.cli.deploy import Json

app = typer.Typer(help="The embedded target on this machine.", no_args_is_help=True)


@app.command()
def status(context: typer.Context, json: Json = False) -> None:
    """Show the daemon and what it runs."""
    from autodeploy.cli.choices import ready, wired

    found = wired(context, ready(context)).local.status()
    if json:
        import json as json_

        typer.echo(json_.dumps(found, indent=2))
        return
    for key, value in found.items():
        typer.echo(f"{key:16} {value if not isinstance(value, list) else ', '.join(map(str, value)) or '-'}")


@app.command()
def down(context: typer.Context) -> None:
    """Stop the daemon and its machines. What ran there can only be cleared afterwards, by reset."""
    from autodeploy.cli.choices import ready, wired

    wired(context, ready(context)).stop_local_target()
    typer.echo("The local target is down.", err=True)


@app.command()
def reset(context: typer.Context) -> None:
    """Remove all machines, networks and records."""
    from autodeploy.cli.choices import ready, wired

    # Without a target: one that stands in autodeploy.toml would have the daemon started again.
    wiring = wired(context, ready(context).but(target=None))
    written_off = wiring.reset_local_target()
    typer.echo(f"The local target is empty; {written_off} deployments are rolled back.", err=True)
