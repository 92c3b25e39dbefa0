"""Dumps of the local target's databases, their container a shell: kept whole or not at all, checked, put back."""

from __future__ import annotations

import json
import os
import stat
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from autodeploy.errors import LocalTargetError
from autodeploy.local import mariadb, postgres
from autodeploy.local.client import LocalTarget
from autodeploy.local.containers import ContainerEngine
from autodeploy.local.dataplane import plain
from autodeploy.local.fleet import Fleet
from autodeploy.local.snapshots import DatabaseSnapshots

# `exec --interactive NAME bash -c SCRIPT` runs the script here; `su USER -c COMMAND` runs the command.
ENGINE = '#!/bin/bash\nshift; [ "$1" = --interactive ] && shift; shift && exec "$@"\n'
SU = '#!/bin/bash\nexec bash -c "$3"\n'
PROGRAMS = {
    "su": SU,
    "chown": "#!/bin/bash\n",
    "pg_dump": '#!/bin/bash\n[ -e "$ROWS" ] || { echo no such database >&2; exit 1; }\necho PGDMP; cat "$ROWS"\n',
    "pg_restore": (
        "#!/bin/bash\nto=${1#--file=}\nread -r magic\n"
        '[ "$magic" = PGDMP ] || { echo "not an archive" >&2; exit 1; }\ncat >"$to"\n'
    ),
    "pg_dumpall": '#!/bin/bash\ncat "$ROWS.users"\n',
    "psql": (
        '#!/bin/bash\ncase "$*" in *--file=*) for word; do case $word in --file=*) cat "${word#--file=}";; esac; done '
        '>"$ROWS";; *) cat >"$ROWS.users";; esac\n'
    ),
    "mariadb-dump": (
        '#!/bin/bash\ncase "$*" in *--system=users*) exec cat "$ROWS.users";; esac\n'
        'cat "$ROWS"; [ -n "$CUT" ] || echo "-- Dump completed on 2026-11-25"\n'
    ),
    "mariadb": (
        '#!/bin/bash\ncase "$*" in *" -e "*) echo "$*" >>"$ROWS.asked";; *utf8mb4*--force) cat >/dev/null;; '
        '*--force) cat >"$ROWS.users";; '
        '*) cat >"$ROWS";; esac\n'
    ),
}


class Desk:
    """One home with one database, whose rows are the text of a file."""

    def __init__(self, folder: Path) -> None:
        self.rows = folder / "rows"
        self.users = folder / "rows.users"
        self.folder = folder / "snapshots"
        engine = ContainerEngine("engine", (), (), ())
        self.snapshots = DatabaseSnapshots(lambda: Fleet(engine, folder, ""), self.folder)

    def files(self) -> dict[str, int]:
        return {path.name: stat.S_IMODE(path.stat().st_mode) for path in self.folder.iterdir()}


@pytest.fixture
def desk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Desk]:
    place = tmp_path / "bin"
    place.mkdir()
    for name, text in {**PROGRAMS, "engine": ENGINE}.items():
        (place / name).write_text(text)
        (place / name).chmod(0o755)
    monkeypatch.setenv("PATH", f"{place}:{os.environ['PATH']}")
    made = Desk(tmp_path)
    monkeypatch.setenv("ROWS", str(made.rows))
    monkeypatch.setenv("CUT", "")
    made.rows.write_text("precious\n")
    made.users.write_text("CREATE ROLE app;\n")
    yield made


@pytest.mark.parametrize("engine", ["postgres", "mariadb", "mysql"])
def test_rows_come_back(desk: Desk, engine: str) -> None:
    desk.snapshots.keep("one", "db", engine, "app")
    desk.rows.write_text("spoilt\n")
    desk.snapshots.check("one", engine)
    desk.snapshots.restore("one", "db", engine, "app")
    assert desk.rows.read_text().splitlines()[-2 if engine != "postgres" else -1] == "precious"
    assert desk.files() == {"one.dump": 0o600, "one.json": 0o600}


@pytest.mark.parametrize("engine", ["postgres", "mariadb"])
def test_the_servers_users_come_along_and_are_shown_to_nobody(desk: Desk, engine: str) -> None:
    desk.snapshots.keep("one", "db", engine, "app")
    desk.users.unlink()
    desk.snapshots.restore("one", "db", engine, "app")
    assert desk.users.read_text() == "CREATE ROLE app;\n"
    assert desk.files() == {"one.dump": 0o600, "one.json": 0o600}


