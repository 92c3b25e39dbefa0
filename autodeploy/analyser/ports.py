"""Chooses the port: the one the code, Procfile or Dockerfile names, where a plain user may listen on it."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator, Mapping

from autodeploy.analyser.failures import refusal
from autodeploy.analyser.names import dotted, imports, keyword
from autodeploy.analyser.procfile import Process, named_port
from autodeploy.analyser.tree import Tree
from autodeploy.model import Evidence

DEFAULT = 8000
LOWEST, HIGHEST = 1024, 65534
"""Below, only root may listen; the port above the highest is needed by the second slot of a switch."""


def detect_port(tree: Tree, web: Process | None, overrides: Mapping[str, str]) -> tuple[int, Evidence]:
    """Return the port and why; raise AnalysisError when the flag's cannot be used."""
    if "port" in overrides:
        text = overrides["port"]
        if not text.isascii() or not text.isdigit() or not LOWEST <= int(text) <= HIGHEST:
            raise refusal(f"the port {text!r} cannot be used", f"Use a number from {LOWEST} to {HIGHEST}: --port 8000")
        return int(text), Evidence(fact="port", value=text, rule="--port")
    hints = [hint for hint in _hints(tree, web) if LOWEST <= int(hint.value) <= HIGHEST]
    if not hints:
        return DEFAULT, Evidence(fact="port", value=str(DEFAULT), rule="default", confidence="default")
    first = hints[0]
    others = tuple(dict.fromkeys(hint.value for hint in hints[1:] if hint.value != first.value))
    return int(first.value), first.but(alternatives=others)


def _hints(tree: Tree, web: Process | None) -> Iterator[Evidence]:
    if web is not None and (port := named_port(web.command)):
        yield _hint(port, web.file, web.line, "procfile")
    for path in tree.modules[:100]:
        syntax = tree.syntax(path)
        if syntax is None:
            continue
        origins = imports(tree, path)
        calls = [node for node in ast.walk(syntax) if isinstance(node, ast.Call)]
        for call in sorted(calls, key=lambda call: (call.lineno, call.col_offset)):
            if port := _port_of(call, origins):
                yield _hint(port, tree.where(path), call.lineno, "code")
    for file in ("Dockerfile", "dockerfile", "Containerfile"):
        for number, line in tree.lines(file):
            if match := re.match(r"^EXPOSE\s+(\d{2,5})\b", line, re.IGNORECASE):
                yield _hint(int(match[1]), tree.where(file), number, "expose")
    for file in (".env.example", ".env.sample", ".env.template"):
        for number, line in tree.lines(file):
            if match := re.match(r"^PORT\s*=\s*[\"']?(\d{2,5})\b", line):
                yield _hint(int(match[1]), tree.where(file), number, "env-example")


def _port_of(call: ast.Call, origins: dict[str, str]) -> int | None:
    called = dotted(call.func, origins)
    value: ast.expr | None = None
    if called.rsplit(".", 1)[-1] in {"run", "run_app", "serve", "run_simple"}:
        value = keyword(call, "port")
    elif called in {"os.getenv", "os.environ.get"} and len(call.args) == 2:
        first = call.args[0]
        value = call.args[1] if isinstance(first, ast.Constant) and first.value == "PORT" else None
    if isinstance(value, ast.Constant) and re.fullmatch(r"[0-9]{2,5}", str(value.value)):
        return int(value.value) if isinstance(value.value, (int, str)) else None
    return None


def _hint(port: int, file: str, line: int, rule: str) -> Evidence:
    return Evidence(fact="port", value=str(port), file=file, line=line, rule=rule)
