"""deploy, preview, pulumi-env: the verbs that compile and apply."""

from __future__ import annotations

import shlex
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from autodeploy.cli.facts import NO_FACTS, settles_facts

if TYPE_CHECKING:
    from autodeploy.model import DeploymentResult
    from autodeploy.wiring import Wiring

Identifier = Annotated[str | None, typer.Argument(help="The deployment; may be left out where only one fits.")]
Url = Annotated[
    str, typer.Argument(help="https://, ssh://, git@, git://, file://, or a path that begins with /, ./ or ../")
]
Description = Annotated[str, typer.Argument(help="What it is, in a sentence.")]
Ref = Annotated[str | None, typer.Option(help="Branch, tag or commit.")]
Folder = Annotated[str | None, typer.Option(help="The application's folder within the repository.")]
RoleArn = Annotated[
    str | None, typer.Option("--role-arn", help="A role to assume for all of it; else $AUTODEPLOY_ROLE_ARN.")
]
Keep = Annotated[bool, typer.Option("--keep", help="Keep what stands where the hardening of a first deployment fails.")]
Builder = Annotated[str | None, typer.Option(help="container; host: on this machine, without walls around the code.")]
RunTests = Annotated[bool, typer.Option("--run-tests", help="Run the repository's tests; a failure stops.")]
Svg = Annotated[Path | None, typer.Option(help="Draw the infrastructure to this file, as SVG.")]
DataLoss = Annotated[
    list[str] | None,
    typer.Option("--allow-data-loss", help="NAME of a resource whose data may be lost; may be repeated."),
]
Json = Annotated[bool, typer.Option("--json", help="Print the result as JSON on standard output.")]


def register(app: typer.Typer) -> None:
    """Add the verbs."""
    app.command()(deploy)
    app.command()(preview)
    app.command()(retry)
    app.command("pulumi-env")(pulumi_env)


@settles_facts
def deploy(
    context: typer.Context,
    url: Url = "./",
    description: Description = "",
    target: Annotated[str | None, typer.Option(help="aws: your account. local: the embedded target.")] = None,
    name: Annotated[str | None, typer.Option(help="The deployment's name; default: the repository's.")] = None,
    env: Annotated[
        list[str] | None, typer.Option("--env", help="NAME=VALUE for the application; may be repeated.")
    ] = None,
    env_file: Annotated[Path | None, typer.Option("--env-file", help="A file of NAME=VALUE lines.")] = None,
    ref: Ref = None,
    path: Folder = None,
    region: Annotated[str | None, typer.Option(help="AWS region; else $AWS_REGION, profile, us-east-1.")] = None,
    profile: Annotated[str | None, typer.Option(help="AWS profile.")] = None,
    role_arn: RoleArn = None,
    admin_cidr: Annotated[
        str | None, typer.Option("--admin-cidr", help="Where SSH is allowed from; else found.")
    ] = None,
    access: Annotated[
        str | None, typer.Option(help="ssh; ssm: by sessions of AWS Systems Manager, and no open SSH port.")
    ] = None,
    alarm_email: Annotated[
        str | None, typer.Option("--alarm-email", help="Who is told of alarms; AWS asks for a confirmation.")
    ] = None,
    instance_type: Annotated[str | None, typer.Option("--instance-type", help="Overrides the size table.")] = None,
    instances: Annotated[
        int | None, typer.Option(help="How many machines serve behind the balancer, 1 to 10.", show_default="1")
    ] = None,
    tag: Annotated[
        list[str] | None, typer.Option("--tag", help="KEY=VALUE on every resource; may be repeated.")
    ] = None,
    domain: Annotated[
        str | None, typer.Option(help="The name it is to be reached by, such as shop.example.com.")
    ] = None,
    vpc_id: Annotated[str | None, typer.Option("--vpc-id", help="A VPC of yours to use; it is never deleted.")] = None,
    access_logs: Annotated[
        str | None, typer.Option("--access-logs", help="A bucket of yours for the balancer's access logs.")
    ] = None,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Apply the plan without asking.")] = False,
    allow_data_loss: DataLoss = None,
    new: Annotated[
        bool, typer.Option("--new", help="Make another deployment instead of updating the one of this name.")
    ] = False,
    keep: Keep = False,
    builder: Builder = None,
    run_tests: RunTests = False,
    repair_drift: Annotated[
        bool,
        typer.Option("--repair-drift", help="Also put back what was changed by hand; shown and asked as any plan."),
    ] = False,
    svg: Svg = None,
    json: Json = False,
    facts: Mapping[str, str] = NO_FACTS,
) -> None:
    """Deploy a repository; again: update or go on."""
    from autodeploy.cli.choices import as_before, choose_target, drawable, environment, existing, ready, tags, wired

    url = existing(url)
    settings = choose_target(
        ready(
            context,
            target=target,
            name=name,
            environment=environment(env or [], env_file) or None,
            ref=ref,
            path=path,
            region=region,
            profile=profile,
            role_arn=role_arn,
            admin_cidr=admin_cidr,
            access=access,
            alarm_email=alarm_email,
            instance_type=instance_type,
            instances=instances,
            tags=tags(tag or []) or None,
            domain=domain,
            vpc_id=vpc_id,
            access_logs=access_logs,
            overrides=dict(facts) or None,
            yes=yes or None,
            allow_data_loss=tuple(allow_data_loss or ()) or None,
            new=new or None,
            keep=keep or None,
            builder=builder,
            run_tests=run_tests or None,
            repair_drift=repair_drift or None,
            svg=drawable(svg),
        )
    )
    wiring = wired(context, as_before(settings, url, wired(context, settings).store))
    show_result(context, wiring, wiring.conductor.deploy(url, description), json)


