"""What a command line leaves open: settings, target (asked once), the deployment meant, variables."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

if TYPE_CHECKING:
    from autodeploy.errors import SettingsError
    from autodeploy.model import DeploymentState, Part
    from autodeploy.ports import Store
    from autodeploy.settings import Settings
    from autodeploy.wiring import Wiring

    Wire = Callable[[Settings], Wiring]


def ready(context: typer.Context, **flags: Any) -> Settings:
    """Return the settings of this run."""
    from autodeploy import settings

    return settings.load({**flags, "debug": bool((context.obj or {}).get("debug"))})


def wired(context: typer.Context, settings: Settings) -> Wiring:
    """Return the world of this run: the one that `run` was given, else the real one."""
    from autodeploy.wiring import Wiring

    shared: dict[str, Any] = context.ensure_object(dict)
    shared["home"] = settings.home  # where a disk is full decides how that is told
    wire: Wire = shared.get("wire") or Wiring
    return wire(settings)


def drawable(file: Path | None) -> Path | None:
    """Return where a picture is to go; raise SettingsError, before any work, for a folder that is not there."""
    from autodeploy.errors import SettingsError

    if file and (file.is_dir() or not file.absolute().parent.is_dir()):
        raise SettingsError(
            f"no picture can be written to {file}",
            "Name a file in a folder that is there: --svg infrastructure.svg",
            context="Reading --svg",
        )
    return file and file.absolute()


def as_deployed(settings: Settings, state: DeploymentState) -> Settings:
    """Return settings that reach the account a deployment lives in; what else was chosen is in its ledger."""
    return settings.but(
        target=state.target,
        region=state.region,
        name=state.name,
        profile=settings.profile or state.request.profile,
        # As with profiles, what the shell says of roles means AWS and never the emulator.
        role_arn=(settings.role_arn if state.target == "aws" else None) or state.request.role_arn,
    )


def as_before(settings: Settings, url: str, store: Store) -> Settings:
    """Return settings for a deploy, with the role of the one deployment of this name where none is given now.

    Without its role another account would be meant, and another deployment made there.
    """
    from autodeploy.identity import living
    from autodeploy.model.repository import RepositoryUrl

    if settings.new or settings.role_arn is not None:
        return settings
    found = [
        state
        for state in living(store, settings.target, settings.name, RepositoryUrl.parse(url))
        if settings.region in (None, state.region)
    ]
    if len(found) != 1 or not (role_arn := found[0].request.role_arn):
        return settings
    return settings.but(profile=settings.profile or found[0].request.profile, role_arn=role_arn)


def choose_target(settings: Settings) -> Settings:
    """Return settings with a target: as given, else asked once and kept in autodeploy.toml.

    Raise SettingsError for a way to the machine that the target does not have.
    """
    from autodeploy.errors import SettingsError
    from autodeploy.settings import FILE_NAME

    if settings.target:
        return _reachable(settings)
    if not (sys.stdin.isatty() and sys.stderr.isatty()):
        raise SettingsError(
            "no target was chosen",
            "Add --target local (the embedded target, nothing is spent) or --target aws (your account).",
            context="Choosing where to deploy",
        )
    typer.echo("Where should it run?", err=True)
    typer.echo("  local  the embedded target on this machine; nothing is spent", err=True)
    typer.echo("  aws    your AWS account", err=True)
    answer = ""
    while answer not in ("local", "aws"):
        answer = typer.prompt("Target", err=True).strip().lower()
    file = Path(FILE_NAME)
    before = file.read_text() if file.exists() else ""
    file.write_text(f'target = "{answer}"\n{before}')
    typer.echo(f"kept in {FILE_NAME}", err=True)
    return _reachable(settings.but(target=answer))


def _reachable(settings: Settings) -> Settings:
    from autodeploy.errors import SettingsError

    if settings.target == "local" and settings.access == "ssm":
        raise SettingsError(
            "the local target has no Systems Manager, so there are no sessions to its machines",
            "Leave --access out: they are reached over SSH on this machine. --access ssm is for --target aws.",
            context="Reading --access",
        )
    from autodeploy.local import ACCOUNT

    if settings.target == "local" and settings.role_arn and f":{ACCOUNT}:" not in settings.role_arn:
        raise SettingsError(
            f"the local target's account is {ACCOUNT}, and has no role {settings.role_arn}",
            "Leave --role-arn out (unset AUTODEPLOY_ROLE_ARN): nothing of your account's is needed there.",
            context="Reading --role-arn",
        )
    return settings


def existing(url: str) -> str:
    """Return the address; of a folder, its absolute path. Raise SourceError for one that is not there."""
    from autodeploy.model.repository import RepositoryUrl

    return _folder(url) if RepositoryUrl.parse(url).kind == "path" else url


def _folder(path: str) -> str:
    from autodeploy.errors import SourceError

    refusal = SourceError(
        f"there is no folder {path}",
        "Name the folder of the application, or the URL of its repository.",
        agent="HiveMind DevOps",
        context="Reading the repository's address",
    )
    try:
        found = Path(path).resolve(strict=True)
    except (OSError, RuntimeError) as err:
        raise refusal from err
    if not found.is_dir():
        raise refusal
    return str(found)


def environment(pairs: Sequence[str], file: Path | None) -> dict[str, str]:
    """Return the application's variables; --env wins over --env-file; raise SettingsError for what is no NAME=VALUE."""
    from autodeploy.errors import SettingsError

    lines: list[str] = []
    if file is not None:
        try:
            lines = [line.strip() for line in file.read_text("utf-8").splitlines()]
        except (OSError, UnicodeDecodeError) as err:
            raise SettingsError(
                f"{file} cannot be read: {err}", "Name a text file of NAME=VALUE lines.", context="Reading --env-file"
            ) from err
    found: dict[str, str] = {}
    written = [line.removeprefix("export ") for line in lines if line and not line.startswith("#")]
    for number, line in enumerate([*written, *pairs]):
        name, separator, value = line.partition("=")
        name = name.strip()
        if not separator:
            raise _refused(f"{name!r} is not of the form NAME=VALUE")
        if not (name.isidentifier() and name.isascii()):
            raise _refused(f"{name!r} is not a name for a variable: letters, digits and _, no digit first")
        if name == "PORT":
            raise _refused("PORT is set for the application, to the port it is asked on", "Choose it with --port.")
        # The shell has taken the quotes of --env already; what is left is meant.
        found[name] = _unquoted(value.strip()) if number < len(written) else value
    return found


