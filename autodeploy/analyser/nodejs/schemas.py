"""Reads the schemas that a whole environment is checked with: Joi, Zod, TypeBox, Adonis, convict and others."""

from __future__ import annotations

import re
from collections.abc import Iterator

from tree_sitter import Node

from autodeploy.analyser.nodejs.code import Module, arguments, literal, pair, string, text

Declared = tuple[str, Node, bool, "str | None"]
"""A variable's name, where it is declared, whether it must be given, and its default."""

_CALLS = "(pair key: (property_identifier) @name value: (call_expression) @value)"
_OBJECTS = "(pair key: (property_identifier) @key value: (string) @name) @pair"
_REQUIRED = "(pair key: (property_identifier) @key value: (array) @names)"
_FLUENT = re.compile(rb"\.prop\(\s*['\"](?P<name>[A-Z][A-Z0-9_]*)['\"]\s*,\s*(?P<said>[^\n]*)")
_NAME = re.compile(r"^[A-Z][A-Z0-9_]*$")
_LIBRARIES = re.compile(rb"\b(envalid|cleanEnv|joi|Joi|zod|@hapi/joi|yup|Env\.schema|valibot|typebox)\b")
_SCHEMA = re.compile(r"^(z|v|joi|Joi|yup|Env|Type|str|num|port|url|host|bool|email|json|makeValidator)\b")
_DEFAULTS = re.compile(
    r"\.(default|optional|nullish|catch|allow|optionalWhen)\(|\b(default|devDefault)\s*:|^(?:v\.o|Type\.O)ptional\("
)


def declared(module: Module) -> Iterator[Declared]:
    """Yield the variables that the schemas of a module declare."""
    said = module.text
    if b"env" not in said and b"ENV" not in said:
        return
    if _LIBRARIES.search(said):
        yield from _called(module)
    if b"convict" in said:
        yield from _convicted(module)
    if b"fastify/env" in said or b"env-schema" in said or b"fastify-env" in said:
        yield from _listed(module)
        yield from _fluent(module)


def _called(module: Module) -> Iterator[Declared]:
    for row in module.matches(_CALLS):
        name, value = text(row["name"]), row["value"]
        said = text(value)
        if not _NAME.match(name) or not _SCHEMA.match(said):
            continue
        is_joi = re.match(r"^(joi|Joi|yup)\b", said)
        is_required = not _DEFAULTS.search(said) and (".required(" in said if is_joi else True)
        default = re.search(r"\.default\(\s*[\"']?([^\"')]*)", said)
        options = next((item for item in arguments(value) if item.type == "object"), None)
        given = literal(pair(options, "default"))
        yield name, row["name"], is_required, given or (default[1] if default else None)


def _convicted(module: Module) -> Iterator[Declared]:
    """Read convict's `{ format, default, env: "NAME" }`: without a default it must be given."""
    for row in module.matches(_OBJECTS):
        name, above = string(row["name"]) or "", row["pair"].parent
        if text(row["key"]) == "env" and _NAME.match(name) and above is not None and pair(above, "format", "default"):
            default = pair(above, "default")
            is_required = default is None or default.type == "null"
            yield name, row["name"], is_required and "null" not in text(pair(above, "nullable")), literal(default)


def _fluent(module: Module) -> Iterator[Declared]:
    """Read fluent-json-schema's `S.object().prop("NAME", S.string().required())`, which @fastify/env takes."""
    for match in _FLUENT.finditer(module.text) if b"fluent-json-schema" in module.text else ():
        node = module.root.descendant_for_byte_range(match.start("name"), match.end("name")) or module.root
        default = re.search(rb"\.default\(\s*['\"]?([^'\")]*)", match["said"])
        given = default[1].decode("utf-8", "replace") if default else None
        yield match["name"].decode(), node, b".required()" in match["said"] and given is None, given


def _listed(module: Module) -> Iterator[Declared]:
    """Read the JSON Schema of @fastify/env: `{ required: ["PORT"], properties: … }`."""
    for row in module.matches(_REQUIRED):
        if text(row["key"]) == "required":
            for item in row["names"].named_children:
                if _NAME.match(string(item) or ""):
                    yield string(item) or "", item, True, None
