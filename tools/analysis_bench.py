"""Times the analysis of every sample repository: in a process of its own (`python tools/analysis_bench.py FOLDER`
does one and prints seconds), and again in a process that has it warm."""

from __future__ import annotations

import statistics
import subprocess
import sys
import time
from pathlib import Path

from autodeploy.adapters.git import tree
from autodeploy.analyser import analyse
from autodeploy.errors import AnalysisError
from autodeploy.model import Source

WARM_RUNS = 5
WARM_LIMIT = 0.060
"""Seconds that the median repository may take in a process that is warm."""


def source(folder: Path) -> Source:
    """Return the folder as a Source; nothing of it is read yet."""
    return Source(str(folder), "bench", folder, tree.index(folder))


def once(found: Source) -> float:
    """Time one analysis; a refusal is an answer too."""
    begun = time.perf_counter()
    try:
        analyse(found)
    except AnalysisError as err:
        print(f"{found.root.name}: {err.message}", file=sys.stderr)
    return time.perf_counter() - begun


def warm(folder: Path) -> float:
    """Return the median of runs that each read the folder anew."""
    found = source(folder)
    return statistics.median(once(found) for _ in range(WARM_RUNS))


def cold(folder: Path) -> float:
    """Return the seconds of a whole process that analyses the folder, the interpreter's start included."""
    begun = time.perf_counter()
    subprocess.run([sys.executable, __file__, str(folder)], check=True, capture_output=True)
    return time.perf_counter() - begun


def analyses(folders: list[Path]) -> None:
    """Print median and worst over the folders, cold and warm."""
    once(source(folders[0]))
    for name, measure in (("cold process", cold), ("warm", warm)):
        took = {folder.name: measure(folder) for folder in folders}
        median, worst = statistics.median(took.values()), max(took, key=lambda name: took[name])
        told = f"analysis, {name}: median {median * 1000:.0f} ms, worst {took[worst] * 1000:.0f} ms ({worst})"
        verdict = "" if name != "warm" else f"   limit {WARM_LIMIT * 1000:.0f} ms   {judged(median)}"
        print(f"{told}, {len(took)} repositories{verdict}")


def judged(median: float) -> str:
    """Return the verdict on the warm median."""
    return "ok" if median <= WARM_LIMIT else "OVER"


if __name__ == "__main__":
    for argument in sys.argv[1:]:
        print(once(source(Path(argument))))
