"""iam-policy: the least IAM policy for whoever deploys."""

from __future__ import annotations

from typing import Annotated

import typer


def register(app: typer.Typer) -> None:
    """Add the verb."""
    app.command("iam-policy")(iam_policy)


def iam_policy(
    context: typer.Context,
    target: Annotated[str, typer.Option(help="aws; the local target asks for no permissions.")] = "aws",
    region: Annotated[str | None, typer.Option(help="AWS region; else $AWS_REGION, profile, us-east-1.")] = None,
    profile: Annotated[str | None, typer.Option(help="AWS profile, for its region.")] = None,
    access: Annotated[str | None, typer.Option(help="ssh; ssm: with what sessions to the machines need.")] = None,
) -> None:
    """Print the least IAM policy for the deployer. JSON, for `aws iam create-policy --policy-document`."""
    import json

    from autodeploy.adapters.aws.policy import LIMIT, policy, size
    from autodeploy.cli.choices import ready, wired
    from autodeploy.errors import SettingsError

    settings = ready(context, target=target, region=region, profile=profile, access=access)
    if settings.target != "aws":
        raise SettingsError(
            "the local target asks for no permissions",
            "Leave --target out: the policy is for your AWS account.",
            context="Writing the policy",
        )
    document = policy(wired(context, settings).region, access=settings.access or "ssh")
    typer.echo(json.dumps(document, indent=2))
    typer.echo(f"{size(document)} of the {LIMIT} characters that a managed policy may have", err=True)
