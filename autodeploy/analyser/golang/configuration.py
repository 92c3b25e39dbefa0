"""Files that the program reads its settings from: the committed ones with their values, and those that are missing."""

from __future__ import annotations

import configparser
import posixpath
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from tree_sitter import Node

from autodeploy.analyser.documents import Entry, from_json, from_toml, from_yaml
from autodeploy.analyser.golang.reads import literal
from autodeploy.analyser.golang.syntax import Call, GoFile, descendants, line_of, path_of
from autodeploy.analyser.golang.viper import viper_keys
from autodeploy.analyser.tree import Tree
from autodeploy.model import Unknown

_FILE = re.compile(r"^(?:\./)?[\w./-]+\.(?:ya?ml|toml|json|ini|conf|env)$|^(?:\./)?\.env[\w.]*$")
_READS = re.compile(
    r"(?:SetConfigFile|ReadConfig|LoadConfig|ParseConfig|DecodeFile|LoadFile|LoadConfiguration|ini\.(?:Load|MapTo)|"
    r"configor\S*\.Load|godotenv\.(?:Load|Overload|Read)|os\.(?:Open|ReadFile)|ioutil\.ReadFile|file\.Provider|"
    r"(?:flag|pflag|Flags\(\))\.String\w*|NewConfig|InitConfig|GetConfig)$",
    re.IGNORECASE,
)
_READERS = ("config", "file", "configuration", "load", "mapto", "read", "open", "provider", "string", "stringp",
            "stringvar", "stringvarp")  # fmt: skip
"""How the names of such calls end, in small letters."""

_FLAGS = frozenset({"config", "conf", "config-file", "c"})
_EMBED = re.compile(r"^//go:embed\s+(.+)$", re.MULTILINE)
_CARRIED = re.compile(r"^(?:app|conf|config|defaults?|settings|server)[\w.-]*\.(?:ini|conf|toml|ya?ml|json)$")
_USUAL = ("production", "prod", "default", "config", "development", "dev", "local")
"""Names that files of settings have where the program is told which one to take."""

_ENDINGS = ("yaml", "yml", "toml", "json", "env", "ini")
_NO_PORT = re.compile(
    r"db|database|postgres|psql|pg|mysql|maria|mongo|redis|mail|smtp|grpc|metric|pprof|debug|admin|nats|rabbit|amqp|kafka"
    r"|jaeger|otel|elastic|memcache|consul|etcd|sql|client|gateway|proxy|tls|ssl|https|secure|trace"
)
_PORT = re.compile(
    r"^(?:(?:http|server|app|api|web|rest|listen|service|bind)[_-]?)*(?:port|addr|addrs|address|listen|bind)$"
)
_DIALECT = re.compile(r"^(?:(?:db|database|sql)[_-]?)?(?:type|dialect|driver|driver_?name|engine)$")


@dataclass(frozen=True)
class Setting:
    """One value of a file: `names` lead to it, in small letters."""

    names: tuple[str, ...]
    value: str
    file: str
    line: int

    @property
    def is_port(self) -> bool:
        """Tell whether it says where the program listens."""
        return bool(_PORT.match(self.names[-1])) and not any(map(_NO_PORT.search, self.names))

    @property
    def is_dialect(self) -> bool:
        """Tell whether it says which kind of database is used."""
        around = self.names[-2] if len(self.names) > 1 else self.names[-1]
        return bool(_DIALECT.match(self.names[-1])) and bool(re.search(r"db|database|sql|storage|store|gorm", around))


def named_files(tree: Tree, files: Sequence[GoFile], known: Mapping[str, Node]) -> tuple[str, ...]:
    """Return the paths of the files that the program reads its settings from, there or not."""
    return tuple(dict.fromkeys((*_named(tree, files, known), *_embedded(tree, files))))


def read_settings(tree: Tree, named: Sequence[str]) -> tuple[Setting, ...]:
    """Return the values of the committed ones of the named files, else of their examples; near ones first."""
    there = [path for path in named if path in tree.index]
    there = there or [name for path in named if not path.endswith(".env") for name in _examples(path)]
    found = [setting for path in there if path in tree.index for setting in _values(tree, path)]
    return tuple(sorted(found, key=lambda setting: len(setting.names)))


def told_to_viper(
    tree: Tree, files: Sequence[GoFile], known: Mapping[str, Node], settings: Sequence[Setting]
) -> Iterator[tuple[str, Setting]]:
    """Yield what files and defaults tell viper, each with the variable that goes before it."""
    keys = viper_keys(files, known)
    if keys is None:
        return
    defaults = (
        Setting(tuple(name.split(".")), literal(node, known) or "", tree.where(path_of(node, files)), line_of(node))
        for name, node in keys.defaults.items()
    )
    for setting in (*settings, *defaults):
        if variable := keys.stands_for(setting.names):
            yield variable, setting


