"""The evidence for what no detector of its own explains: project, framework, application object, what is absent."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Mapping, Sequence
from typing import Any

from autodeploy.analyser.python.application import Application, rivals
from autodeploy.analyser.python.code import modules, speaking
from autodeploy.analyser.python.frameworks import Framework
from autodeploy.analyser.python.manifest import Manifest
from autodeploy.analyser.python.names import dotted, keyword, text_of
from autodeploy.analyser.python.ports import PortRead
from autodeploy.analyser.tree import Tree
from autodeploy.model import Evidence, Unknown

_PROOFS = {
    "aiohttp": r"aiohttp[ \t]+import[ \t]+(?:\w+,[ \t]*)*web\b|aiohttp\.web\b",
    "tornado": r"tornado[ \t]+import[^\n]*\bweb\b|tornado\.(?:web|httpserver)\b",
    "starlette": r"starlette\.(?:applications|routing)",
    "dash": r"import[ \t]+dash\b|from[ \t]+dash\b",
    "gradio": r"import[ \t]+gradio\b|from[ \t]+gradio\b",
    "bottle": r"import[ \t]+bottle\b|from[ \t]+bottle\b",
    "cherrypy": r"import[ \t]+cherrypy\b",
    "streamlit": r"import[ \t]+streamlit\b|from[ \t]+streamlit\b",
    "nicegui": r"from[ \t]+nicegui\b|import[ \t]+nicegui\b",
    "pyramid": r"from[ \t]+pyramid\b|import[ \t]+pyramid\b",
}


def proven_frameworks(tree: Tree) -> frozenset[str]:
    """Return the frameworks whose server side the code imports."""
    found: set[str] = set()
    for path in modules(tree):
        text = tree.read(path)
        found.update(name for name, proof in _PROOFS.items() if name in text and re.search(proof, text))
    return frozenset(found)


def project_evidence(
    tree: Tree, manifest: Manifest, framework: Framework | None, app: Application | None
) -> list[Evidence]:
    """Return why the project is taken for what it is."""
    where = posixpath.normpath(tree.where(manifest.lock or manifest.file)) if manifest.file else ""
    rule = "lock-file" if manifest.lock else "manifest" if manifest.file else "default"
    told = [
        Evidence(
            fact="package_manager",
            value=manifest.package_manager,
            file=where,
            rule=rule,
            alternatives=manifest.alternatives,
            confidence="certain" if manifest.file else "default",
        ),
        _framework(tree, manifest, framework, app),
    ]
    if manifest.install_command:
        told.append(Evidence(fact="build_command", value=manifest.install_command, file=where, rule=rule))
    if app:
        file = tree.where(app.file) if app.file else ""
        rule = "--app" if not app.file else "factory" if app.is_factory else "application-object"
        told.append(Evidence(fact="app", value=app.target, file=file, line=app.line, rule=rule))
    return told


def _framework(tree: Tree, manifest: Manifest, framework: Framework | None, app: Application | None) -> Evidence:
    if framework is None:
        return Evidence(fact="framework", value="none", rule="no-framework")
    item = manifest.find(framework.package)
    if item:
        return Evidence(fact="framework", value=framework.name, file=item.file, line=item.line, rule="dependency")
    file, line = (tree.where(app.file), app.line) if app and app.file else ("", 0)
    return Evidence(fact="framework", value=framework.name, file=file, line=line, rule="import")


def app_unknown(found: list[Application]) -> tuple[list[Application], list[Unknown]]:
    """Return the candidates with the best first, and what a person is asked where others are as good."""
    equal = rivals(found) if found else []
    if len(equal) < 2:
        return found, []
    names = tuple(item.spelled for item in equal)
    message = f"there are several applications: {', '.join(names)}"
    return found, [Unknown(fact="app", message=message, choices=names, flag="--app")]


def port_evidence(port: PortRead, begin: Evidence) -> tuple[dict[str, Any], Evidence]:
    """Return how the application is told its port, and why."""
    is_fixed = port.variable is None and port.default is not None
    name = None if is_fixed else port.variable or "PORT"
    told = Evidence(
        fact="port_env",
        value=name or "none",
        file=begin.file,
        line=begin.line,
        rule="literal-port" if is_fixed else "start-command",
        confidence="certain" if port.variable or is_fixed else "likely",
    )
    return {"port_env": name}, told


def absent(fields: Mapping[str, Any], told: Sequence[Evidence]) -> list[Evidence]:
    """Return evidence for the facts that nothing spoke of."""
    known = {evidence.fact for evidence in told}
    plain = {
        "build_command": fields["build_command"] or "none",
        "migration_command": fields["migration_command"] or "none",
        "services": ",".join(fields["services"]) or "none",
        "system_packages": ",".join(sorted({*fields["build_packages"], *fields["run_packages"]})) or "none",
        "is_web_service": "true",
    }
    rules = {"build_command": "install-command", "system_packages": "dependencies", "is_web_service": "answers-http"}
    return [
        Evidence(fact=fact, value=value, rule="none-found" if value == "none" else rules.get(fact, "default"))
        for fact, value in plain.items()
        if fact not in known
    ]


def documentation_path(tree: Tree) -> str | None:
    """Return where FastAPI serves its documentation; None where it is switched off."""
    for made in speaking(tree, re.compile(r"\bFastAPI\(")):
        for call in made.calls:
            if dotted(call.func, made.origins).endswith("FastAPI"):
                given = [keyword(call, key) for key in ("docs_url", "openapi_url")]
                if any(item is not None and getattr(item, "value", "") is None for item in given):
                    return None
                told = text_of(given[0])
                if told:
                    return told
    return "/docs"
