"""Chooses the port: the one that Procfile, code or Dockerfile names."""

from __future__ import annotations

import ast
import itertools
import re
from collections.abc import Iterator, Mapping

from autodeploy.analyser.ports import file_hints, port_hint, process_hints, settle_port
from autodeploy.analyser.procfile import Process
from autodeploy.analyser.python.names import dotted, imports, keyword
from autodeploy.analyser.tree import Tree
from autodeploy.model import Evidence

DEFAULT = 8000


def detect_port(tree: Tree, web: Process | None, overrides: Mapping[str, str]) -> tuple[int, Evidence]:
    """Return the port and why; raise AnalysisError when the flag's cannot be used."""
    hints = itertools.chain(process_hints(web), _code_hints(tree), file_hints(tree))
    return settle_port(hints, DEFAULT, overrides)


def _code_hints(tree: Tree) -> Iterator[Evidence]:
    for path in tree.modules[:100]:
        syntax = tree.syntax(path)
        if syntax is None:
            continue
        origins = imports(tree, path)
        calls = [node for node in ast.walk(syntax) if isinstance(node, ast.Call)]
        for call in sorted(calls, key=lambda call: (call.lineno, call.col_offset)):
            if port := _port_of(call, origins):
                yield port_hint(port, tree.where(path), call.lineno, "code")


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
