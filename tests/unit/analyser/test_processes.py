"""Processes of a Procfile: what only Heroku's buildpacks put before them is left out."""

from __future__ import annotations

import pytest
from fixtures.sources import memory

from autodeploy.analyser.procfile import read_procfile
from autodeploy.analyser.tree import Tree


@pytest.mark.parametrize(
    ("line", "command"),
    [
        ("bin/start-nginx gunicorn shop.wsgi", "gunicorn shop.wsgi"),
        ("./bin/start-nginx -f node server.js", "node server.js"),
        ("bin/start-pgbouncer-stunnel bin/start-nginx", "bin/start-nginx"),
        ("bin/start-nginx", "bin/start-nginx"),
        ("bin/start web", "bin/start web"),
    ],
)
def test_wrappers_of_buildpacks(line: str, command: str) -> None:
    assert read_procfile(Tree(memory({"Procfile": f"web: {line}\n"})))["web"].command == command
