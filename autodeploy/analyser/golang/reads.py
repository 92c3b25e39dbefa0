"""Where a program reads its environment: the variable, its default, and whether the program ends without it."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from dataclasses import field as made

from tree_sitter import Node

from autodeploy.analyser.golang.ardanconf import configured
from autodeploy.analyser.golang.fallbacks import alternative, tested
from autodeploy.analyser.golang.handed import handed
from autodeploy.analyser.golang.koanf import KoanfKeys, koanf_keys
from autodeploy.analyser.golang.syntax import Call, GoFile, descendants, line_of, path_of, string_of, text_of
from autodeploy.analyser.golang.tables import tabled
from autodeploy.analyser.golang.tagged import nested, prefixes, processed_prefix, tagged
from autodeploy.analyser.golang.viper import ViperKeys, viper_keys
from autodeploy.analyser.golang.wrappers import Wrapper, field_default, find_wrappers, keyed_defaults, target

_VARIABLE = re.compile(r"^[A-Z](?:[A-Z0-9_]*[A-Z0-9])?$")
_STANDARD = frozenset({"os.Getenv", "os.LookupEnv", "syscall.Getenv"})
_HELPER = re.compile(r"env", re.IGNORECASE)
_NO_HELPER = re.compile(r"envvars|setenv|unset|bindenv|prefix|expand|replacer|clearenv|hasenv", re.IGNORECASE)
_DEMANDS = re.compile(r"must|require", re.IGNORECASE)
_CONSTANT = re.compile(r"^[a-z]\w*\.[A-Z]\w*$")
"""What a package exports, as others name it; a field of a variable looks the same, and has no value that is known."""

_MAX_DEPTH = 4


@dataclass(frozen=True)
class Read:
    """One place that reads a variable. `default` is the literal that stands in for it, None for none in sight."""

    name: str
    default: str | None
    is_required: bool
    file: str
    line: int
    default_line: int = 0
    node_id: int = 0
    field: str = ""
    """The struct's field that holds the value."""

    default_file: str = ""
    """Where the default stands, where that is another file."""


@dataclass(frozen=True)
class Flow:
    """What values are made of: names given once, functions, and the reads of the environment among their parts."""

    known: Mapping[str, Node]
    functions: Mapping[str, Node]
    reads: Mapping[int, Read]
    all_reads: Sequence[Read] = ()
    fields: Mapping[str, Read] = made(default_factory=dict)
    """Reads into a struct, by the name of the field, where that is of one struct alone."""

    def within(self, node: Node) -> Iterator[Read]:
        """Yield the reads that a value is made from, through names and functions of the program, near ones first."""
        waiting, seen = [(node, 0)], set[str]()
        while waiting:
            current, depth = waiting.pop(0)
            for part in descendants(current):
                if part.id in self.reads:
                    yield self.reads[part.id]
                elif part.type == "field_identifier" and text_of(part) in self.fields:
                    yield self.fields[text_of(part)]
                elif part.type == "identifier" and depth < _MAX_DEPTH and (name := text_of(part)) not in seen:
                    seen.add(name)
                    further = (self.known.get(name), self.functions.get(name))
                    waiting += [(node, depth + 1) for node in further if node is not None]

    def exactly(self, node: Node | None) -> Read | None:
        """Return the read that a value is, and nothing else."""
        for _ in range(_MAX_DEPTH):
            if node is None or node.id in self.reads:
                break
            if node.type == "selector_expression" and (field := node.child_by_field_name("field")) is not None:
                return self.fields.get(text_of(field))
            node = self.known.get(text_of(node)) if node.type == "identifier" else None
        return self.reads.get(node.id) if node is not None else None


def flow(files: Sequence[GoFile]) -> Flow:
    """Return the flow of values through the program's files."""
    known = constants(files)
    functions = {}
    for file in files:
        for node in file.nodes("function"):
            name, body = node.child_by_field_name("name"), node.child_by_field_name("body")
            if node.type == "function_declaration" and name is not None and body is not None:
                functions[text_of(name)] = body
    reads = read_variables(files, known)
    counted = Counter(read.field for read in reads if read.field)
    fields = {read.field: read for read in reads if counted[read.field] == 1}
    return Flow(known, functions, {read.node_id: read for read in reads if read.node_id}, reads, fields)


def constants(files: Sequence[GoFile]) -> dict[str, Node]:
    """Return what names are given once and for all, by name; a name that has several values has none."""
    found: dict[str, Node | None] = {}
    for file in files:
        for name, value in file.values():
            same = name in found and (found[name] is None or text_of(found[name] or value) != text_of(value))
            found[name] = None if same else value
    return {name: node for name, node in found.items() if node is not None}


def read_variables(files: Sequence[GoFile], known: Mapping[str, Node]) -> list[Read]:
    """Return all reads of the environment, in the order of the files."""
    found = []
    asking = _Asking(files, known, find_wrappers(files, _standard), keyed_defaults(files))
    before, viper, koanf = prefixes(files), viper_keys(files, known), koanf_keys(files)
    structs = nested(files)
    sources = [keys for keys in (viper, koanf) if keys is not None]
    for file in files:
        processed_here = processed_prefix(file)
        for call in file.calls:
            if read := asking.read(file, call):
                found.append(_stood_in(files, call, read))
            else:
                found += [read for keys in sources for read in _configured(files, file, call, keys, known)]
        for node in file.nodes("tagged"):
            processed = structs.before(node) if structs.own else processed_here
            for name, default, demanded, line in tagged(file, node, before, processed, viper is not None):
                called = node.child_by_field_name("name")
                given = _set(viper, name, default)
                field = text_of(called) if called is not None else ""
                found.append(Read(name, given, demanded, file.path, line, line, field=field))
        found += _of_flags(file, known)
    for file, field, (name, default, demanded, line) in configured(files, known):
        found.append(Read(name, default, demanded, file.path, line, line, field=field))
    for file, name, preset, line in tabled(files):
        found.append(Read(name, literal(preset, {}), False, file.path, line, line_of(preset) if preset else line))
    return found