def missing_settings(tree: Tree, named: Sequence[str], asks_environment: bool) -> list[Unknown]:
    """Tell of the named files of which only an example is committed.

    `asks_environment`: what a .env file would say may come from the environment.
    """
    if any(path in tree.index and not path.endswith(".env") for path in named):
        return []
    told = []
    for path in named:
        example = next((name for name in _examples(path) if name in tree.index), None)
        is_given = asks_environment and posixpath.basename(path).startswith(".env")
        if path not in tree.index and example and not is_given:
            message = f"the program reads {tree.where(path)}, of which only {tree.where(example)} is committed"
            told.append(Unknown(fact="configuration", message=message))
    return told


def _named(tree: Tree, files: Sequence[GoFile], known: Mapping[str, Node]) -> Iterator[str]:
    names, folders, kinds = [], [""], list(_ENDINGS)
    for file in files:
        for call in file.calls:
            is_reader = call.method.lower().endswith(_READERS) and bool(_READS.search(call.name))
            given = _given(call, known) if call.method.startswith(("String", "Set", "Add")) or is_reader else []
            if call.method.startswith("String") and given and given[0] in _FLAGS:
                is_reader = True
            if not is_reader and call.method not in {"SetConfigName", "AddConfigPath", "SetConfigType"}:
                continue
            if call.method == "SetConfigName":
                names += [given[0]] if given and given[0] else list(_USUAL)
            elif call.method == "AddConfigPath" and given and given[0]:
                folders.append(posixpath.normpath(given[0]).strip("."))
            elif call.method == "SetConfigType" and given and given[0]:
                kinds.insert(0, given[0])
            elif is_reader:
                yield from (posixpath.normpath(text) for text in given if text and _FILE.match(text))
    for name in names:
        for folder in dict.fromkeys(folders):
            paths = [posixpath.join(folder, f"{name}.{kind}") for kind in dict.fromkeys(kinds)]
            paths.append(posixpath.join(folder, name))
            yield from (path for path in paths if path in tree.index or path == paths[0])


def _given(call: Call, known: Mapping[str, Node]) -> list[str | None]:
    """Return the literal arguments; of a list of names, the first."""
    lists = (item.named_children[-1:] if item.type == "composite_literal" else [item] for item in call.arguments[:3])
    return [next((text for part in descendants(item) if (text := literal(part, known))), None)
            if item.type == "literal_value" else literal(item, known) for items in lists for item in items]  # fmt: skip


def _embedded(tree: Tree, files: Sequence[GoFile]) -> Iterator[str]:
    """Yield the files of settings that the binary carries: they are what holds where nobody says otherwise."""
    for file in files:
        text = tree.read(file.path)
        for match in _EMBED.finditer(text) if "//go:embed" in text else ():
            for name in match[1].split():
                path = posixpath.normpath(posixpath.join(posixpath.dirname(file.path), name))
                if _CARRIED.match(posixpath.basename(path)) and path in tree.index:
                    yield path


def _examples(path: str) -> Iterator[str]:
    folder, name = posixpath.split(path)
    stem, _, ending = name.rpartition(".")
    for word in ("example", "sample", "dist", "template", "default"):
        for other in (f"{name}.{word}", f"{stem}.{word}.{ending}", f"{stem}-{word}.{ending}", f"{word}.{ending}"):
            yield posixpath.join(folder, other)
        yield posixpath.join(folder, f"{stem}_{word}.{ending}")


def _values(tree: Tree, path: str) -> Iterator[Setting]:
    text, where = tree.read(path), tree.where(path)
    ending = path.rsplit(".", 1)[-1]
    if ending in {"yaml", "yml", "json", "toml"}:
        parse = {"json": from_json, "toml": from_toml}.get(ending, from_yaml)
        yield from _leaves(parse(text), (), where)
    elif ending in {"ini", "conf"}:
        yield from _ini(text, where)
    else:
        for number, line in tree.lines(path):
            if match := re.match(r"^(?:export\s+)?([A-Za-z_]\w*)\s*=\s*[\"']?([^\"'\n]*)", line):
                yield Setting((match[1].lower(),), match[2].strip(), where, number)


def _leaves(entry: Entry, names: tuple[str, ...], where: str) -> Iterator[Setting]:
    for name, part in entry.items():
        if part.text:
            yield Setting((*names, name.lower()), part.text, where, part.line)
        elif len(names) < 3:
            yield from _leaves(part, (*names, name.lower()), where)


def _ini(text: str, where: str) -> Iterator[Setting]:
    parser = configparser.ConfigParser(interpolation=None, strict=False, allow_no_value=True)
    try:
        parser.read_string("[DEFAULT]\n" + text)
    except configparser.Error:
        return
    for section in ("DEFAULT", *parser.sections()):
        for name, value in parser[section].items():
            line = next((n for n, said in enumerate(text.splitlines(), 1) if _says(said, name, value or "")), 0)
            yield Setting((section.lower(), name.lower()), value or "", where, line)


def _says(line: str, name: str, value: str) -> bool:
    key, _, rest = line.partition("=")
    return key.strip().lower() == name and rest.strip() == value
