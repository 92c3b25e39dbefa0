"""Chooses the port and the variable that sets it: what the code listens on."""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator, Mapping, Sequence

from tree_sitter import Node

from autodeploy.analyser.nodejs import jsonc
from autodeploy.analyser.nodejs.code import Module, arguments, line, literal, pair, text
from autodeploy.analyser.nodejs.environment import port_reads
from autodeploy.analyser.nodejs.options import PortOption
from autodeploy.analyser.nodejs.start import Start
from autodeploy.analyser.ports import file_hints, port_hint, process_hints, settle_port
from autodeploy.analyser.procfile import Process
from autodeploy.analyser.toml import line_of
from autodeploy.analyser.tree import Tree
from autodeploy.model import EnvironmentVariable, Evidence

DEFAULT = 3000
_DEFAULTS = {"astro": 4321, "adonis": 3333, "parse-server": 1337, "sails": 1337}
"""Where a framework listens by its own default: not on 3000."""

_READ_PORT = frozenset({"next", "nuxt", "remix", "react-router", "sveltekit", "astro", "adonis"})
"""Frameworks whose own servers read PORT."""

_OF_OTHERS = re.compile(
    r"^(DB|DATABASE|PG|POSTGRES(QL)?|MYSQL|MARIADB|MONGO(DB)?|SQL|REDIS|CACHE|SMTP|MAIL(ER)?|EMAIL|RABBIT(MQ)?|AMQP|KAFKA"
    r"|ELASTIC(SEARCH)?|MEMCACHED?|MQTT|STATSD|GRAPHITE|SYSLOG|LOG(STASH)?|PROXY|DEBUG|INSPECT|METRICS?|TEST|VITE|S3|MINIO"
    r"|PROMETHEUS|EXPORTER|ADMIN|HMR|LDAP|FTP|SFTP|SSH|JAEGER|CLICKHOUSE|TUNNEL|HTTPS|SSL|TLS|WS|GRPC|QUEUE|CLIENT|FRONTEND)(_|$)|_(DB|REDIS|SMTP|HTTPS|EXPORTER|METRICS|HMR|HOST)_"
)
"""Ports of what is called, and of what listens beside the application."""

_VARIABLES = re.compile(r"^(|APP_|SERVER_|HTTP_|NODE_|API_|WEB_|LISTEN_|SERVICE_|EXPRESS_|BACKEND_)PORT$")
_CALLS = '(call_expression function: (member_expression property: (property_identifier) @by) (#eq? @by "listen")) @call'


def detect_port(
    tree: Tree,
    modules: Sequence[Module],
    web: Process | None,
    overrides: Mapping[str, str],
    start: Start,
    framework: str | None,
    is_program: bool = True,
    option: PortOption | None = None,
) -> tuple[int, str | None, Evidence]:
    """Return the port, the variable that sets it (None: it is fixed in the code), and why.

    `is_program`: a file of the repository is started, and not a command of its framework's.
    """
    if start.server is not None:
        port, because = settle_port((), DEFAULT, overrides)
        return port, "PORT", because
    # A framework's own server is told its port: what other files listen on is not where the application does.
    modules = () if framework in _READ_PORT and not is_program else modules
    reads = _reads(modules, framework)
    named = list(_named(start))
    fixed = (
        [option.hint] if option else [] if reads or named else [hint for module in modules for hint in _fixed(module)]
    )
    hints = itertools.chain(process_hints(web), named, _read_hints(reads), fixed, _configured(tree), file_hints(tree))
    port, because = settle_port(hints, _DEFAULTS.get(framework or "", DEFAULT), overrides)
    is_fixed = bool(fixed and not option and because.rule == "code") or (
        bool(named) and because.rule == "start-command"
    )
    variable = None if is_fixed else reads[0].name if reads else "PORT"
    return port, variable, because


def _reads(modules: Sequence[Module], framework: str | None) -> list[EnvironmentVariable]:
    """Return the reads of the variable that the application's own port is likeliest given by, PORT before others."""
    reads = list(port_reads(modules))
    own = [read for read in reads if _VARIABLES.match(read.name)]
    if not own and framework not in _READ_PORT:
        # Whatever is no part of another service's address is the application's own.
        own = [read for read in reads if not _OF_OTHERS.search(read.name)]
    return sorted(own, key=lambda read: read.name != "PORT")


def _named(start: Start) -> Iterator[Evidence]:
    """Yield the port that the start command fixes: `next start -p 4000`."""
    match = re.search(r"(?:\s-p|--port|\bPORT=)[= ]?(\d{2,5})\b", start.line)
    if match:
        yield port_hint(int(match[1]), start.evidence.file, start.evidence.line, "start-command")


def _configured(tree: Tree) -> Iterator[Evidence]:
    """Yield the port in the file that the package `config` reads, or in Feathers's."""
    file = "config/default.json"
    value = jsonc.table(tree.read(file)).get("port") if file in tree.index else None
    if isinstance(value, int | str) and re.fullmatch(r"\d{2,5}", str(value)):
        yield port_hint(int(value), tree.where(file), line_of(tree.read(file), '"port"'), "configuration")


def listens(modules: Sequence[Module]) -> bool:
    """Tell whether the code opens a socket for others to call."""
    opens = re.compile(rb"\.listen\(|createServer\(|Bun\.serve\(|\bserve\(")
    return any(opens.search(module.text) for module in modules)


def _read_hints(reads: Sequence[EnvironmentVariable]) -> Iterator[Evidence]:
    for read in reads:
        if read.default and re.fullmatch(r"\d{2,5}", read.default):
            yield port_hint(int(read.default), read.file, read.line, "code")


def _fixed(module: Module) -> Iterator[Evidence]:
    """Yield the literal ports that are listened on, through a constant of the same file too."""
    for row in module.matches(_CALLS):
        given = arguments(row["call"])
        value = (pair(given[0], "port") or given[0]) if given else None
        if value is not None and value.type == "identifier":
            value = _constant(module, text(value))
        number = literal(value) or ""
        if value is not None and re.fullmatch(r"\d{2,5}", number):
            yield port_hint(int(number), module.where, line(value), "code")


def _constant(module: Module, name: str) -> Node | None:
    pattern = "(variable_declarator name: (identifier) @name value: (_) @value)"
    return next((row["value"] for row in module.matches(pattern) if text(row["name"]) == name), None)
