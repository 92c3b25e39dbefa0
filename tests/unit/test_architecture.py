"""The rules of the house that import-linter cannot say; its own contracts are in pyproject.toml."""

from __future__ import annotations

import ast
import statistics
import subprocess
import sys
from functools import cache
from pathlib import Path

import grimp
import pytest

ROOT = Path(__file__).parents[2]
PRODUCT = sorted(path for package in ("autodeploy", "stacks") for path in (ROOT / package).rglob("*.py"))
EVERYTHING = [*PRODUCT, *sorted((ROOT / "tests").rglob("*.py")), *sorted((ROOT / "tools").rglob("*.py"))]
TOO_LONG, TYPICAL, FUNCTION, DOCSTRING = 300, 100, 40, 6
DRAWINGS = {"conductor.py", "errors.py"}  # the line and the tree of errors are drawn in their docstrings
STANDARD = sys.stdlib_module_names | {"tomllib", "tomli", "typing_extensions"}

LIBRARIES = {
    "autodeploy.errors": set(),
    "autodeploy.model": {"pydantic"},
    "autodeploy.naming": set(),
    "autodeploy.patience": set(),
    "autodeploy.ports": set(),
    "autodeploy.safeguards": set(),
    "autodeploy.settings": {"idna", "publicsuffixlist", "pydantic"},
    "autodeploy.templating": {"jinja2"},
    "autodeploy.analyser": {
        "detect_secrets",
        "nodesemver",
        "packaging",
        "tree_sitter",
        "tree_sitter_go",
        "tree_sitter_javascript",
        "tree_sitter_typescript",
        "yaml",
    },
    "autodeploy.builder": {"packaging"},
    "autodeploy.planner": {"pydantic"},
    "autodeploy.releaser": {"pydantic"},
    "autodeploy.hardener": {"pydantic"},
    "autodeploy.converger": set(),
    "autodeploy.identity": set(),
    "autodeploy.interruption": set(),
    "autodeploy.approval": set(),
    "autodeploy.retreat": set(),
    "autodeploy.safekeeping": set(),
    "autodeploy.entering": set(),
    "autodeploy.ledger": set(),
    "autodeploy.stages": {"tenacity"},
    "autodeploy.conductor": set(),
    "autodeploy.agents": {"strands"},
    "autodeploy.adapters.aws": {"boto3", "botocore"},
    "autodeploy.adapters.build": {"pydantic"},
    "autodeploy.adapters.clock": set(),
    "autodeploy.adapters.git": {"git"},
    "autodeploy.adapters.keys": {"cryptography"},
    "autodeploy.adapters.outside": set(),
    "autodeploy.adapters.pulumi": {"pulumi", "grpc", "semver"},
    "autodeploy.adapters.ssh": {"paramiko"},
    "autodeploy.adapters.store": {"pydantic"},
    "autodeploy.adapters.terminal": {"rich"},
    "autodeploy.adapters.tls": {"cryptography"},
    "autodeploy.certifying": set(),
    "autodeploy.cli": {"typer", "click"},
    "stacks": {"pulumi", "pulumi_aws"},
}
"""All that each part may import besides the standard library and the house. `wiring` and `local` are free."""


@cache
def graph() -> grimp.ImportGraph:
    return grimp.build_graph("autodeploy", "stacks", include_external_packages=True)


def named(path: Path) -> str:
    return str(path.relative_to(ROOT))


def parts() -> list[str]:
    """Return the units that the table speaks of, as they stand on disk."""
    top = {f"autodeploy.{path.stem}" for path in (ROOT / "autodeploy").iterdir() if not path.name.startswith("_")}
    adapters = (ROOT / "autodeploy" / "adapters").iterdir()
    units = {f"autodeploy.adapters.{path.stem}" for path in adapters if not path.name.startswith("_")}
    return sorted((top | units | {"stacks"}) - {"autodeploy.adapters", "autodeploy.local", "autodeploy.wiring"})


def test_the_table_knows_every_part() -> None:
    assert parts() == sorted(LIBRARIES)


@pytest.mark.parametrize("part", sorted(LIBRARIES))
def test_a_part_imports_only_its_own_library(part: str) -> None:
    modules = [module for module in graph().modules if module == part or module.startswith(f"{part}.")]
    imported = {name.split(".")[0] for module in modules for name in graph().find_modules_directly_imported_by(module)}
    assert imported - STANDARD - {"autodeploy", "stacks"} <= LIBRARIES[part]


def test_no_file_is_too_long() -> None:
    lengths = {named(path): len(path.read_text("utf-8").splitlines()) for path in EVERYTHING}
    assert {name: length for name, length in lengths.items() if length > TOO_LONG} == {}


def test_a_typical_file_is_short() -> None:
    lengths = [len(path.read_text("utf-8").splitlines()) for path in PRODUCT]
    assert statistics.median(lengths) <= TYPICAL


def body_lines(node: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    """Count the lines of the work itself: a signature with its flags and a docstring are for the reader."""
    work = node.body[1:] if ast.get_docstring(node) is not None else node.body
    return (work[-1].end_lineno or 0) - work[0].lineno + 1 if work else 0


def test_no_function_is_too_long() -> None:
    lengths = {
        f"{named(path)}:{node.lineno} {node.name}": body_lines(node)
        for path in PRODUCT
        for node in ast.walk(ast.parse(path.read_text("utf-8")))
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef))
    }
    assert {name: length for name, length in lengths.items() if length > FUNCTION} == {}


def test_every_module_says_what_it_is_in_a_few_lines() -> None:
    for path in PRODUCT:
        text = path.read_text("utf-8")
        docstring = ast.get_docstring(ast.parse(text)) or ""
        assert docstring or not text.strip(), f"{named(path)} says nothing"
        assert len(docstring.splitlines()) <= DOCSTRING or path.name in DRAWINGS, named(path)


def test_nobody_is_a_helper() -> None:
    words = {"util", "utils", "helper", "helpers", "manager", "managers", "common"}
    assert [named(path) for path in PRODUCT if words & set(path.stem.lower().split("_"))] == []


def test_the_command_line_starts_without_the_heavy_libraries() -> None:
    heavy = (
        "strands",
        "pulumi",
        "pulumi_aws",
        "boto3",
        "botocore",
        "paramiko",
        "moto",
        "git",
        "grpc",
        "cryptography",
        "tree_sitter",
        "nodesemver",
        "detect_secrets",
        "requests",
    )
    program = f"import sys, autodeploy.cli; print(*(name for name in {heavy!r} if name in sys.modules))"
    loaded = subprocess.run([sys.executable, "-c", program], check=True, capture_output=True, text=True, cwd=ROOT)
    assert loaded.stdout.split() == []
