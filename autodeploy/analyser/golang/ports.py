"""Finds the port and what sets it: a variable, gin's own, a flag, an address in a variable; else a literal."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from tree_sitter import Node

from autodeploy.analyser import hints, ports
from autodeploy.analyser.golang.configuration import Setting, told_to_viper
from autodeploy.analyser.golang.frameworks import framework_of, starts
from autodeploy.analyser.golang.reads import Flow, Read, literal
from autodeploy.analyser.golang.syntax import Call, GoFile, descendants, line_of, root_of, string_of, text_of
from autodeploy.analyser.tree import Tree
from autodeploy.model import Evidence

DEFAULT = 8080
_OWN = r"(?:APP|APPLICATION|SERVER|HTTP|WEB|API|LISTEN|SERVICE|REST|BACKEND|BIND|GIN|ECHO|FIBER)"
_PORT_VARIABLE = re.compile(rf"^(?:{_OWN}_)*PORT$")
_ADDRESS_VARIABLE = re.compile(
    rf"^(?:{_OWN}_?)*(?:ADDR|ADDRESS|LISTEN|LISTENER|BIND|(?:LISTEN|BIND)_?(?:HTTP|ADDR(?:ESS)?)|HTTP_LISTEN)$"
)
_FLAG = re.compile(
    r"^(?:port|p|addr|address|listen|bind|(?:http|listen|server|bind|web|api)(?:[-._]?(?:port|addr|address))?)$", re.I
)
_ADDRESS = re.compile(r"^(?:[\w.\-\[\]:]*:)?(\d{2,5})$")
_FOREIGN = re.compile(
    r"(?:^|_)(?:DB|DATABASE|PG|PGSQL|POSTGRES\w*|MYSQL|MARIADB|MONGO\w*|REDIS|SMTP|MAIL\w*|EMAIL|RABBIT\w*|RMQ|AMQP|KAFKA"
    r"|NATS|GRPC|METRICS?|PROMETHEUS|PPROF|DEBUG|ADMIN|ELASTIC\w*|ES|JAEGER|OTEL|TLS|SSL|HTTPS|SQL|LDAP|SSH|FTP|CACHE|TURN|STUN|RTC|UDP)_"
)
"""Words in names of ports that are others', or not the one that people are served on."""

_SPOKEN = re.compile(r"PORT|ADDR|LISTEN|BIND|HOST|URL|ENDPOINT|SERVER")
_SHARED = 4
"""How many variables share a prefix that is the program's own."""

_ASIDE = re.compile(r"debug|pprof|metric|profil|admin|grpc|redirect", re.IGNORECASE)
_FLAG_CALL = re.compile(
    r"^(?:flag|github\.com/spf13/pflag)\.(?:String|Int|Uint)(?:Var)?P?$"
    r"|\.(?:Persistent)?Flags\(\)\.(?:String|Int|Uint)\w*$|^(?:io/)?\w+\.(?:String|Int|Uint)(?:Var)?P?$"
)
_KEYS = frozenset({"Port", "HTTPPort", "Addr", "Address", "ListenAddr", "ListenAddress"})
_SERVED = re.compile(
    r"^(?:\w*(?:http|web|server|api)\.)?\w*(?:Config|Options|Settings)$(?<!^Config)|(?:HTTP|Web|Server)\w*Config\w*$"
)
_LITERALS = frozenset({"interpreted_string_literal", "raw_string_literal", "int_literal"})


@dataclass(frozen=True)
class Port:
    """Where the program listens. `variable` sets it, None where nothing does; `prefix` and `flag` pass it on."""

    number: int
    variable: str | None
    evidence: Evidence
    prefix: str = ""
    flag: str = ""


def detect_port(
    tree: Tree,
    files: Sequence[GoFile],
    reads: Sequence[Read],
    flow: Flow,
    settings: Sequence[Setting],
    arguments: str,
    overrides: Mapping[str, str],
) -> Port:
    """Return the port; raise AnalysisError when the flag's cannot be used."""
    methods = starts(files)
    listened = [(file, node) for file in files for node in _listened_in(file, methods)]
    # What listens in a file without HTTP speaks something else, where another file does speak it.
    spoken = [(file, node) for file, node in listened if methods or "net/http" in file.imported()]
    listened = spoken or listened
    files_by_root = {root.id: file for file in files for node in file.nodes("package") if (root := node.parent)}
    literals = [hint for _, node in listened for hint in _port_of(node, tree, files_by_root, flow.known)]
    ways = [
        *_traced(tree, listened, flow),
        *_variables(tree, reads),
        *_of_gin(tree, files),
        *_flags(tree, files, flow.known),
        *_of_viper(tree, files, flow.known, settings),
    ]
    if re.search(r"\$\{?PORT\b", arguments):
        ways.insert(0, _Way("PORT", None, None))
    way = ways[0] if ways else _Way(None, None, None)
    named = way.read.name if way.read else way.variable
    given = [*([way.hint] if way.hint else []), *(other.hint for other in ways[1:] if other.hint and other.flag)]
    given += [hint] if named and (hint := hints.value(tree, named)) and not way.hint else []
    given += literals if not given else []
    # Where nothing in the code sets the port, a literal in the code is where it listens; files only hint.
    number, evidence = ports.settle_port(
        [*given, *_set(settings), *_kept(tree, files), *ports.file_hints(tree)], DEFAULT, overrides
    )
    return Port(number, way.variable, evidence, way.prefix, way.flag)


