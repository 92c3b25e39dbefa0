"""What a sentence asks for counts where the code is silent, and nowhere else."""

from __future__ import annotations

import pytest
from fixtures.sources import memory, sample

from autodeploy.analyser import analyse
from autodeploy.analyser.description import asked_database


@pytest.mark.parametrize(
    ("sentence", "kind"),
    [
        ("a small shop with a PostgreSQL database", "postgresql"),
        ("Flask app on Postgres", "postgresql"),
        ("API, using Postgres 15 and Redis", "postgresql"),
        ("a blog backed by a MySQL database.", "mysql"),
        ("wiki (MariaDB)", "mariadb"),
        ("a chat that keeps its messages in MongoDB", "mongodb"),
        ("needs a database", "postgresql"),
        ("a small shop with a database", "postgresql"),
        ("a web app and a DB", "postgresql"),
        ("", None),
        ("a guestbook", None),
        ("a shop without a database", None),
        ("a shop with no database", None),
        ("it doesn't need a PostgreSQL database", None),
        ("files on disk instead of a MySQL database", None),
        ("a browser for PostgreSQL databases", None),
        ("a Postgres admin panel", None),
        ("a database migration tool", None),
        ("metadata based routing", None),
        ("without a database, but Postgres is used by the other service", None),
    ],
)
def test_a_sentence(sentence: str, kind: str | None) -> None:
    assert asked_database(sentence) == kind


@pytest.mark.parametrize("name", ["fastapi-plain", "express-plain", "go-plain"])
def test_asks_for_what_the_code_leaves_open(name: str) -> None:
    stack = analyse(sample(name), description="with a PostgreSQL database")
    assert (stack.requires_database, stack.database_type) == (True, "postgresql")
    (because,) = [item for item in stack.evidence if item.fact == "database_type"]
    assert (because.rule, because.confidence) == ("description", "likely")


@pytest.mark.parametrize("name", ["flask-postgres", "express-postgres", "go-postgres"])
def test_does_not_outweigh_the_code(name: str) -> None:
    plain, described = analyse(sample(name)), analyse(sample(name), description="on MySQL")
    assert described.database_type == "postgresql"
    assert described.evidence == plain.evidence
    assert "asks for mysql, the code for postgresql" in described.warnings[-1]


def test_a_file_is_a_database_too() -> None:
    files = {"package.json": '{"dependencies": {"express": "4", "better-sqlite3": "11"}}', "index.js": "1"}
    stack = analyse(memory(files), description="a shop with a database")
    assert not stack.requires_database
    assert "asks for postgresql, the code for none" in stack.warnings[-1]


def test_a_flag_is_believed_first() -> None:
    stack = analyse(sample("fastapi-plain"), {"database_type": "none"}, "with a PostgreSQL database")
    assert not stack.requires_database


def test_saying_what_the_code_says_changes_nothing() -> None:
    assert analyse(sample("flask-postgres"), description="with a database") == analyse(sample("flask-postgres"))