def show_result(context: typer.Context, wiring: Wiring, result: DeploymentResult, json: bool) -> None:
    """Show how a run ended, and what can be done next; exit with the code of its failure."""
    from autodeploy.cli.outcome import failure

    if json:
        typer.echo(result.to_json())
    if result.status != "complete":
        error = failure(result.errors[-1])
        wiring.ui.error(error)
        if result.status == "rolled_back":
            typer.echo("Everything that was made is taken back.", err=True)
        for option in result.options:
            typer.echo(f"  {option}", err=True)
        if wiring.settings.debug:
            typer.echo(error.stack, err=True)
        context.obj["told"] = True
        raise typer.Exit(error.exit_code)
    if not json:
        wiring.ui.summary(result.but(options=()), _next(wiring, result))


def _next(wiring: Wiring, result: DeploymentResult) -> list[str]:
    """Return what can be typed now that the deployment serves."""
    identifier = result.deployment_id
    verbs = ["status", "logs", *(["open"] if result.url else []), "destroy"]
    asked = []
    if result.url and result.url.startswith("https://"):
        asked = [*_asked(wiring, identifier, result.url)]
    return [*asked, *(f"autodeploy {verb} {identifier}" for verb in verbs)]


def _asked(wiring: Wiring, identifier: str, url: str) -> Iterator[str]:
    """Yield the record that the user has to make for a domain, and how the deployment can be asked."""
    state = wiring.store.load(identifier)
    spec, web = state.infrastructure, state.plan.infra.web if state.plan else None
    authority: Path | None = wiring.store.folder(identifier) / "ca.pem"
    led = ""
    if spec and spec.domain:
        authority = wiring.cloud.public_authority()
        if authority and spec.load_balancer_dns:  # emulated: the name leads nowhere
            led = f"--resolve {spec.public_address}:127.0.0.1 "
    elif spec and web and web.domain:
        yield f"at your name server: {web.domain}. CNAME {spec.load_balancer_dns}."
    trusted = f"--cacert {shlex.quote(str(authority))} " if authority else ""
    yield f"curl {trusted}{led}{url}"


def preview(context: typer.Context, deployment: Identifier = None, svg: Svg = None, json: Json = False) -> None:
    """Show what applying the plan would change. Exit code: 0 if nothing, 4 if something."""
    from autodeploy.cli.choices import as_deployed, drawable, find, ready, wired
    from autodeploy.cli.plan_views import preview_as_json, show_preview
    from autodeploy.wiring import draw

    file = drawable(svg)
    settings = ready(context)
    state = find(wired(context, settings).store, deployment)
    found = wired(context, as_deployed(settings, state)).conductor.preview(state.deployment_id)
    assert state.plan is not None  # or there had been nothing to preview
    if file:
        draw(file, state.plan)
    if json:
        typer.echo(preview_as_json(found, state.plan))
    else:
        show_preview(found, state.plan)
    if found.changes:
        raise typer.Exit(4)


def retry(
    context: typer.Context,
    deployment: Identifier = None,
    stage: Annotated[str | None, typer.Option(help="analyze, build, plan, provision, deploy or harden.")] = None,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Apply the plan without asking.")] = False,
    allow_data_loss: DataLoss = None,
    keep: Keep = False,
    json: Json = False,
) -> None:
    """Run a failed deployment on from a stage."""
    from autodeploy.cli.choices import as_deployed, find, ready, wired
    from autodeploy.stages import failed_stage

    settings = ready(context, yes=yes or None, keep=keep or None, allow_data_loss=tuple(allow_data_loss or ()) or None)
    state = find(wired(context, settings).store, deployment)
    chosen = stage or failed_stage(state)
    wiring = wired(context, as_deployed(settings, state))
    show_result(context, wiring, wiring.conductor.retry_stage(state.deployment_id, chosen), json)


def pulumi_env(context: typer.Context, deployment: Identifier = None) -> None:
    """Print what the bare pulumi command needs. Shell lines, for eval: it then sees the deployment's stack."""
    from autodeploy.cli.choices import as_deployed, find, ready, wired
    from autodeploy.settings import OWN_CREDENTIALS

    settings = ready(context)
    state = find(wired(context, settings).store, deployment)
    found = wired(context, as_deployed(settings, state)).engine.shell_environment(state.deployment_id)
    for name in ("PULUMI_CONFIG_PASSPHRASE", *(OWN_CREDENTIALS if "AWS_PROFILE" in found else ())):
        typer.echo(f"unset {name}")
    for name, value in found.items():
        typer.echo(f"export {name}={shlex.quote(value)}")
