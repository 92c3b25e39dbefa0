"""Tells which part of a workspace is the application: npm's, Yarn's, pnpm's, Lerna's and Nx's. Installs nothing."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import yaml

from autodeploy.analyser.nodejs import jsonc
from autodeploy.analyser.nodejs.frameworks import FRONT_ENDS, serves
from autodeploy.analyser.procfile import read_procfile
from autodeploy.analyser.tree import Tree

_FILE = "package.json"
_ASIDE = re.compile(
    r"(^|[/-])(docs?|documentation|storybook|e2e|tests?|examples?|demos?|playgrounds?|samples?|fixtures|templates?"
    r"|benchmarks?|landing|marketing|mobile|desktop|native|expo|extension|electron|cli|scripts?|tools?|tooling)([/-]|$)"
)
_SERVERS = re.compile(r"(^|[/-])(api|server|backend|gateway|service)$")
_SITES = re.compile(r"(^|[/-])(web|app|website|site|www|frontend|client|dashboard|portal)$")
_DELEGATES = (
    re.compile(r"\bturbo\b.*--filter[= ]['\"]?\.{0,3}(?P<name>[@\w./{}-]+?)(?:\.\.\.)?['\"]?(?:\s|$)"),
    re.compile(r"\b(?:pnpm|bun)\b.*(?:--filter|-F)[= ]['\"]?(?P<name>[@\w./{}-]+?)(?:\.\.\.)?['\"]?(?:\s|$)"),
    re.compile(r"\bnpm\b.*(?:--workspace|-w|--prefix|-C)[= ]['\"]?(?P<name>[@\w./-]+)"),
    re.compile(r"\byarn workspace (?P<name>[@\w./-]+)"),
    re.compile(r"\b(?:yarn|pnpm|bun)\b.*(?:--cwd|--dir|-C)[= ](?P<name>[@\w./-]+)"),
    re.compile(r"\blerna\b.*--scope[= ]['\"]?(?P<name>[@\w./-]+)"),
    re.compile(r"\bnx (?:run )?(?:serve|start)[: ](?P<name>[@\w./-]+)|\bnx run (?P<run>[@\w./-]+):"),
    re.compile(r"^cd (?P<name>[\w./-]+)"),
)
_ASKS_ALL = re.compile(
    r"\b(turbo|nx run-many|lerna|pnpm (-r|--recursive|-w)|concurrently|npm-run-all|run-p|ultra)\b|--workspaces\b"
    r"|workspaces foreach"
)


@dataclass(frozen=True)
class Member:
    """A package of a workspace: its folder below the root, and its package.json."""

    folder: str
    package: Mapping[str, Any]

    @property
    def name(self) -> str:
        """The package's name, its folder where it has none."""
        value = self.package.get("name")
        return value if isinstance(value, str) and value else self.folder

    def table(self, key: str) -> dict[str, Any]:
        """Return one of the tables of its package.json."""
        value = self.package.get(key)
        return value if isinstance(value, dict) else {}


@dataclass(frozen=True)
class Workspace:
    """The packages that are installed together from one root. `root` is the root's own package."""

    tree: Tree
    root: Member
    members: tuple[Member, ...] = field(default=())

    @cached_property
    def by_name(self) -> dict[str, Member]:
        """The members by the name that others depend on."""
        return {member.name: member for member in self.members}

    def needed(self, member: Member) -> list[Member]:
        """Return the members that a member is built from, itself last, each behind what it needs."""
        order: dict[str, Member] = {}

        def visit(item: Member, above: frozenset[str]) -> None:
            names = sorted({*item.table("dependencies"), *item.table("devDependencies")} & set(self.by_name))
            for name in names:
                if name not in above and name not in order:
                    visit(self.by_name[name], above | {name})
            order.setdefault(item.name, item)

        visit(member, frozenset({member.name}))
        return list(order.values())


def read_workspace(tree: Tree) -> Workspace | None:
    """Return the workspace that a tree is the root of; None where it is none."""
    package = jsonc.table(tree.read(_FILE))
    patterns = [*_patterns(tree, package)]
    if not patterns:
        return None
    wanted = [_expression(pattern) for pattern in patterns if not pattern.startswith("!")]
    barred = [_expression(pattern[1:]) for pattern in patterns if pattern.startswith("!")]
    folders = [path.removesuffix(f"/{_FILE}") for path in tree.paths if path.endswith(f"/{_FILE}")]
    kept = [
        folder for folder in folders
        if any(item.fullmatch(folder) for item in wanted) and not any(item.fullmatch(folder) for item in barred)
    ]  # fmt: skip
    members = tuple(Member(folder, jsonc.table(tree.read(f"{folder}/{_FILE}"))) for folder in sorted(kept))
    return Workspace(tree, Member(".", package), members) if members else None


