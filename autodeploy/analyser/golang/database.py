"""The database by its driver, where the program imports it; SQLite is no server."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from autodeploy.analyser.database import overridden
from autodeploy.analyser.golang.packages import Code
from autodeploy.analyser.golang.reads import Flow
from autodeploy.analyser.golang.syntax import GoFile, line_of, string_of
from autodeploy.model import DatabaseType, Evidence

DRIVERS: dict[str, DatabaseType] = {
    "github.com/lib/pq": "postgresql",
    "github.com/jackc/pgx": "postgresql",
    "github.com/jackc/pgconn": "postgresql",
    "gorm.io/driver/postgres": "postgresql",
    "github.com/jinzhu/gorm/dialects/postgres": "postgresql",
    "github.com/go-pg/pg": "postgresql",
    "github.com/uptrace/bun/driver/pgdriver": "postgresql",
    "github.com/go-sql-driver/mysql": "mysql",
    "gorm.io/driver/mysql": "mysql",
    "github.com/jinzhu/gorm/dialects/mysql": "mysql",
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
    "github.com/rabbitmq/amqp091-go": "rabbitmq",
    "github.com/streadway/amqp": "rabbitmq",
    "github.com/segmentio/kafka-go": "kafka",
    "github.com/IBM/sarama": "kafka",
    "github.com/Shopify/sarama": "kafka",
    "github.com/nats-io/nats.go": "nats",
    "github.com/elastic/go-elasticsearch": "elasticsearch",
    "github.com/bradfitz/gomemcache": "memcached",
}
_SCHEMES: dict[DatabaseType, str] = {"postgresql": "postgres", "mysql": "go-sql-driver", "mariadb": "go-sql-driver"}


_OPENS = re.compile(
    r"^database/sql\.Open$|sqlx\.(?:Must)?(?:Open|Connect)\w*$|/pgx/?\S*\.(?:Connect|New|ParseConfig)\w*$"
    r"|/driver/(?:postgres|mysql)\.Open$|go-pg/pg\S*\.ParseURL$|pgdriver\.WithDSN$|gorm\.Open$|\.ApplyURI$"
)
"""Calls that take the whole address of a database."""


def detect_database(
    code: Code, files: Sequence[GoFile], overrides: Mapping[str, str]
) -> tuple[DatabaseType | None, list[Evidence]]:
    """Return the kind of database and why: the flag, an imported driver, a required one that nothing imports."""
    if "database_type" in overrides:
        kind, because = overridden(overrides["database_type"])
    else:
        found = _imported(code, files) or _required(code)
        if not found:
            return None, [Evidence(fact="database_type", value="none", rule="no-driver")]
        kind, because = _decided(code, found)
    scheme = _SCHEMES.get(kind) if kind else None
    return kind, because + ([Evidence(fact="database_url_scheme", value=scheme, rule="driver")] if scheme else [])


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


def detect_services(files: Sequence[GoFile]) -> tuple[str, ...]:
    """Return the other servers that the program speaks to."""
    found = {name for file in files for path in file.imported() for known, name in SERVICES.items() if _is(path, known)}
    return tuple(sorted(found))


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
        for node in file.nodes("import"):
            kind = _kind(string_of(node.child_by_field_name("path")) or "")
            if kind:
                where = code.tree.where(file.path)
                found.setdefault(
                    kind, Evidence(fact="database_type", value=kind, file=where, line=line_of(node), rule="import")
                )
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


def _decided(code: Code, found: dict[DatabaseType, Evidence]) -> tuple[DatabaseType, list[Evidence]]:
    """Return the one that is used: of several drivers the one that examples and compose files speak of most."""
    files = [
        path for path in code.tree.paths if re.search(r"(^|/)(\.env[\w.]*|(docker-)?compose[\w.-]*\.ya?ml)$", path)
    ]
    text = "\n".join(code.tree.read(path) for path in files).lower()
    words: dict[DatabaseType, str] = {"postgresql": "postgres", "mysql": "mysql|mariadb", "mongodb": "mongo"}
    ranked = sorted(found, key=lambda kind: -len(re.findall(words[kind], text)))
    first = ranked[0]
    evidence = found[first].but(alternatives=tuple(ranked[1:]))
    if first == "mysql" and re.search(r"image:\s*[\"']?(?:\S+/)?mariadb\b", text):
        first, evidence = "mariadb", evidence.but(value="mariadb", alternatives=("mysql", *evidence.alternatives))
    return first, [evidence]


def _kind(path: str) -> DatabaseType | None:
    return next((kind for known, kind in DRIVERS.items() if _is(path, known)), None)


def _is(path: str, known: str) -> bool:
    return path == known or path.startswith(f"{known}/")
