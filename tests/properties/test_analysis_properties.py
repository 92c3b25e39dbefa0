"""Analysis is a function of the repository: neither chance, nor order, nor the process it runs in has a say."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

from fixtures.sources import SAMPLES, memory, sample
from hypothesis import given, settings
from hypothesis import strategies as st

from autodeploy.analyser import analyse
from autodeploy.errors import AnalysisError

NAMES = sorted(path.name for path in SAMPLES.iterdir() if path.is_dir())
TEXTS = {name: {path: sample(name).read(path) for path in sample(name).paths} for name in NAMES}
PROGRAM = """
import sys
from fixtures.sources import SAMPLES, sample
from autodeploy.analyser import analyse
for name in sorted(path.name for path in SAMPLES.iterdir() if path.is_dir()):
    print(analyse(sample(name)).to_json())
"""


@st.composite
def repositories(draw: st.DrawFn) -> dict[str, str]:
    """Samples that lost some of their files, and took in some of another."""
    first, second = draw(st.sampled_from(NAMES)), draw(st.sampled_from(NAMES))
    files = {**TEXTS[second], **TEXTS[first]}
    return {path: files[path] for path in draw(st.permutations(sorted(files))) if draw(st.integers(0, 9))}


def answer(texts: dict[str, str], description: str) -> str:
    try:
        return analyse(memory(texts), description=description).to_json()
    except AnalysisError as err:
        return str(err)


# Feature: autodeploy-agent, analysis is deterministic: the same repository gives the same TechStack or the same refusal
@settings(max_examples=100, deadline=None)
@given(repositories(), st.sampled_from(["", "a shop with a PostgreSQL database", "on MySQL"]))
def test_the_same_repository_gives_the_same_answer(texts: dict[str, str], description: str) -> None:
    assert answer(texts, description) == answer(dict(sorted(texts.items(), reverse=True)), description)


# Feature: autodeploy-agent, analysis is deterministic: another process, with other hashes, answers the same
def test_another_process_answers_the_same() -> None:
    root = Path(__file__).parents[2]

    def answers(seed: str) -> list[object]:
        environment = {**os.environ, "PYTHONHASHSEED": seed, "PYTHONPATH": f"{root}{os.pathsep}{root / 'tests'}"}
        shown = subprocess.run([sys.executable, "-c", PROGRAM], check=True, capture_output=True, env=environment)
        return [json.loads(line) for line in _documents(shown.stdout.decode())]

    first = answers("1")
    assert len(first) == len(NAMES)
    assert answers("2") == first == answers("77")


def _documents(text: str) -> list[str]:
    decoder, found, place = json.JSONDecoder(), [], 0
    while place < len(text.rstrip()):
        _, end = decoder.raw_decode(text, place)
        found.append(text[place:end])
        place = end + 1
    return found