def candidates(workspace: Workspace) -> list[Member]:
    """Return the members that may be the application, the likeliest first; the root itself counts as one of them."""
    if serves(workspace.root.package) and not _asks_others(workspace.root):
        return [workspace.root]
    named = _delegated(workspace)
    if named:
        return [named]
    able = sorted((member for member in workspace.members if _rank(member)[0] < _NEVER), key=_rank)
    # What serves leaves no doubt about packages that only start or build something, nor about libraries for servers.
    kinds = [_rank(member)[0] for member in able]
    return [member for member, kind in zip(able, kinds, strict=True) if kind < 1 or min(kinds) == kind < 2] or able


def _patterns(tree: Tree, package: Mapping[str, Any]) -> Iterator[str]:
    told = package.get("workspaces")
    told = told.get("packages") if isinstance(told, dict) else told
    lists = [told, _yaml(tree.read("pnpm-workspace.yaml")).get("packages")]
    if not any(lists) and "lerna.json" in tree.index:
        lists.append(jsonc.table(tree.read("lerna.json")).get("packages", ["packages/*"]))
    for items in lists:
        yield from (item for item in items if isinstance(item, str)) if isinstance(items, list) else ()


def _yaml(text: str) -> dict[str, Any]:
    try:
        value = yaml.load(text, Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader)) if text else None
    except (yaml.YAMLError, ValueError, RecursionError):
        return {}
    return value if isinstance(value, dict) else {}


def _expression(pattern: str) -> re.Pattern[str]:
    """Return the expression of a glob: `*` is one folder's name, `**` any number of folders."""
    words = re.split(r"(\*\*/?|\*)", pattern.removeprefix("./").strip("/"))
    meant = {"**/": "(?:[^/]+/)*", "**": ".+", "*": "[^/]+"}
    return re.compile("".join(meant.get(word, re.escape(word)) for word in words))


_NEVER = 9


def _rank(member: Member) -> tuple[int, bool, int, str]:
    """Order the members: those that serve before pages, apps before packages, by what their folder is called."""
    scripts = member.table("scripts")
    if serves(member.package):
        kind = 0 if "start" in scripts or "build" in scripts else 1
    elif "start" in scripts and not _is_front_end(member):
        kind = 2
    else:
        kind = 3 if _is_front_end(member) and "build" in scripts else _NEVER
    if _ASIDE.search(member.folder) and kind < _NEVER:
        kind += 4
    place = 0 if _SERVERS.search(member.folder) else 1 if _SITES.search(member.folder) else 2
    return kind, member.folder.startswith(("packages/", "libs/", "lib/", "shared/")), place, member.folder


def _is_front_end(member: Member) -> bool:
    return any(name in member.table(key) for key in ("dependencies", "devDependencies") for name in FRONT_ENDS)


def _asks_others(member: Member) -> bool:
    start = member.table("scripts").get("start")
    return isinstance(start, str) and (bool(_ASKS_ALL.search(start)) or any(item.search(start) for item in _DELEGATES))


def _delegated(workspace: Workspace) -> Member | None:
    """Return the member that the root's Procfile or scripts start by name."""
    scripts = workspace.root.table("scripts")
    web = read_procfile(workspace.tree).get("web")
    begun = (scripts.get(name) for name in ("start", "start:prod", "heroku-postbuild", "dev", "build"))
    for line in (web.command if web else "", *begun):
        chain = re.split(r"\s*(?:&&|\|\||;)\s*", line) if isinstance(line, str) else []
        matches = (item.search(part) for part in chain for item in _DELEGATES)
        found = {_named(workspace, match) for match in matches if match}
        members = [member for member in workspace.members if member.folder in found]
        if len(members) == 1:
            return members[0]
    return None


def _named(workspace: Workspace, match: re.Match[str]) -> str:
    name = next((value for value in match.groupdict().values() if value), "").strip("{}")
    folder = name.removeprefix("./").rstrip("/")
    member = workspace.by_name.get(name) or next((item for item in workspace.members if item.folder == folder), None)
    return member.folder if member else ""
