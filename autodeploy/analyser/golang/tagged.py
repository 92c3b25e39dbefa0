"""Variables that struct tags name: caarlos0/env, envconfig, cleanenv, go-envconfig, go-flags, kong, mapstructure."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from tree_sitter import Node

from autodeploy.analyser.golang.syntax import GoFile, line_of, string_of, text_of

_TAG = re.compile(r'(\w[\w-]*):"((?:[^"\\]|\\.)*)"')
_NAME = re.compile(r"^[A-Z][A-Z0-9_]*$")
_SPELLED = re.compile(r"^[A-Za-z][A-Za-z0-9_]*$")
"""What a tag of its own says, in whatever letters, to a library that takes it as it stands."""

_LIBRARY = re.compile(r"/(?:caarlos0/env|cleanenv|go-envconfig)(?:/v\d+)?$")

_ENVCONFIG = "github.com/kelseyhightower/envconfig"
Tagged = tuple[str, str | None, bool, int]
"""Name, default, whether it is demanded, line."""


def prefixes(files: Sequence[GoFile]) -> dict[str, str]:
    """Return what stands before the variables of a struct's fields, by the struct's name."""
    found: dict[str, str] = {}
    for file in files:
        for node in file.nodes("tagged"):
            tags = tags_of(node)
            kind = node.child_by_field_name("type")
            before = _prefix(tags)
            if before and kind is not None:
                found[text_of(kind).strip("*").rpartition(".")[2]] = before
    return found


def tagged(file: GoFile, node: Node, before: Mapping[str, str], processed: str | None, binds: bool) -> Iterator[Tagged]:
    """Yield the variable of one field. `processed` is envconfig's prefix, `binds`: viper looks into the environment."""
    tags = tags_of(node)
    stated = tags.get("env") or tags.get("envconfig") or ""
    name, *options = [part.strip() for part in stated.split(",")]
    if not name and processed is not None:
        name = _of_field(node, processed, tags)
    if not name and binds and _NAME.match(tags.get("mapstructure", "")):
        name = tags["mapstructure"]
    elif name:
        name = _before(node, before) + name
    is_spelled = bool(tags.get("env")) and any(map(_LIBRARY.search, file.imported()))
    if not (_SPELLED if is_spelled else _NAME).match(name):
        return
    default = next((tags[key] for key in ("envDefault", "env-default", "default") if key in tags), None)
    default = next((option[8:] for option in options if option.startswith("default=")), default)
    demanded = bool({"required", "notEmpty"}.intersection(options))
    demanded = demanded or "true" in {tags.get("required"), tags.get("env-required")}
    yield name, default, demanded and default is None, line_of(node)


def processed_prefix(file: GoFile) -> str | None:
    """Return the prefix that envconfig.Process is given in a file, with its underscore; None where it is not called."""
    for call in file.calls:
        if call.name in {f"{_ENVCONFIG}.Process", f"{_ENVCONFIG}.MustProcess"} and call.arguments:
            given = string_of(call.arguments[0])
            if given is None:
                named = text_of(call.arguments[0])
                given = next((string_of(value) for name, value in file.values() if name == named), "") or ""
            return f"{given.upper()}_" if given else ""
    return None


@dataclass(frozen=True)
class Nested:
    """envconfig's structs: the prefix of the program's only call, and the fields that hold each struct.

    See https://pkg.go.dev/github.com/kelseyhightower/envconfig: a struct's name stands before those of its fields.
    """

    prefix: str | None = None
    holders: Mapping[str, tuple[str, str]] = field(default_factory=dict)
    """The name of a struct, to the struct that has a field of it, and the field's part of the names."""

    own: frozenset[str] = frozenset()
    """The structs whose tags are envconfig's."""

    def before(self, node: Node) -> str | None:
        """Return what stands before the name of a field; None where its struct is none of envconfig's."""
        name = _struct(node)
        if self.prefix is None or name not in self.own:
            return None
        parts, seen = list[str](), set[str]()
        while name in self.holders and name not in seen:
            seen.add(name)
            name, part = self.holders[name]
            parts.insert(0, part)
        return self.prefix + "".join(f"{part}_" for part in parts if part)


def nested(files: Sequence[GoFile]) -> Nested:
    """Return the structs that envconfig fills from other packages than the one that calls it."""
    called = {prefix for file in files if (prefix := processed_prefix(file)) is not None}
    if len(called) != 1:
        return Nested()
    nodes = [node for file in files for node in file.nodes("tagged")]
    counted: dict[str, list[tuple[str, str]]] = {}
    for node in (held for file in files for held in file.nodes("held")):
        kind, tags = node.child_by_field_name("type"), tags_of(node)
        if kind is not None:
            part = tags.get("envconfig") or _of_field(node, "", tags)
            counted.setdefault(text_of(kind).strip("*").rpartition(".")[2], []).append((_struct(node), part))
    holders = {name: places[0] for name, places in counted.items() if len(places) == 1}
    own = frozenset(_struct(node) for node in nodes if {"envconfig", "split_words"} & set(tags_of(node)))
    # What several fields hold has as many names, none of which the program can demand of everybody.
    several = {name for name, places in counted.items() if len(places) > 1}
    return Nested(next(iter(called)), holders, own - several)


def _struct(node: Node) -> str:
    current: Node | None = node
    while current is not None and current.type != "type_spec":
        current = current.parent
    name = current.child_by_field_name("name") if current is not None else None
    return text_of(name) if name is not None else ""


def tags_of(node: Node) -> dict[str, str]:
    """Return the parts of a field's tag."""
    tag = node.child_by_field_name("tag")
    return dict(_TAG.findall(string_of(tag) or "")) if tag is not None else {}


def _prefix(tags: Mapping[str, str]) -> str:
    """Return what a field puts before the variables below it, as its library spells it; "" for nothing."""
    stated = next((tags[key] for key in ("envPrefix", "env-prefix", "envprefix") if key in tags), "")
    return stated or (f"{tags['env-namespace']}_" if tags.get("env-namespace") else "")


def _of_field(node: Node, prefix: str, tags: Mapping[str, str]) -> str:
    called = node.child_by_field_name("name")
    name = text_of(called) if called is not None else ""
    if not name[:1].isupper() or tags.get("ignored") == "true":
        return ""
    if tags.get("split_words") == "true":
        name = re.sub(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])", "_", name)
    return prefix + name.upper()


def _before(node: Node, before: Mapping[str, str]) -> str:
    """Return the prefixes of the fields and structs around a field."""
    found, current = "", node.parent
    while current is not None:
        if current.type == "field_declaration":
            tags = tags_of(current)
            found = _prefix(tags) + found
        elif current.type == "type_spec" and (name := current.child_by_field_name("name")) is not None:
            found = before.get(text_of(name), "") + found
        current = current.parent
    return found