def _stood_in(files: Sequence[GoFile], call: Call, read: Read) -> Read:
    """Return a read of a name that is fixed, with the default that callers of its function hand on."""
    is_open = read.default in {None, "", ":"}  # `return ":" + port` begins with a literal
    given = handed(files, call) if is_open and call.name in _STANDARD else None
    if given is None:
        return read
    return replace(
        read,
        default=literal(given, {}), is_required=False, default_line=line_of(given), default_file=path_of(given, files),
    )  # fmt: skip


def _standard(_: GoFile, call: Call) -> Node | None:
    return call.arguments[0] if call.name in _STANDARD and call.arguments else None


@dataclass(frozen=True)
class _Asking:
    """What tells that a call reads the environment, and which default it has."""

    files: Sequence[GoFile]
    known: Mapping[str, Node]
    wrappers: Mapping[str, Wrapper]
    keyed: Mapping[str, Node]

    def read(self, file: GoFile, call: Call) -> Read | None:
        """Return the read that a call is; None where it is none."""
        wrapper = self.wrappers.get(call.method)
        if call.name not in _STANDARD and wrapper is not None:
            return self._wrapped(file, call, wrapper)
        name = _variable(call, self.known)
        return _read(file, call, name, self.known) if name else None

    def _wrapped(self, file: GoFile, call: Call, wrapper: Wrapper) -> Read | None:
        named = wrapper.name(call)
        name = literal(named, self.known) if isinstance(named, Node) else None
        if not isinstance(named, Node) or name is None or not _VARIABLE.match(name):
            return None
        given, fields = wrapper.default(call), target(call)
        further = (self.keyed.get((string_of(item) or "").lower()) for item in call.arguments)
        given = given or next((node for node in further if node is not None), None)
        given = field_default(self.files, fields[-2:]) if given is None and fields else given
        default = literal(given, self.known)
        demands = bool(_DEMANDS.search(call.method))
        line = line_of(given) if given is not None and default is not None else call.line
        where = path_of(given, self.files) if given is not None and default is not None else ""
        is_demanded, field = demands and default is None, fields[-1] if fields else ""
        return Read(name, default, is_demanded, file.path, call.line, line, call.node.id, field, where)


def _set(keys: ViperKeys | None, name: str, default: str | None) -> str | None:
    given = keys.defaults.get(name.lower()) if keys is not None and default is None else None
    return literal(given, {}) if given is not None else default


def _configured(
    files: Sequence[GoFile], file: GoFile, call: Call, keys: ViperKeys | KoanfKeys, known: Mapping[str, Node]
) -> Iterator[Read]:
    key = literal(keys.key(file, call), known)
    name = keys.variable(key) if key is not None else ""
    if key is not None and _VARIABLE.match(name):
        given = keys.defaults.get(key.lower())
        line = line_of(given) if given is not None else call.line
        where = path_of(given, files) if given is not None else ""
        yield Read(name, literal(given, known), False, file.path, call.line, line, call.node.id, default_file=where)


def _of_flags(file: GoFile, known: Mapping[str, Node]) -> Iterator[Read]:
    """Read the variables of urfave/cli's flags: EnvVars: []string{"PORT"}, Sources: cli.EnvVars("PORT")."""
    if not any(path.startswith("github.com/urfave/cli") for path in file.imported()):
        return
    for node in file.nodes("field"):
        key, value = node.child_by_field_name("key"), node.child_by_field_name("value")
        if key is None or value is None or text_of(key) not in {"EnvVars", "EnvVar", "Sources"} or node.parent is None:
            continue
        around = {
            text_of(name): part for part in node.parent.named_children if (name := part.child_by_field_name("key"))
        }
        given = around["Value"].child_by_field_name("value") if "Value" in around else None
        given = given.named_children[0] if given is not None and given.named_children else given
        for part in descendants(value):
            variable = (string_of(part) or "").partition(",")[0]
            if _VARIABLE.match(variable):
                demanded = "Required" in around and text_of(around["Required"]).endswith("true")
                yield Read(variable, literal(given, known), demanded, file.path, line_of(part), line_of(given or part))


def literal(node: Node | None, known: Mapping[str, Node]) -> str | None:
    """Return a string's or number's value, through a name that is given once."""
    for _ in range(_MAX_DEPTH):
        if node is None:
            return None
        if node.type == "int_literal":
            return text_of(node)
        if node.type == "selector_expression" and _CONSTANT.match(text_of(node)):
            node = known.get(text_of(node).rpartition(".")[2])
        elif node.type == "identifier":
            node = known.get(text_of(node))
        else:
            return string_of(node)
    return None


def _variable(call: Call, known: Mapping[str, Node]) -> str | None:
    if call.name not in _STANDARD and not (_HELPER.search(call.name) and not _NO_HELPER.search(call.name)):
        return None
    name = literal(call.arguments[0], known) if call.arguments else None
    if name is None or (call.name not in _STANDARD and not _VARIABLE.match(name)):
        return None
    return name


def _read(file: GoFile, call: Call, name: str, known: Mapping[str, Node]) -> Read:
    if call.name in _STANDARD:
        given, demands = tested(file, call)
        given = alternative(call) or given
    else:
        given = call.arguments[1] if len(call.arguments) > 1 else None
        demands = bool(_DEMANDS.search(call.method))
    default = literal(given, known)
    line = line_of(given) if given is not None and default is not None else call.line
    return Read(name, default, demands and default is None, file.path, call.line, line, call.node.id)
