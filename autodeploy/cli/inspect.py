"""status, list, events, logs, open: the verbs that only look."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from autodeploy.cli.deploy import Identifier, Json

if TYPE_CHECKING:
    from autodeploy.model import DeploymentState, ErrorEntry, LogEntry
    from autodeploy.settings import Settings


def register(app: typer.Typer) -> None:
    """Add the verbs."""
    app.command()(status)
    app.command("list")(list_)
    app.command()(events)
    app.command()(logs)
    app.command("open")(open_)


def status(
    context: typer.Context,
    deployment: Identifier = None,
    drift: Annotated[
        bool, typer.Option("--drift", help="Show what was changed by hand. Exit code: 0 if nothing, 4 if something.")
    ] = False,
    json: Json = False,
) -> None:
    """Show one deployment. Where it stands, what it runs, what it took and costs."""
    from autodeploy.cli.choices import find, ready, wired
    from autodeploy.cli.views import show_status

    settings = ready(context)
    store = wired(context, settings).store
    state = find(store, deployment, ended=not drift)
    if drift:
        _drift(context, settings, state, json)
    elif json:
        import json as json_

        from autodeploy.model import performance

        whole = store.load(state.deployment_id)
        shown = {**whole.model_dump(mode="json"), "performance": performance(whole).model_dump()}
        typer.echo(json_.dumps(shown, indent=2, ensure_ascii=False))
    else:
        show_status(state)


def _drift(context: typer.Context, settings: Settings, state: DeploymentState, json: bool) -> None:
    from autodeploy.cli.choices import as_deployed, wired
    from autodeploy.cli.drift_view import show_drift

    found = wired(context, as_deployed(settings, state)).conductor.drift(state.deployment_id)
    if json:
        typer.echo(found.to_json())
    else:
        show_drift(found, state)
    if found.resources:
        raise typer.Exit(4)


def list_(
    context: typer.Context,
    everything: Annotated[bool, typer.Option("--all", help="Also those that are rolled back.")] = False,
    json: Json = False,
) -> None:
    """List the deployments, newest first."""
    from autodeploy.cli.choices import ready, wired
    from autodeploy.cli.views import show_list

    found, damaged = wired(context, ready(context)).store.survey()
    states = [state for state in found if everything or state.status != "rolled_back"]
    if json:
        typer.echo("[" + ",\n".join(state.to_json() for state in states) + "]")
    else:
        show_list(states)
    for name in damaged:
        typer.echo(f"The ledger of {name} is damaged; what can be done: autodeploy status {name}", err=True)


def events(context: typer.Context, deployment: Identifier = None, json: Json = False) -> None:
    """Show what was done, in order of time."""
    from autodeploy.cli.choices import find, ready, wired
    from autodeploy.cli.views import event_line

    store = wired(context, ready(context)).store
    state = store.load(find(store, deployment, ended=True).deployment_id)
    entries: list[LogEntry | ErrorEntry] = [*state.logs, *state.errors]
    for entry in sorted(entries, key=lambda entry: entry.timestamp):
        typer.echo(entry.model_dump_json() if json else event_line(entry))


def logs(
    context: typer.Context,
    deployment: Identifier = None,
    lines: Annotated[int, typer.Option("--lines", "-n", min=1, help="How many of the last lines.")] = 100,
) -> None:
    """Show the application's own log."""
    from autodeploy.cli.choices import as_deployed, find, ready, wired

    settings = ready(context)
    state = find(wired(context, settings).store, deployment)
    typer.echo(wired(context, as_deployed(settings, state)).deployer.logs(state, lines), nl=False)


def open_(context: typer.Context, deployment: Identifier = None) -> None:
    """Print the URL, and open it in a browser."""
    import os
    import sys

    from autodeploy.cli.choices import find, ready, wired
    from autodeploy.errors import StateError

    state = find(wired(context, ready(context)).store, deployment)
    if state.tech_stack and not state.tech_stack.is_web_service:
        raise StateError(
            f"{state.deployment_id} is a worker: it answers no HTTP and has no URL",
            f"Look at it: autodeploy status {state.deployment_id}; at what it says: autodeploy logs",
        )
    if not (state.deployment_config and state.deployment_config.url):
        raise StateError(
            f"{state.deployment_id} has no URL yet", f"Look at it: autodeploy status {state.deployment_id}"
        )
    typer.echo(state.deployment_config.url)
    if sys.stdout.isatty() and (
        os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY") or sys.platform == "darwin"
    ):
        typer.launch(state.deployment_config.url)
