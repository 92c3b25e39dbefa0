"""Files of platforms: app.json and heroku.yml, render.yaml, fly.toml, railway, DigitalOcean's app.yaml."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterator

from autodeploy.analyser.documents import Entry, from_json, from_toml, from_yaml
from autodeploy.analyser.hints import kinds
from autodeploy.analyser.tree import Tree
from autodeploy.model import EnvironmentVariable, Evidence

Told = Evidence | EnvironmentVariable
_BUILDPACK = re.compile(
    r"^(?:NPM_|YARN_|HEROKU_|GO_|GOVERSION|NODE_|PIP_|POETRY_|PROJECT_PATH$|DISABLE_COLLECTSTATIC$|WEB_CONCURRENCY$"
    r"|PYTHON_VERSION$|PYTHONUNBUFFERED$|BUILDPACK_|PORT$)"
)
"""What tells a platform how to build or run, and no application asks for."""

_PARTS = {
    "connectionString": "url",
    "host": "host",
    "port": "port",
    "user": "user",
    "password": "password",
    "database": "name",
}
"""What Render calls the parts of a database's address (https://render.com/docs/blueprint-spec)."""


def read(tree: Tree) -> Iterator[Told]:
    """Yield what the files tell of the application in the tree's folder."""
    for place in tree.places():
        yield from _heroku(place)
        yield from _render(tree, place)
        yield from _fly(place)
        yield from _railway(place)
        yield from _digitalocean(tree, place)


def _heroku(place: Tree) -> Iterator[Told]:
    where, app = place.where("app.json"), from_json(place.read("app.json"))
    for addon in app.get("addons").entries():
        plan = addon.get("plan") or addon
        yield from kinds.told(kinds.of_addon(plan.text), where, plan.line, "app.json-addon")
    for name, item in app.get("env").items():
        if not _BUILDPACK.match(name):
            value = item.get("value").text or item.text
            yield EnvironmentVariable(
                name=name,
                default=value or None,
                generated=item.get("generator").text == "secret",
                # An empty entry only names the variable.
                required=not value and item.get("required").text != "false" and any(item.items()),
                file=where,
                line=item.line,
            )
    where, heroku = place.where("heroku.yml"), from_yaml(place.read("heroku.yml"))
    for addon in heroku.get("setup", "addons").entries():
        plan = addon.get("plan") or addon
        yield from kinds.told(kinds.of_addon(plan.text), where, plan.line, "heroku.yml-addon")
    run = heroku.get("run", "web")
    yield from _hint("start_command", run.get("command") or run, where, "heroku.yml")


def _render(tree: Tree, place: Tree) -> Iterator[Told]:
    file = "render.yaml" if "render.yaml" in place.index else "render.yml"
    where, blueprint = place.where(file), from_yaml(place.read(file))
    for database in blueprint.get("databases").entries():
        yield from kinds.told("postgresql", where, database.line, "render-database")
    for service in blueprint.get("services").entries():
        kind = service.get("type").text
        yield from kinds.told(kinds.of_addon(kind), where, service.line, "render-service")
        if kind not in {"web", "worker", "pserv"} or not _is_of(tree, place, service.get("rootDir")):
            continue
        for item in service.get("envVars").entries():
            yield from _render_variable(item, where)
        fact = "worker_command" if kind == "worker" else "start_command"
        yield from _hint(fact, service.get("startCommand"), where, "render")
        yield from _hint("health_check_path", service.get("healthCheckPath"), where, "render")


def _render_variable(item: Entry, where: str) -> Iterator[Told]:
    name, value, part = item.get("key"), item.get("value"), item.get("fromDatabase", "property").text
    # The address of a service that the platform makes, and nobody here does.
    is_store = item.get("fromService", "type").text in {"redis", "keyvalue"}
    if name.text == "PORT":
        yield from _hint("port", value, where, "render")
    elif part in _PARTS:
        yield from _hint("database_variable", Entry(f"{name.text}={_PARTS[part]}", name.line), where, "render")
    elif name.text and not _BUILDPACK.match(name.text) and (not item.get("fromService") or is_store):
        yield EnvironmentVariable(
            name=name.text,
            default=value.text or None,
            generated=item.get("generateValue").text == "true",
            required=item.get("sync").text == "false" or is_store,
            file=where,
            line=name.line,
        )


def _fly(place: Tree) -> Iterator[Told]:
    where, fly = place.where("fly.toml"), from_toml(place.read("fly.toml"))
    services = [fly.get("http_service"), *fly.get("services").entries()]
    for service in services:
        yield from _hint("port", service.get("internal_port"), where, "fly")
    yield from _hint("port", fly.get("env", "PORT"), where, "fly")
    checks = [check for service in services for check in _listed(service.get("http_checks"), service.get("checks"))]
    checks += [check for _, check in fly.get("checks").items()]
    for check in checks:
        yield from _hint("health_check_path", check.get("path"), where, "fly")
    processes = dict(fly.get("processes").items())
    for name in ("web", "app"):
        yield from _hint("start_command", processes.get(name, Entry()), where, "fly")


def _listed(*entries: Entry) -> list[Entry]:
    return [part for entry in entries for part in entry.entries()]


def _railway(place: Tree) -> Iterator[Told]:
    for file, parse in (("railway.json", from_json), ("railway.toml", from_toml)):
        deploy = parse(place.read(file)).get("deploy")
        yield from _hint("start_command", deploy.get("startCommand"), place.where(file), "railway")
        yield from _hint("health_check_path", deploy.get("healthcheckPath"), place.where(file), "railway")


def _digitalocean(tree: Tree, place: Tree) -> Iterator[Told]:
    for file in (".do/app.yaml", ".do/deploy.template.yaml"):
        where, whole = place.where(file), from_yaml(place.read(file))
        spec = whole.get("spec") or whole
        for database in spec.get("databases").entries():
            engine = database.get("engine")
            yield from kinds.told(kinds.of_addon(engine.text), where, engine.line, "digitalocean-database")
        for service in spec.get("services").entries():
            if _is_of(tree, place, service.get("source_dir")):
                yield from _hint("port", service.get("http_port"), where, "digitalocean")
                yield from _hint("health_check_path", service.get("health_check", "http_path"), where, "digitalocean")
                yield from _hint("start_command", service.get("run_command"), where, "digitalocean")


def _is_of(tree: Tree, place: Tree, folder: Entry) -> bool:
    """Tell whether a service's folder, seen from the repository's root, is the application's."""
    named = posixpath.normpath(folder.text.strip("/") or ".")
    return named == tree.root or (named == "." and place is tree)


def _hint(fact: str, entry: Entry, where: str, rule: str) -> Iterator[Evidence]:
    value = entry.text.strip()
    fits = {"port": r"\d{2,5}", "health_check_path": r"/[^\s\"']*"}.get(fact, r"[^\n]+")
    if re.fullmatch(fits, value):
        yield Evidence(fact=fact, value=value, file=where, line=entry.line, rule=rule, confidence="likely")
