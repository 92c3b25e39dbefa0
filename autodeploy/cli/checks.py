"""The checks of `doctor`: each looks, none changes anything."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Callable, Iterator
from datetime import datetime, timezone
from pathlib import Path

from autodeploy.errors import AgentError
from autodeploy.model import Check
from autodeploy.settings import Settings
from autodeploy.wiring import Wiring

FREE_GB = 5.0


def run(settings: Settings, wire: Callable[[Settings], Wiring] = Wiring) -> list[Check]:
    """Run the checks of the chosen target, or of both."""
    targets = [settings.target] if settings.target else ["local", "aws"]
    checks = list(_common(settings, machines="local" in targets))
    if "local" in targets:
        checks += _local(wire(settings.but(target=None)))
    if "aws" in targets:
        checks += _aws(wire(settings.but(target="aws")))
    return checks


def _attempt(target: str, what: str, look: Callable[[], str]) -> Check:
    try:
        return Check(target, what, look())
    except AgentError as err:
        return Check(target, what, "", err.message, err.remediation)


def _common(settings: Settings, machines: bool) -> Iterator[Check]:
    yield Check("both", "Python", sys.version.split()[0])
    git = shutil.which("git")
    yield Check("both", "git", git or "", "" if git else "not on PATH", "" if git else "Install git.")
    for what, folder in (("home", settings.home), ("cache", settings.cache)):
        writable = os.access(_nearest(folder), os.W_OK)
        name = f"AUTODEPLOY_{what.upper()}"
        yield Check(
            "both",
            what,
            str(folder),
            "" if writable else f"{folder} cannot be written",
            "" if writable else f"Make it writable for you, or point {name} elsewhere.",
        )
    free = shutil.disk_usage(_nearest(settings.home)).free / 1e9
    short = free < FREE_GB
    yield Check(
        "both",
        "disk",
        f"{free:.0f} GB free",
        f"only {free:.1f} GB free below {settings.home}" if short else "",
        f"Free at least {FREE_GB:.0f} GB." if short else "",
    )
    yield _attempt("both", "Pulumi engine", lambda: _engine(settings))
    # Repositories' own code is built in containers, whatever the target; only machines need root.
    yield _attempt("both", "container engine", lambda: _container_engine(machines))
    yield from _support()


def _support() -> Iterator[Check]:
    from autodeploy.planner import support

    for image in support.SUPPORT:
        yield support.check("both", image, datetime.now(timezone.utc).date(), is_made=False)


def _nearest(folder: Path) -> Path:
    """Return the folder, or what it will be made in."""
    return next(path for path in (folder, *folder.parents) if path.exists())


def _engine(settings: Settings) -> str:
    from autodeploy.adapters.pulumi.engine import find

    found = find(settings.cache)
    return str(found) if found else "not here yet: fetched, or built with Go, at the first deploy"


def _local(wiring: Wiring) -> Iterator[Check]:
    yield _attempt("local", "daemon", lambda: str(wiring.local.status()["daemon"]))


def _container_engine(machines: bool) -> str:
    from autodeploy.local.containers import container_engine

    return container_engine(machines).program


def _aws(wiring: Wiring) -> Iterator[Check]:
    def account() -> str:
        facts = wiring.cloud.facts()
        return f"{facts.identity or facts.account_id} in {facts.region}, SSH from {facts.admin_cidr}"

    credentials = _attempt("aws", "credentials", account)
    yield credentials
    if not credentials.problem:
        try:
            yield from wiring.cloud.preflight()
        except AgentError as err:
            yield Check("aws", "preflight", "", err.message, err.remediation)