@dataclass(frozen=True)
class _Way:
    """One way to set the port."""

    variable: str | None
    hint: Evidence | None
    read: Read | None
    prefix: str = ""
    flag: str = ""


def _set(settings: Sequence[Setting]) -> Iterator[Evidence]:
    for setting in settings:
        if setting.is_port and (match := _ADDRESS.match(setting.value)):
            yield ports.port_hint(int(match[1]), setting.file, setting.line, "configuration")


def _of_viper(
    tree: Tree, files: Sequence[GoFile], known: Mapping[str, Node], settings: Sequence[Setting]
) -> Iterator[_Way]:
    """Yield the variables that go before what a file, or a default, tells viper of the port."""
    for variable, setting in told_to_viper(tree, files, known, settings):
        if setting.is_port and (match := _ADDRESS.match(setting.value)):
            hint = ports.port_hint(int(match[1]), setting.file, setting.line, "configuration")
            is_number = setting.value == match[1]
            yield _Way(variable, hint, None) if is_number else _Way("PORT", hint, None, f"{variable}=127.0.0.1:$PORT")


def _kept(tree: Tree, files: Sequence[GoFile]) -> Iterator[Evidence]:
    """Yield the ports that the program's own settings are made with: `http.Config{Port: 8080}`."""
    for file in files:
        for node in file.nodes("field"):
            key, value = node.child_by_field_name("key"), node.child_by_field_name("value")
            made = node.parent.parent if node.parent else None
            kind = made.child_by_field_name("type") if made is not None and made.type == "composite_literal" else None
            if key is None or value is None or kind is None or text_of(key) not in _KEYS:
                continue
            match = _ADDRESS.match(literal(value.named_children[0] if value.named_children else value, {}) or "")
            if match and _SERVED.search(text_of(kind)) and int(match[1]) < 65536:
                yield ports.port_hint(int(match[1]), tree.where(file.path), line_of(node), "settings")


def _variables(tree: Tree, reads: Sequence[Read]) -> list[_Way]:
    numbers, addresses = [], []
    before = _own_prefix(reads)
    for read in reads:
        match = _ADDRESS.match(read.default or "")
        hint = _default_hint(tree, read, match)
        bare = read.name.removeprefix(before)
        if _is_port(read, bare) and not (read.default or "").startswith(":"):
            numbers.append(_Way(read.name, hint, read))
        elif _is_port(read, bare) or (_ADDRESS_VARIABLE.match(bare) and match):
            addresses.append(_Way("PORT", hint, read, prefix=f"{read.name}=127.0.0.1:$PORT"))
    # The conventional name first; of several reads of one variable the one with a default says more.
    usual = [way for way in numbers if _PORT_VARIABLE.match((way.variable or "").removeprefix(before).upper())]
    others = [way for way in numbers if way not in usual]
    return sorted(usual, key=_ranked) + (addresses + others if usual == [] else others + addresses)


def _default_hint(tree: Tree, read: Read, match: re.Match[str] | None) -> Evidence | None:
    if match is None:
        return None
    return ports.port_hint(int(match[1]), tree.where(read.default_file or read.file), read.default_line, "env-default")


def _ranked(way: _Way) -> tuple[bool, bool, bool]:
    name = way.variable or ""
    return name != "PORT", not _PORT_VARIABLE.match(name), way.hint is None


def _own_prefix(reads: Sequence[Read]) -> str:
    """Return the first word of a program's variables, where most of them share one: GOTIFY_."""
    names = {read.name for read in reads}
    counted = Counter(name.partition("_")[0] for name in names if "_" in name)
    word, count = counted.most_common(1)[0] if counted else ("", 0)
    is_own = count >= _SHARED and count * 2 > len(names) and not _FOREIGN.search(f"{word}_")
    return f"{word}_" if is_own else ""


