"""Which kind of database the program opens where nobody tells it: by variables, fields, files. SQLite is none."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence

from tree_sitter import Node

from autodeploy.analyser.golang.configuration import Setting
from autodeploy.analyser.golang.packages import Code
from autodeploy.analyser.golang.reads import Read, constants, literal
from autodeploy.analyser.golang.syntax import Call, GoFile, descendants, line_of, string_of, text_of
from autodeploy.model import Evidence

_VARIABLE = re.compile(r"(?:DB|DATABASE|SQL|STORAGE)_?(?:TYPE|ENGINE|KIND)$|(?:DIALECT|DRIVER)$")
_FIELD = re.compile(r"^(?:(?:DB|Db|Database|SQL)_?)?(?:Dialect|Driver|DriverName|Engine|Type|Kind)$")
_KEY = re.compile(r"(?:db|database|sql|storage|store)[\w.-]*?[._-]?(?:type|driver|dialect|engine|dsn|ur[il])$", re.I)
_BY_NAME = re.compile(r"(?:sql|sqlx|gorm|dbr|xorm|otelsql|apmsql)\S*\.(?:Must)?(?:Open|Connect|NewEngine)\w*$")
_WORDS = {"postgres": "postgresql", "pgx": "postgresql", "mysql": "mysql", "mariadb": "mysql", "mongo": "mongodb"}
_SQLITE = re.compile(r"[\"`]sqlite3?[\"`]")
_EMBEDDED = ("sqlite", "file", "memory", "bolt")


def preset_dialect(
    code: Code, files: Sequence[GoFile], settings: Sequence[Setting], reads: Sequence[Read]
) -> Evidence | None:
    """Return the dialect that the program uses where nobody says another: a variable's default, a file's value."""
    for read in reads:
        if _VARIABLE.search(read.name) and (kind := _dialect(read.default or "")):
            where = code.tree.where(read.file)
            return _evidence(kind, where, read.default_line, "dialect-default")
    for setting in settings:
        if setting.is_dialect and (kind := _dialect(setting.value)):
            return _evidence(kind, setting.file, setting.line, "configuration")
    return next(_in_code(code, files), None)


def named_sqlite(code: Code, files: Sequence[GoFile]) -> Evidence | None:
    """Return where the program names SQLite as one of its choices; None where it chooses by no name."""
    for file in files:
        text = code.tree.read(file.path)
        if match := _SQLITE.search(text):
            line = text.count("\n", 0, match.start()) + 1
            return _evidence("none", code.tree.where(file.path), line, "embedded-driver").but(confidence="likely")
    return None


def opened_dialects(files: Sequence[GoFile]) -> list[str]:
    """Return the kinds that are opened by the name of their dialect: sql.Open("postgres", …)."""
    calls = [call for file in files for call in file.calls if _BY_NAME.search(call.name) and call.arguments]
    return [kind for call in calls if (kind := _dialect(string_of(call.arguments[0]) or "")) and kind != "none"]


def _in_code(code: Code, files: Sequence[GoFile]) -> Iterator[Evidence]:
    known: Mapping[str, Node] | None = None
    for file in files:
        where = code.tree.where(file.path)
        for node in file.nodes("field"):
            key, value = node.child_by_field_name("key"), node.child_by_field_name("value")
            given = value.named_children[0] if value is not None and value.named_children else value
            if key is not None and _FIELD.match(text_of(key)) and (kind := _dialect(string_of(given) or "")):
                yield _evidence(kind, where, line_of(node), "field-default")
        for call in file.calls:
            if kind := _default_of(call):
                yield _evidence(kind, where, call.line, "default")
        for name, given in file.values() if '== ""' in code.tree.read(file.path) else ():
            if _KEY.search(name) and _is_for_empty(given):
                known = known or constants(files)
                if kind := _first(given, known):
                    yield _evidence(kind, where, line_of(given), "default")


def _default_of(call: Call) -> str:
    """Return the dialect of SetDefault("database.type", "sqlite"), or of DatabaseType.setDefault("sqlite")."""
    if call.method.lower() != "setdefault" or not call.arguments:
        return ""
    key = string_of(call.arguments[0]) if len(call.arguments) > 1 else call.operand
    return _dialect(string_of(call.arguments[-1]) or "") if key and _KEY.search(key) else ""


def _is_for_empty(node: Node) -> bool:
    """Tell whether a value is given where there is none yet: within `if x == "" {…}`."""
    current, depth = node.parent, 0
    while current is not None and current.type != "if_statement" and depth < 5:
        current, depth = current.parent, depth + 1
    condition = current.child_by_field_name("condition") if current is not None else None
    return condition is not None and '== ""' in text_of(condition)


def _first(node: Node, known: Mapping[str, Node]) -> str:
    texts = (literal(part, known) for part in descendants(node))
    return next((kind for text in texts if text and (kind := _dialect(text))), "")


def _dialect(value: str) -> str:
    if value.lower().startswith(_EMBEDDED):
        return "none"
    return next((kind for word, kind in _WORDS.items() if value.lower().startswith(word)), "")


def _evidence(kind: str, file: str, line: int, rule: str) -> Evidence:
    return Evidence(fact="database_type", value=kind, file=file, line=line, rule=rule)
