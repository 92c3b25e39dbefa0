"""Tells a package that others install from an application: it starts nothing, and says what it exports."""

from __future__ import annotations

from collections.abc import Mapping

from autodeploy.analyser.failures import refusal
from autodeploy.analyser.nodejs.manifest import Manifest
from autodeploy.analyser.procfile import Process

_PUBLISHED = ("exports", "types", "typings", "module", "peerDependencies", "publishConfig", "files", "unpkg", "browser")


def refuse_library(manifest: Manifest, processes: Mapping[str, Process], overrides: Mapping[str, str]) -> None:
    """Raise AnalysisError where package.json is that of a library."""
    told = [key for key in _PUBLISHED if manifest.fields.get(key)]
    if not told or processes or "start" in manifest.scripts or "start_command" in overrides:
        return
    raise refusal(
        f"{manifest.file} is that of a library: it says what it publishes ({', '.join(told[:3])}) and starts nothing",
        "Deploy an application that uses it; where one lies in a folder, name it with --path, or name its "
        "--start-command.",
    )