def _is_port(read: Read, bare: str) -> bool:
    """Tell whether a variable holds the port: by a usual name, or by an own one with a port for default.

    `bare` is its name without the program's own prefix.
    """
    if _PORT_VARIABLE.match(read.name.upper()) or _PORT_VARIABLE.match(bare.upper()):
        return True
    is_own = read.name.endswith("_PORT") and not _FOREIGN.search(read.name)
    return is_own and re.fullmatch(r":?\d{4,5}", read.default or "") is not None


def _of_gin(tree: Tree, files: Sequence[GoFile]) -> Iterator[_Way]:
    for file in files:
        if any(framework_of(path) == "gin" for path in file.imported()):
            for call in file.calls:
                if call.method == "Run" and not call.arguments and call.operand:
                    hint = ports.port_hint(DEFAULT, tree.where(file.path), call.line, "gin-default")
                    yield _Way("PORT", hint, None)


def _flags(tree: Tree, files: Sequence[GoFile], known: Mapping[str, Node]) -> Iterator[_Way]:
    for file in files:
        for call in file.calls:
            if (
                not call.method.startswith(("String", "Int", "Uint"))
                or not _FLAG_CALL.search(call.name)
                or call.operand in {"zap", "slog", "log", "zerolog", "attribute"}
            ):
                continue
            given = [literal(argument, known) for argument in call.arguments]
            name = next((text for text in given[:2] if text and _FLAG.match(text)), None)
            default = next((text for text in given[1:] if text and text != name and _ADDRESS.match(text)), None)
            if name and default and (match := _ADDRESS.match(default)):
                value = "127.0.0.1:$PORT" if ":" in default else "$PORT"
                hint = ports.port_hint(int(match[1]), tree.where(file.path), call.line, "flag-default")
                yield _Way("PORT", hint, None, flag=f"--{name}={value}")


def _traced(tree: Tree, listened: Sequence[tuple[GoFile, Node]], flow: Flow) -> Iterator[_Way]:
    """Yield the variables that the address is made from; where nothing adds a colon, the value is a whole address."""
    for _, node in listened:
        reads = list(flow.within(node))
        reads = [read for read in reads if not _FOREIGN.search(read.name)]
        read = next((read for read in reads if "PORT" in read.name), reads[0] if reads else None)
        if read is None:
            continue
        match = _ADDRESS.match(read.default or "")
        hint = _default_hint(tree, read, match)
        if hint is None and not _SPOKEN.search(read.name):
            continue
        if flow.exactly(node) is not None:
            yield _Way("PORT", hint, read, prefix=f"{read.name}=127.0.0.1:$PORT")
        elif "PORT" in read.name:
            yield _Way(read.name, hint, read)


def _listened_in(file: GoFile, methods: frozenset[str]) -> Iterator[Node]:
    """Yield the values that say where the program listens."""
    for call in file.calls:
        if (given := _listened(call, methods)) and not _ASIDE.search(_function(call.node)):
            yield from given
    for node in file.nodes("field"):
        key, value = (node.child_by_field_name("key"), node.child_by_field_name("value"))
        made = node.parent.parent if node.parent else None
        kind = made.child_by_field_name("type") if made else None
        if (
            key is not None
            and value is not None
            and text_of(key) == "Addr"
            and kind
            and text_of(kind).endswith("Server")
        ):
            yield value.named_children[0] if value.named_children else value


def _function(node: Node) -> str:
    """Return the name of the function or method around a node."""
    current: Node | None = node
    while current is not None and current.type not in {"function_declaration", "method_declaration"}:
        current = current.parent
    name = current.child_by_field_name("name") if current is not None else None
    return text_of(name) if name is not None else ""


def _listened(call: Call, methods: frozenset[str]) -> Sequence[Node]:
    if call.method.startswith("ListenAndServe") or (call.operand and call.method in methods):
        return call.arguments[:1]
    is_network = call.name == "net.Listen" and (string_of(call.arguments[0]) or "tcp").startswith("tcp")
    return call.arguments[1:2] if is_network else ()


def _port_of(
    node: Node, tree: Tree, files: Mapping[int, GoFile], known: Mapping[str, Node], depth: int = 0
) -> Iterator[Evidence]:
    file = files.get(root_of(node).id)
    if file is None:
        return  # a broken file, which names no package
    for part in descendants(node):
        # A selector's last part may be a constant of another package: settings.Address.
        if part.type in {"identifier", "field_identifier"} and depth < 3 and text_of(part) in known:
            yield from _port_of(known[text_of(part)], tree, files, known, depth + 1)
        text = literal(part, {}) if part.type in _LITERALS else None
        match = _ADDRESS.match(text or "")
        if match and match[1] == "6060" and "net/http/pprof" in file.imported():
            continue  # the port of Go's profiler
        if match and part.parent is not None and part.parent.type != "index_expression" and int(match[1]) < 65536:
            yield ports.port_hint(int(match[1]), tree.where(file.path), line_of(part), "listens")
