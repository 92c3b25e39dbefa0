"""Trees of a hundred thousand files: neither their number nor that of manifests slows the analysis."""

from __future__ import annotations

import time
from collections.abc import Mapping

import pytest
from fixtures.sources import memory
from performance.conftest import CPU, Figure
from unit.analyser.layout.repositories import EXPRESS, FLASK, GO, VITE, within

from autodeploy.analyser import analyse
from autodeploy.model import TechStack

pytestmark = pytest.mark.performance
MANY = 100_000
LIMIT = 1.5
APPLICATIONS = {
    "nodejs": (EXPRESS, ("js", "ts", "json", "png")),
    "python": (FLASK, ("py", "html", "json", "png")),
    "go": (GO, ("go", "yaml", "json", "tmpl")),
    "two": (within("backend", FLASK) | within("frontend", VITE), ("py", "ts", "vue", "css")),
}


def timed(files: Mapping[str, str], what: str, figure: Figure) -> TechStack:
    source = memory(dict(files))
    before = time.process_time()
    stack = analyse(source)
    figure(f"analysis of {what}", time.process_time() - before, LIMIT, CPU)
    return stack


@pytest.mark.parametrize("name", APPLICATIONS)
def test_a_hundred_thousand_files_take_a_second(name: str, figure: Figure) -> None:
    files, ends = APPLICATIONS[name]
    paths = (f"p{n % 100}/s{n % 37}/d{n % 11}/f{n}.{ends[n % len(ends)]}" for n in range(MANY))
    many = {**dict.fromkeys(paths, "package x\n" if name == "go" else "x = 1\n"), **files}
    assert timed(many, f"100,000 files, {name}", figure).app_root == ("backend" if name == "two" else ".")


def test_a_thousand_package_files_take_a_second(figure: Figure) -> None:
    many = {path: text for n in range(1000) for path, text in within(f"a/p{n}", VITE).items()}
    assert timed(many | within("backend", FLASK), "1,000 package files", figure).app_root == "backend"
