"""analyze: what a repository is, and why; builds nothing, asks no account, and leaves nothing but the clone."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from autodeploy.cli.deploy import Description, Folder, Json, Ref, Url
from autodeploy.cli.facts import NO_FACTS, settles_facts

if TYPE_CHECKING:
    from autodeploy.agents.reading import Reading
    from autodeploy.wiring import Wiring


def register(app: typer.Typer) -> None:
    """Add the verb."""
    app.command()(analyze)


@settles_facts
def analyze(
    context: typer.Context,
    url: Url = "./",
    description: Description = "",
    ref: Ref = None,
    path: Folder = None,
    explain: Annotated[bool, typer.Option("--explain", help="Show for every fact where it comes from.")] = False,
    json: Json = False,
    facts: Mapping[str, str] = NO_FACTS,
) -> None:
    """Say what a repository is, without building it. Exit code: 30 for what cannot be deployed."""
    from autodeploy.cli.analysis_views import show_evidence, show_facts
    from autodeploy.cli.choices import existing, ready, wired
    from autodeploy.cli.contract import as_json, error_as_json, placed
    from autodeploy.errors import AgentError

    try:
        settings = ready(context, ref=ref, path=path, overrides=dict(facts) or None)
        found = _read(wired(context, settings), existing(url), description)
    except AgentError as err:
        if json:
            _print(error_as_json(err))
        raise
    stack = placed(found.stack, settings.path)
    if json:
        _print(as_json(stack, found.source))
    elif explain:
        show_evidence(stack)
    else:
        show_facts(stack)


def _read(wiring: Wiring, url: str, description: str) -> Reading:
    from autodeploy.agents.reading import AGENT, read_repository

    with tempfile.TemporaryDirectory(prefix="autodeploy-") as folder:
        wiring.ui.stage(AGENT, "Reading the repository")
        found = read_repository(wiring.repo, url, Path(folder) / "source", wiring.settings, description)
        wiring.ui.done(f"Read {len(found.source.paths)} files of {found.source.commit[:12]}")
    return found


def _print(found: object) -> None:
    import json

    typer.echo(json.dumps(found, indent=2, ensure_ascii=False))
