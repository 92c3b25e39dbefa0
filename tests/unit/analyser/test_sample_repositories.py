"""Each folder of sample_repos/ is analysed and planned; techstack.json and plan.json say what must come out.

UPDATE_EXPECTED=1 writes them anew; read the difference before it is committed.
"""

from __future__ import annotations

import os
import re

import pytest
from fixtures.planned import planned
from fixtures.sources import SAMPLES, sample

from autodeploy.analyser import analyse

NAMES = sorted(path.name for path in SAMPLES.iterdir() if path.is_dir())


def expect(name: str, file: str, actual: str) -> None:
    path = SAMPLES / name / file
    if os.environ.get("UPDATE_EXPECTED"):
        path.write_text(actual + "\n")
    assert path.read_text() == actual + "\n", f"{path} differs; UPDATE_EXPECTED=1 writes it anew"


@pytest.mark.parametrize("name", NAMES)
def test_the_analysis_is_what_techstack_json_says(name: str) -> None:
    expect(name, "techstack.json", analyse(sample(name)).to_json())


@pytest.mark.parametrize("name", NAMES)
def test_the_plan_is_what_plan_json_says(name: str) -> None:
    expect(name, "plan.json", planned(analyse(sample(name))).to_json())


@pytest.mark.parametrize("name", NAMES)
def test_evidence_points_at_lines_that_exist_and_speak_of_the_fact(name: str) -> None:
    source = sample(name)
    for evidence in analyse(source).evidence:
        assert evidence.file == "" or evidence.file in source.paths
        lines = source.read(evidence.file).splitlines()
        assert 0 <= evidence.line <= len(lines)
        if evidence.line and evidence.fact in {"framework", "database_type", "port", "health_check_path"}:
            if evidence.rule == "gin-default":
                continue  # the line that asks for it names no port
            last = re.split(r"[/:]", evidence.value.strip("/"))[-1].lower()
            spoken = {
                "postgresql": r"psycopg|asyncpg|lib/pq|pgx|[\"']pg[\"']|postgres",
                "nest": "nestjs",
                "none": "sqlite",
                "sveltekit": "sveltejs",
            }.get(last, re.escape(last))
            assert re.search(spoken, lines[evidence.line - 1].lower())
