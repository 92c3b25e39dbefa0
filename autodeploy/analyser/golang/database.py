"""The database by its driver, where the program imports it; SQLite is no server."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from functools import cache

from autodeploy.analyser import hints
from autodeploy.analyser.database import decided, overridden, variable_part
from autodeploy.analyser.golang.configuration import Setting
from autodeploy.analyser.golang.dialects import named_sqlite, opened_dialects, preset_dialect
from autodeploy.analyser.golang.packages import Code
from autodeploy.analyser.golang.reads import Flow, Read
from autodeploy.analyser.golang.syntax import GoFile
from autodeploy.model import DatabaseType, Evidence, Unknown

DRIVERS: dict[str, DatabaseType] = {
    "github.com/lib/pq": "postgresql",
    "github.com/jackc/pgx": "postgresql",
    "github.com/jackc/pgconn": "postgresql",
    "gorm.io/driver/postgres": "postgresql",
    "github.com/jinzhu/gorm/dialects/postgres": "postgresql",
    "github.com/go-pg/pg": "postgresql",
    "github.com/uptrace/bun/driver/pgdriver": "postgresql",
    "github.com/uptrace/bun/dialect/pgdialect": "postgresql",
    "github.com/golang-migrate/migrate/database/postgres": "postgresql",
    "github.com/golang-migrate/migrate/database/pgx": "postgresql",
    "github.com/golang-migrate/migrate/database/mysql": "mysql",
    "github.com/go-sql-driver/mysql": "mysql",
    "gorm.io/driver/mysql": "mysql",
    "github.com/jinzhu/gorm/dialects/mysql": "mysql",
    "github.com/ziutek/mymysql": "mysql",
    "github.com/go-mysql-org/go-mysql": "mysql",
    "go.mongodb.org/mongo-driver": "mongodb",
    "gopkg.in/mgo.v2": "mongodb",
    "github.com/globalsign/mgo": "mongodb",
    "github.com/qiniu/qmgo": "mongodb",
    "github.com/kamva/mgm": "mongodb",
}
SERVICES = {
    "github.com/redis/go-redis": "redis",
    "github.com/go-redis/redis": "redis",
    "github.com/gomodule/redigo": "redis",
    "github.com/redis/rueidis": "redis",
    "github.com/hibiken/asynq": "redis",
    "github.com/gocraft/work": "redis",
    "github.com/gofiber/storage/redis": "redis",
    "github.com/gin-contrib/sessions/redis": "redis",
    "github.com/go-redis/cache": "redis",
    "github.com/mediocregopher/radix": "redis",
    "github.com/rabbitmq/amqp091-go": "rabbitmq",
    "github.com/streadway/amqp": "rabbitmq",
    "github.com/segmentio/kafka-go": "kafka",
    "github.com/IBM/sarama": "kafka",
    "github.com/Shopify/sarama": "kafka",
    "github.com/twmb/franz-go": "kafka",
    "github.com/confluentinc/confluent-kafka-go": "kafka",
    "github.com/nats-io/nats.go": "nats",
    "github.com/olivere/elastic": "elasticsearch",
    "github.com/opensearch-project/opensearch-go": "elasticsearch",
    "github.com/elastic/go-elasticsearch": "elasticsearch",
    "github.com/bradfitz/gomemcache": "memcached",
}
_MAJOR = re.compile(r"/v\d+(?=/|$)")
_SCHEMES: dict[DatabaseType, str] = {"postgresql": "postgres", "mysql": "go-sql-driver", "mariadb": "go-sql-driver"}


_OPENS = re.compile(
    r"^database/sql\.Open$|sqlx\.(?:Must)?(?:Open|Connect)\w*$|/pgx/?\S*\.(?:Connect|New|ParseConfig)\w*$"
    r"|/driver/(?:postgres|mysql)\.Open$|go-pg/pg\S*\.ParseURL$|pgdriver\.WithDSN$|gorm\.Open$|\.ApplyURI$"
)
"""Calls that take the whole address of a database."""


def detect_database(
    code: Code,
    files: Sequence[GoFile],
    settings: Sequence[Setting],
    reads: Sequence[Read],
    overrides: Mapping[str, str],
) -> tuple[DatabaseType | None, list[Evidence], list[Unknown]]:
    """Return the kind of database, why, and what is left open.

    In this order: the flag; the dialect that is set where nothing else is; SQLite's, where the program chooses by name
    and nothing asks for a server; the dialect that is opened by its name; an imported driver; a required one that
    nothing imports.
    """
    unknowns: list[Unknown] = []
    if "database_type" in overrides:
        kind, because = overridden(overrides["database_type"])
    else:
        found = _imported(code, files) or _required(code)
        if not found:
            return None, [Evidence(fact="database_type", value="none", rule="no-driver")], []
        if len(found) > 1 or _uses_sqlite(files):
            preset = preset_dialect(code, files, settings, reads)
            if preset is None and _uses_sqlite(files) and not _is_asked_for(code, reads, found):
                preset = named_sqlite(code, files)
            if preset is not None and preset.value == "none":
                message = "the program keeps its data in SQLite, unless it is told to use another database"
                choices = ("none", *found)
                unknown = Unknown(fact="database_type", message=message, choices=choices, flag="--database-type")
                return None, [preset.but(alternatives=tuple(found))], [unknown]
            names = [preset.value] if preset else opened_dialects(files)
            found = {kind: item for kind, item in found.items() if kind in names} or found
        kind, why, unknowns = decided(list(found.values()), hints.databases(code.tree))
        because = [why]
    scheme = _SCHEMES.get(kind) if kind else None
    told = [Evidence(fact="database_url_scheme", value=scheme, rule="driver")] if scheme else []
    return kind, [*because, *told], unknowns


def _uses_sqlite(files: Sequence[GoFile]) -> bool:
    return any("sqlite" in path for file in files for path in file.imported())


def _is_asked_for(code: Code, reads: Sequence[Read], found: Mapping[DatabaseType, Evidence]) -> bool:
    """Tell whether a variable, a call that opens by name, or a file beside the code asks for a server."""
    names = {read.name for read in reads}
    if any("SQLITE" in name for name in names):
        return bool(hints.databases(code.tree))  # where SQLite's file is, is told beside the server's address
    if "DATABASE_URL" in names or any(variable_part(name, kind) for name in names for kind in found):
        return True
    return bool(hints.databases(code.tree))


def opened(code: Code, files: Sequence[GoFile], values: Flow, kind: DatabaseType | None) -> list[Evidence]:
    """Name the variables, of whatever name, that the program opens its database with."""
    found: dict[str, Evidence] = {}
    for file in files if kind else ():
        for call in file.calls:
            if not _OPENS.search(call.name):
                continue
            for read in filter(None, map(values.exactly, call.arguments)):
                if read.name != "DATABASE_URL":
                    where = code.tree.where(read.file)
                    value = f"{read.name}=url"
                    found[read.name] = Evidence(
                        fact="database_variable", value=value, file=where, line=read.line, rule="opened"
                    )
    return list(found.values())


def detect_services(code: Code, files: Sequence[GoFile]) -> list[Evidence]:
    """Return the other servers that the program speaks to, each once."""
    found: dict[str, Evidence] = {}
    for file in files:
        for path, line in file.import_lines:
            name = _service(path)
            if name and name not in found:
                where = code.tree.where(file.path)
                found[name] = Evidence(fact="services", value=name, file=where, line=line, rule="import")
    return [found[name] for name in sorted(found)]


def tls_warnings(code: Code, files: Sequence[GoFile]) -> list[str]:
    """Return what will fail on the host: databases that are made here take connections with TLS alone."""
    found = []
    for file in files:
        for number, line in code.tree.lines(file.path):
            if "sslmode=disable" in line and not line.startswith("//"):
                where = f"{code.tree.where(file.path)}:{number}"
                found.append(f"{where} asks for sslmode=disable, which the database refuses: let it read DATABASE_URL")
    return found


def _imported(code: Code, files: Sequence[GoFile]) -> dict[DatabaseType, Evidence]:
    found: dict[DatabaseType, Evidence] = {}
    for file in files:
        for path, line in file.import_lines:
            kind = _kind(path)
            if kind:
                where = code.tree.where(file.path)
                found.setdefault(kind, Evidence(fact="database_type", value=kind, file=where, line=line, rule="import"))
    return found


def _required(code: Code) -> dict[DatabaseType, Evidence]:
    """A driver that go.mod requires counts, unless code aside from the program is all that imports it."""
    texts = [code.tree.read(path) for path in code.tree.paths if path.endswith(".go")]
    found: dict[DatabaseType, Evidence] = {}
    for module in code.modules:
        for item in module.requires:
            kind = None if item.is_indirect else _kind(item.path)
            if kind and not any(f'"{item.path}' in text for text in texts):
                found.setdefault(
                    kind,
                    Evidence(
                        fact="database_type", value=kind, file=module.file, line=item.line, rule="require",
                        confidence="likely",
                    ),
                )  # fmt: skip
    return found


@cache
def _kind(path: str) -> DatabaseType | None:
    return next((kind for known, kind in DRIVERS.items() if _is(path, known)), None)


@cache
def _service(path: str) -> str | None:
    return next((name for known, name in SERVICES.items() if _is(path, known)), None)


def _is(path: str, known: str) -> bool:
    """Tell whether a path is a package of the module, whatever its major version: migrate/v4/database/postgres."""
    bare = _MAJOR.sub("", path)
    return any(name == known or name.startswith(f"{known}/") for name in (path, bare))
