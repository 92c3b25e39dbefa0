"""Chooses the port among the hints: where a plain user may listen; and finds those that every language shares."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from autodeploy.analyser import hints
from autodeploy.analyser.failures import refusal
from autodeploy.analyser.procfile import Process, named_port
from autodeploy.analyser.tree import Tree
from autodeploy.model import Evidence

LOWEST, HIGHEST = 1024, 65534
"""Below, only root may listen; the port above the highest is needed by the second slot of a switch."""


def settle_port(told: Iterable[Evidence], default: int, overrides: Mapping[str, str]) -> tuple[int, Evidence]:
    """Return the port and why: flag, first usable hint, default; raise AnalysisError when the flag's cannot be used."""
    if "port" in overrides:
        text = overrides["port"]
        if not text.isascii() or not text.isdigit() or not LOWEST <= int(text) <= HIGHEST:
            raise refusal(
                f"the port {text!r} cannot be used",
                f"Use a number from {LOWEST} to {HIGHEST}, e.g. --port 8000; --port none: it is a worker without HTTP.",
            )
        return int(text), Evidence(fact="port", value=text, rule="--port")
    usable = [hint for hint in told if LOWEST <= int(hint.value) <= HIGHEST]
    if not usable:
        return default, Evidence(fact="port", value=str(default), rule="default", confidence="default")
    first = usable[0]
    others = tuple(dict.fromkeys(hint.value for hint in usable[1:] if hint.value != first.value))
    return int(first.value), first.but(alternatives=others)


def process_hints(web: Process | None) -> Iterator[Evidence]:
    """Yield the port that a Procfile's line names."""
    if web is not None and (port := named_port(web.command)):
        yield port_hint(port, web.file, web.line, "procfile")


def file_hints(tree: Tree) -> Iterator[Evidence]:
    """Yield the ports that files of platforms and containers, and example environments, name."""
    return hints.ports(tree)


def port_hint(port: int, file: str, line: int, rule: str) -> Evidence:
    """Return the evidence for a port."""
    return Evidence(fact="port", value=str(port), file=file, line=line, rule=rule)