def tags(pairs: Sequence[str]) -> dict[str, str]:
    """Return the tags by key; raise SettingsError for what is no KEY=VALUE."""
    from autodeploy.errors import SettingsError

    found = {}
    for pair in pairs:
        key, separator, value = pair.partition("=")
        if not (separator and key.strip()):
            raise SettingsError(
                f"{pair!r} is not of the form KEY=VALUE", "Write --tag KEY=VALUE.", context="Reading the tags"
            )
        found[key.strip()] = value.strip()
    return found


def _refused(
    message: str, remediation: str = "Write --env NAME=VALUE, or one NAME=VALUE a line in the file."
) -> SettingsError:
    from autodeploy.errors import SettingsError

    return SettingsError(message, remediation, context="Reading the application's variables")


def _unquoted(value: str) -> str:
    quoted = len(value) > 1 and value[0] == value[-1] and value[0] in "\"'"
    return value[1:-1] if quoted else value


def find(store: Store, identifier: str | None, ended: bool = False) -> DeploymentState:
    """Return the deployment that is meant: by id, by name, or the only one; raise StateError with the candidates.

    It comes as `list` has it, without its logs. With `ended`, where no living one fits: the newest of that name that
    is rolled back, or the only one.
    """
    from autodeploy.errors import StateError
    from autodeploy.naming import name_in

    named = list(store.list(identifier))
    fitting = [state for state in named if state.status != "rolled_back"] or (named if ended else [])
    one = len(fitting) == 1 or (identifier and fitting and fitting[0].status == "rolled_back")
    if one:
        return fitting[0]
    for state in store.list(name_in(identifier)) if identifier else ():
        if state.deployment_id == identifier:
            return state
    if identifier and not fitting:
        return store.load(identifier)  # which says that it is unknown, or damaged
    names = ", ".join(state.deployment_id for state in fitting[:5])
    raise StateError(
        f"{len(fitting)} deployments fit: {names}" if fitting else "there is no deployment yet",
        "Name one of them by its id." if fitting else "Make one: autodeploy deploy URL",
        context="Finding the deployment",
    )


def part_named(name: str | None) -> Part | None:
    """Return the part of a deployment that `--only` names; SettingsError for one that cannot go alone."""
    from autodeploy.agents.dismantling import COMPONENTS
    from autodeploy.errors import SettingsError

    if name is None:
        return None
    for part in COMPONENTS:
        if part == name:
            return part
    raise SettingsError(
        f"{name!r} cannot be destroyed alone",
        f"Leave --only out to destroy all of it; alone can go: {', '.join(COMPONENTS)}.",
        context="Reading --only",
    )


def confirm_by_name(state: DeploymentState, named: bool, yes: bool, part: Part | None = None) -> None:
    """Let a destruction pass only with the deployment's name: typed now, or given together with --yes."""
    from autodeploy.agents.dismantling import SAID
    from autodeploy.errors import ApprovalError

    if yes and named:
        return
    if not yes and sys.stdin.isatty() and sys.stderr.isatty():
        what = f"of {state.deployment_id}: {SAID[part]}" if part else f"{state.deployment_id} and its data"
        typed = typer.prompt(f"This deletes {what}. Type its name ({state.name})", err=True)
        if typed in (state.name, state.deployment_id):
            return
    raise ApprovalError(
        f"the destruction of {state.deployment_id} was not confirmed; nothing was deleted",
        f"Name it: autodeploy destroy {state.deployment_id}{f' --only {part}' if part else ''} --yes",
        context="Asking for confirmation",
    )
