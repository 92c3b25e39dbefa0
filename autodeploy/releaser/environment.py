"""TechStack, given values and DatabaseAccess in; the application's environment out. Never writes or encrypts it."""

from __future__ import annotations

import re
import shlex
from collections.abc import Mapping, Sequence
from typing import get_args

from autodeploy.errors import SettingsError
from autodeploy.model import DatabaseEngine, ScratchDatabase, TechStack
from autodeploy.releaser.access import DatabaseAccess, database_variables, trust_variables

LOOPBACK = ("localhost", "127.0.0.1")

_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*\Z")
_HOST = re.compile(r"[A-Za-z0-9][A-Za-z0-9.-]*\Z")


def environment(
    stack: TechStack,
    given: Mapping[str, str],
    generated: Mapping[str, str],
    database: DatabaseAccess | None = None,
    hosts: Sequence[str] = (),
) -> dict[str, str]:
    """Return the application's whole environment but its port; raise SettingsError where a value is missing.

    `generated` holds the values AutoDeploy made for variables marked so, `hosts` the names the application is
    reached by. What is given wins.
    """
    # What most of npm's packages take as the sign that nobody is developing here.
    values = {"NODE_ENV": "production"} if stack.language == "nodejs" else {}
    values |= generated
    if database is not None:
        values |= database_variables(stack, database)
    values |= {name: _told(stack, hosts) for name in stack.facts("allowed_hosts_variable") if hosts}
    values |= given
    for name in ("PORT", stack.port_env):
        values.pop(name or "", None)
    for name in values:
        if not _NAME.match(name):
            raise _refusal(f"{name!r} is not a name for an environment variable")
    missing = [v.name for v in stack.environment if v.required and v.name not in values and v.default is None]
    missing = [name for name in missing if name not in {"PORT", stack.port_env}]
    if missing:
        raise _refusal(f"the application needs {', '.join(missing)}", f"Give {missing[0]} with --env or --env-file.")
    return dict(sorted(values.items()))


def trial_environment(stack: TechStack, given: Mapping[str, str], scratch: ScratchDatabase | None) -> dict[str, str]:
    """Return the environment of the application's trial: as on the host, but with the trial's own database.

    That database takes the place even of one that was given, which a trial without a network could not reach.
    """
    if _separator(stack) == "":
        given = {**given, **dict.fromkeys(stack.facts("allowed_hosts_variable"), LOOPBACK[0])}
    if scratch is None:
        return environment(stack, given, {}, None, LOOPBACK)
    access = DatabaseAccess(
        engine=scratch.engine,
        host=scratch.host,
        port=scratch.port,
        name=scratch.name,
        master_username="",
        master_password="",
        app_username=scratch.username,
        app_password=scratch.password,
        ca_pem="",
    )
    return environment(stack, {**given, **database_variables(stack, access)}, {}, None, LOOPBACK)


def asked_as(stack: TechStack, values: Mapping[str, str]) -> str:
    """Return the name under which health may be asked: one that any application knows, or the only one it is told."""
    told = [values.get(name, "") for name in stack.facts("allowed_hosts_variable") if _separator(stack) == ""]
    return told[0] if told and _HOST.match(told[0]) else LOOPBACK[0]


def masked_environment(stack: TechStack, values: Mapping[str, str]) -> dict[str, str]:
    """Return the environment with `<secret>` for every value that is not known to be harmless."""
    harmless = {"NODE_ENV", *(v.name for v in stack.environment if not (v.secret or v.generated))}
    harmless |= {name for engine in get_args(DatabaseEngine) for name in trust_variables(stack.language, engine)}
    secret = {"DATABASE_URL", *(n for n in values if re.search(r"(?i)pass|secret|token|key|credential|_url$", n))}
    return {name: value if name in harmless - secret else "<secret>" for name, value in values.items()}


def environment_text(values: Mapping[str, str]) -> str:
    """Return the environment as assignments that a POSIX shell reads."""
    return "".join(f"{name}={shlex.quote(value)}\n" for name, value in sorted(values.items()))


def _told(stack: TechStack, hosts: Sequence[str]) -> str:
    public = [host for host in hosts if host not in LOOPBACK]
    return _separator(stack).join(hosts) if _separator(stack) else [*LOOPBACK[:1], *public][-1]


def _separator(stack: TechStack) -> str:
    return next(iter(stack.facts("allowed_hosts_separator")), ",")


def _refusal(message: str, remediation: str = "Correct the name given with --env.") -> SettingsError:
    return SettingsError(message, remediation, context="Writing the application's environment")
