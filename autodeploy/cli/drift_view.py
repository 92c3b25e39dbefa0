"""How drift looks: a line for each resource that somebody changed, and one for each of its properties."""

from __future__ import annotations

import shlex

import typer

from autodeploy.cli.views import one_line
from autodeploy.model import DeploymentState, Drift, PropertyDrift


def show_drift(drift: Drift, state: DeploymentState) -> None:
    """Print what is no longer as it was made, and how it is put back."""
    for resource in drift.resources:
        gone = "is gone" if resource.operation == "delete" else "was changed"
        typer.echo(f"{resource.type} {resource.name} {gone}")
        for each in resource.properties:
            typer.echo(f"  {one_line(_line(each))}")
    if not drift.resources:
        typer.echo(f"No drift: {drift.unchanged} resources are as they were made.")
        return
    typer.echo(f"{len(drift.resources)} changed by hand, {drift.unchanged} as they were made. Put them back:", err=True)
    again = ["autodeploy", "deploy", state.repo_url, "--target", state.target, "--region", state.region]
    typer.echo(f"  {shlex.join([*again, '--name', state.name, '--repair-drift'])}", err=True)


def _line(each: PropertyDrift) -> str:
    if not (each.planned or each.found):
        return f"{each.path}: differs, not shown"
    return f"{each.path}: {each.planned or 'nothing'} -> {each.found or 'nothing'}"