def test_a_dump_from_before_users_came_along(desk: Desk) -> None:
    desk.snapshots.keep("one", "db", "postgres", "app")
    record = desk.folder / "one.json"
    told = json.loads(record.read_text())
    del told["users"]
    record.write_text(json.dumps(told))
    desk.users.unlink()
    desk.snapshots.restore("one", "db", "postgres", "app")
    assert desk.rows.read_text().endswith("precious\n") and not desk.users.exists()


def test_what_was_there_goes_in_the_same_transaction(desk: Desk) -> None:
    desk.snapshots.keep("one", "db", "postgres", "app")
    desk.snapshots.restore("one", "db", "postgres", "app")
    assert desk.rows.read_text() == f"{postgres.CLEAR}precious\n"


def test_a_mariadb_keeps_its_character_set(desk: Desk) -> None:
    desk.snapshots.keep("one", "db", "mariadb", "app")
    desk.snapshots.restore("one", "db", "mariadb", "app")
    asked = Path(f"{desk.rows}.asked").read_text()
    assert "DROP DATABASE IF EXISTS `app`" in asked and "CREATE DATABASE `app`" in asked


def test_again_under_the_same_name_keeps_what_is_there_now(desk: Desk) -> None:
    desk.snapshots.keep("one", "db", "postgres", "app")
    desk.rows.write_text("newer\n")
    desk.snapshots.keep("one", "db", "postgres", "app")
    assert (desk.folder / "one.dump").read_text() == "PGDMP\nnewer\n"
    desk.snapshots.check("one", "postgres")


def test_a_database_that_cannot_be_dumped_leaves_no_snapshot(desk: Desk) -> None:
    desk.rows.unlink()
    with pytest.raises(LocalTargetError, match="no such database"):
        desk.snapshots.keep("one", "db", "postgres", "app")
    with pytest.raises(LocalTargetError, match="is not there"):
        desk.snapshots.check("one", "postgres")


def test_a_dump_that_is_cut_is_none(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CUT", "yes")
    with pytest.raises(LocalTargetError):
        desk.snapshots.keep("one", "db", "mariadb", "app")
    with pytest.raises(LocalTargetError, match="is not there"):
        desk.snapshots.check("one", "mariadb")


def test_damage_and_another_engine_are_seen_before_anything_is_replaced(desk: Desk) -> None:
    desk.snapshots.keep("one", "db", "postgres", "app")
    with pytest.raises(LocalTargetError, match="is of postgres, the database is mariadb"):
        desk.snapshots.restore("one", "db", "mariadb", "app")
    (desk.folder / "one.dump").write_text("PGDMP\nother\n")
    with pytest.raises(LocalTargetError, match="damaged"):
        desk.snapshots.restore("one", "db", "postgres", "app")
    assert desk.rows.read_text() == "precious\n"
    (desk.folder / "one.json").write_text("{")
    with pytest.raises(LocalTargetError, match="is not there"):
        desk.snapshots.check("one", "postgres")


def test_deleted_twice(desk: Desk) -> None:
    desk.snapshots.keep("one", "db", "postgres", "app")
    desk.snapshots.delete("one")
    desk.snapshots.delete("one")
    assert desk.files() == {}


def test_the_record_says_what_is_in_it(desk: Desk) -> None:
    desk.snapshots.keep("one", "db", "postgres", "app")
    told = json.loads((desk.folder / "one.json").read_text())
    assert (told["engine"], told["database_name"], told["size"]) == ("postgres", "app", len("PGDMP\nprecious\n"))


def test_a_reset_forgets_all_snapshots(podman: Path, tmp_path: Path) -> None:
    target = LocalTarget(tmp_path / "home", tmp_path / "cache")
    target.records.snapshots.mkdir(parents=True)
    (target.records.snapshots / "one.dump").write_text("rows")
    target.reset()
    assert not target.records.snapshots.exists()


@pytest.mark.parametrize("name", ["", "a b", "app'; DROP", "1st", "näme"])
def test_a_name_that_rds_would_not_take_comes_into_no_script(name: str) -> None:
    with pytest.raises(ValueError, match="not a database's name"):
        plain(name)
    for server in (postgres, mariadb):
        with pytest.raises(ValueError, match="not a database's name"):
            server.load(name)


def test_the_scripts_are_shell() -> None:
    for server in (postgres, mariadb):
        for script in (server.dump("app"), server.prove("app"), server.load("app"), server.USERS, server.LOAD_USERS):
            assert subprocess.run(["bash", "-n", "-c", script], capture_output=True, check=False).stderr == b""


def test_an_engine_that_does_not_end_is_ended(tmp_path: Path, desk: Desk) -> None:
    engine = ContainerEngine("engine", (), (), ())
    with pytest.raises(LocalTargetError, match="no end after"):
        engine.stream("exec", "--interactive", "db", "bash", "-c", "sleep 9", timeout=0.2)
