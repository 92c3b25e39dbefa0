"""What a sentence about the application asks for: a database. Weaker than anything that stands in the code."""

from __future__ import annotations

import re

from autodeploy.model import DatabaseType, Evidence, TechStack

RULE = "description"
NOTHING_FOUND = "no-driver"
"""The rule of an analyser that saw no sign of a database: no evidence against one."""

_KINDS: dict[str, DatabaseType] = {
    r"postgres(?:ql)?(?: ?\d+)?|psql|pgsql": "postgresql",
    r"mariadb(?: ?\d+)?": "mariadb",
    r"mysql(?: ?\d+)?": "mysql",
    r"mongo(?:db)?(?: ?\d+)?": "mongodb",
}
"""How a sentence names a database."""

UNNAMED: DatabaseType = "postgresql"

_WORDS = r"database|db|data ?base|datastore|store|storage|server|instance|backend"
_ENDS = r"(?=\s*$|\s*[.,;:!?()]|\s+(?:and|or|with|for|to|that|which|where|behind|on|in|as|via|using|plus|is|running)\b)"
_DENIED = re.compile(
    r"\b(?:no|not|without|non|never|instead of|rather than|nor|neither)\W+(?:\w+\W+){0,3}$|n't\W+(?:\w+\W+){0,3}$"
)
_NO_SERVER = re.compile(r"sqlite|better-sqlite3|libsql", re.IGNORECASE)


def asked_database(description: str) -> DatabaseType | None:
    """Return the database that the sentence asks for; None where it speaks of none, or says there is none."""
    text = " ".join(description.lower().split())
    named = {rf"\b(?:{name})(?:[ -](?:{_WORDS}))*{_ENDS}": kind for name, kind in _KINDS.items()}
    # "a Postgres browser" needs no Postgres of its own: what follows has to end the thought.
    for pattern, kind in {**named, rf"\b(?:database|db){_ENDS}": UNNAMED}.items():
        found = re.search(pattern, text)
        if found and not _DENIED.search(text[: found.start()]):
            return kind
    return None


def settles_database(stack: TechStack, kind: DatabaseType) -> bool:
    """Tell whether the code leaves it to the sentence: it names no database, or several and this among them."""
    left_open = any(unknown.fact == "database_type" and kind in unknown.choices for unknown in stack.unknowns)
    told = [item for item in stack.evidence if item.fact == "database_type" and item.rule != NOTHING_FOUND]
    return left_open or not (told or stack.database_type or any(map(_NO_SERVER.search, stack.dependencies)))


def as_described(stack: TechStack) -> TechStack:
    """Return the stack with the sentence, not a flag, as what asked for the database."""
    because = Evidence(fact="database_type", value=stack.database_type or "", rule=RULE, confidence="likely")
    told = tuple(because if item.fact == "database_type" else item for item in stack.evidence)
    unknowns = tuple(unknown for unknown in stack.unknowns if unknown.fact != "database_type")
    return stack.but(evidence=told, unknowns=unknowns)


def contradiction(stack: TechStack, kind: DatabaseType) -> str:
    """Return what a reader is warned of: the sentence asks for one database, the code for another or none."""
    item = next((item for item in stack.evidence if item.fact == "database_type"), None)
    where = f" ({item.file}{f':{item.line}' if item.line else ''})" if item and item.file else ""
    instead = stack.database_type or "none"
    return f"the description asks for {kind}, the code for {instead}{where}: --database-type {kind} makes it"
