"""Go sources for the detectors' tests: a module, and programs in it."""

from __future__ import annotations

from collections.abc import Mapping

from fixtures.sources import memory

from autodeploy.analyser import analyse
from autodeploy.model import Evidence, TechStack

MOD = "module example.org/shop\n\ngo 1.22\n"


def program(body: str = 'http.ListenAndServe(":8080", nil)', imports: str = "net/http", rest: str = "") -> str:
    """Return a package main with the given body and imports."""
    named = "".join(f'\t"{path}"\n' for path in imports.split())
    return f"package main\n\nimport (\n{named})\n\n{rest}\n\nfunc main() {{\n{body}\n}}\n"


def stack_of(texts: Mapping[str, str], overrides: Mapping[str, str] | None = None, mod: str = MOD) -> TechStack:
    """Return the technology of a module of these files."""
    return analyse(memory({"go.mod": mod, **texts}), overrides or {})


def serving(body: str, imports: str = "net/http os", rest: str = "", **files: str) -> TechStack:
    """Return the technology of one program."""
    return stack_of({"main.go": program(body, imports, rest), **files})


def evidence(stack: TechStack, fact: str) -> Evidence:
    """Return the first evidence of a fact."""
    return next(item for item in stack.evidence if item.fact == fact)
