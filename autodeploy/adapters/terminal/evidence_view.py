"""Evidence -> a table for people: every fact with its place, its rule, what else there was, and how sure it is."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TextIO

from rich.console import Console
from rich.table import Table
from rich.text import Text

from autodeploy.adapters.terminal import printable
from autodeploy.model import Evidence

WIDE, NARROW = 120, 80
"""Columns from which rule, alternatives and confidence have columns of their own; below which the place has none."""


def write(evidence: Iterable[Evidence], stream: TextIO, width: int) -> None:
    """Write the table, `width` columns wide; what does not fit is folded, never cut."""
    console = Console(file=stream, width=width, highlight=False)
    table = Table(box=None, pad_edge=False, header_style="dim", padding=(0, 2, 0, 0))
    last = ("Where", "Rule", "Otherwise", "Confidence") if width >= WIDE else ("Where", "Because")
    for heading in ("Fact", "Value", *(last if width >= NARROW else last[1:])):
        table.add_column(heading, overflow="fold")
    for item in evidence:
        table.add_row(*(Text(printable.line(cell)) for cell in _cells(item, width)))
    console.print(table)


def _cells(item: Evidence, width: int) -> tuple[str, ...]:
    where = f"{item.file}:{item.line}" if item.line else item.file
    others = ", ".join(item.alternatives)
    if width >= WIDE:
        return (item.fact, item.value, where, item.rule, others, item.confidence)
    because = "; ".join(part for part in (item.rule, others and f"else {others}", item.confidence) if part)
    if width >= NARROW:
        return (item.fact, item.value, where, because)
    return (item.fact, item.value, f"{where}: {because}" if where else because)
