"""Evidence -> a table for people: every fact with its place, its rule, what else there was, and how sure it is."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TextIO

from rich.console import Console
from rich.table import Table
from rich.text import Text

from autodeploy.adapters.terminal import printable
from autodeploy.model import Evidence

WIDE = 120
"""Columns from which rule, alternatives and confidence have columns of their own."""


def write(evidence: Iterable[Evidence], stream: TextIO, width: int) -> None:
    """Write the table, `width` columns wide; what does not fit is folded, never cut."""
    is_wide = width >= WIDE
    console = Console(file=stream, width=width, highlight=False)
    table = Table(box=None, pad_edge=False, header_style="dim", padding=(0, 2, 0, 0))
    for heading in ("Fact", "Value", "Where", *(("Rule", "Otherwise", "Confidence") if is_wide else ("Because",))):
        table.add_column(heading, overflow="fold")
    for item in evidence:
        table.add_row(*(Text(printable.line(cell)) for cell in _cells(item, is_wide)))
    console.print(table)


def _cells(item: Evidence, is_wide: bool) -> tuple[str, ...]:
    where = f"{item.file}:{item.line}" if item.line else item.file
    others = ", ".join(item.alternatives)
    if is_wide:
        return (item.fact, item.value, where, item.rule, others, item.confidence)
    because = (item.rule, others and f"else {others}", item.confidence)
    return (item.fact, item.value, where, "; ".join(part for part in because if part))
