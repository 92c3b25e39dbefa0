"""Compose files: the servers that run beside the application, and its own port, variables and health check."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterator

from autodeploy.analyser.documents import Entry, from_yaml, texts
from autodeploy.analyser.hints import examples, kinds
from autodeploy.analyser.hints.dockerfile import asked_path
from autodeploy.analyser.tree import Tree
from autodeploy.model import Evidence

_NAME = re.compile(r"(?:docker-)?compose(?:[._-][\w.-]+)?\.ya?ml")
_FOLDERS = ("", "docker", ".docker", "deploy", "deployments", "deployment", "build", "infra", "dev", "local")
_MAX_FILES = 6
_DEFAULT = re.compile(r"\$\{\w+:?-([^}]*)\}")


def read(tree: Tree) -> Iterator[Evidence]:
    """Yield what the application's compose files tell, those in its own folder first."""
    for place in tree.places():
        folders = [folder for folder in _FOLDERS if folder == "" or place is tree or tree.root == "."]
        names = [path for path in place.paths if _is_compose(path) and posixpath.dirname(path) in folders]
        for file in sorted(names, key=lambda path: (path.count("/"), len(path), path))[:_MAX_FILES]:
            yield from _read(tree, place, file)


def _is_compose(path: str) -> bool:
    return "compose" in path and _NAME.fullmatch(posixpath.basename(path)) is not None


def _read(tree: Tree, place: Tree, file: str) -> Iterator[Evidence]:
    services = from_yaml(place.read(file)).get("services").items()
    where = place.where(file)
    own = _own(tree, place, file, services)
    needed = [name for name, _ in own.get("depends_on").items()] + [item.text for item in texts(own.get("depends_on"))]
    # What the application waits for is what it speaks to, where several databases stand in one file.
    for name, service in sorted(services, key=lambda pair: pair[0] not in needed):
        image = service.get("image")
        kind = kinds.of_image(image.text) or _built(place, file, service)
        yield from kinds.told(kind, where, image.line or service.line, "compose-image" if image else f"compose-{name}")
    yield from _of_application(place, own, where)


def _own(tree: Tree, place: Tree, file: str, services: list[tuple[str, Entry]]) -> Entry:
    """Return the service that is built from the application's folder; an empty entry for none."""
    built = [(service, _context(place, file, service)) for _, service in services if service.get("build")]
    exact = [service for service, folder in built if folder == tree.root and not _built(place, file, service)]
    above = [service for service, folder in built if tree.root.startswith(f"{folder}/") or folder == "."]
    chosen = exact or (above if len(built) == 1 else [])
    # Of several programs made from one folder the one with a port is on the web.
    return next((service for service in chosen if service.get("ports")), chosen[0] if chosen else Entry())


def _context(place: Tree, file: str, service: Entry) -> str:
    """Return the folder, as the repository knows it, that a service is built from."""
    context = service.get("build", "context").text or service.get("build").text or "."
    return posixpath.normpath(posixpath.join(posixpath.dirname(place.where(file)), context))


def _built(place: Tree, file: str, service: Entry) -> str:
    """Return what a service serves whose image is made here, from another's: FROM postgres."""
    if not service.get("build"):
        return ""
    folder = posixpath.relpath(_context(place, file, service), place.root)
    name = posixpath.normpath(posixpath.join(folder, service.get("build", "dockerfile").text or "Dockerfile"))
    froms = [line.split()[1] for _, line in place.lines(name) if re.match(r"FROM\s+\S", line, re.IGNORECASE)]
    return kinds.of_image(froms[-1]) if froms else ""


def _of_application(place: Tree, service: Entry, where: str) -> Iterator[Evidence]:
    for name, value in _environment(service.get("environment")):
        number = _DEFAULT.sub(r"\1", value.text)
        if name == "PORT" and re.fullmatch(r"\d{2,5}", number):
            yield _hint("port", number, where, value.line, "compose-environment")
        elif re.search(r"(?:URL|URI|DSN|DRIVER|DIALECT|ENGINE|CLIENT)$", name):
            yield from kinds.told(kinds.of_address(number), where, value.line, "compose-environment")
    for published in (*service.get("ports").entries(), *service.get("expose").entries()):
        target = published.get("target").text or _DEFAULT.sub(r"\1", published.text).rsplit(":", 1)[-1]
        if named := re.fullmatch(r"\$\{?(\w+)\}?", target):
            target = (examples.value(place, named[1]) or ("",))[0]
        if match := re.fullmatch(r"(\d{2,5})(?:/tcp)?", target):
            yield _hint("port", match[1], where, published.line, "compose-port")
    test = service.get("healthcheck", "test")
    for words in texts(test):
        if path := asked_path(words.text):
            yield _hint("health_check_path", path, where, words.line, "compose-healthcheck")


def _environment(entry: Entry) -> list[tuple[str, Entry]]:
    if pairs := entry.items():
        return pairs
    split = [(item.text.partition("="), item.line) for item in entry.entries()]
    return [(name.strip(), Entry(value.strip(), line)) for (name, _, value), line in split]


def _hint(fact: str, value: str, file: str, line: int, rule: str) -> Evidence:
    return Evidence(fact=fact, value=value, file=file, line=line, rule=rule, confidence="likely")
