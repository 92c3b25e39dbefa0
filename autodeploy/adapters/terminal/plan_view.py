"""Plan and Preview -> what a person reads before saying yes. Knows nothing of how it is shown."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from autodeploy.adapters.terminal import printable
from autodeploy.model import CostLine, Plan, Preview, ResourceChange
from autodeploy.model.plan import short_type

_OPERATIONS = {
    "same": (" ", "keep", "dim"),
    "create": ("+", "create", "green"),
    "update": ("~", "change", "yellow"),
    "replace": ("±", "replace", "red"),
    "delete": ("-", "delete", "red"),
    "import": ("=", "import", "cyan"),
    "read": (">", "read", "cyan"),
    "refresh": (">", "refresh", "cyan"),
    "other": ("?", "other", "yellow"),
}


def render(plan: Plan, preview: Preview) -> RenderableType:
    """Return the whole view: where, what happens, what it costs, what to know."""
    parts: list[RenderableType] = [Text("")]
    if preview.changes:
        parts += [_operations(preview.changes), Text("")]
    # What the question is about stands nearest to it; the table of operations is long.
    parts += [_counts(preview), Text(""), _what(plan), Text(""), _costs(plan.cost), _total(plan)]
    if plan.notes:
        parts += [Text(""), *(Text(f"Note: {printable.line(note)}") for note in plan.notes)]
    return Group(*parts, Text(""))


def _what(plan: Plan) -> Table:
    infra = plan.infra
    table = Table.grid(padding=(0, 2))
    table.add_column(style="dim")
    table.add_column(overflow="fold")
    place = "this machine (local target)" if infra.target == "local" else "AWS"
    for label, value in (
        ("Plan for", f"{infra.name} ({infra.deployment_id})"),
        ("Target", place),
        ("Account", infra.account_id),
        ("Region", f"{infra.region}, zones {' and '.join(infra.zones)}"),
        ("Server", f"{infra.instance_type}, {infra.root_volume_gb} GiB, image {infra.image_id}"),
        ("SSH from", infra.admin_cidr),
        *plan.application,
    ):
        table.add_row(label, Text(printable.line(value)))
    return table


def _operations(changes: Sequence[ResourceChange]) -> Table:
    table = Table(box=None, pad_edge=False, header_style="dim", padding=(0, 2, 0, 0))
    table.add_column("Operation", no_wrap=True)
    headings = ["Resource", "Name", *(["Because of"] if any(change.reasons for change in changes) else [])]
    for heading in headings:
        table.add_column(heading, overflow="fold")
    for change in changes:
        sign, verb, style = _OPERATIONS[change.operation]
        cells = [short_type(change.type), change.name, ", ".join(change.reasons)]
        row = [Text(printable.line(cell)) for cell in cells[: len(headings)]]
        table.add_row(Text(f"{sign} {verb}", style=style), *row)
    return table


def _counts(preview: Preview) -> Text:
    if not preview.changes:
        return Text(f"No changes: all {preview.unchanged} resources stand as planned.")
    counted = Counter(_OPERATIONS[change.operation][1] for change in preview.changes)
    parts = [f"{count} to {verb}" for verb, count in counted.items()]
    return Text(f"{', '.join(parts)}, {preview.unchanged} unchanged", style="bold")


def _costs(cost: Iterable[CostLine]) -> Table:
    table = Table(box=None, pad_edge=False, header_style="dim", padding=(0, 2, 0, 0))
    table.add_column("Cost", overflow="fold")
    table.add_column("USD a month", justify="right", no_wrap=True)
    table.add_column("Basis", overflow="fold", style="dim")
    for entry in cost:
        price = "unknown" if entry.usd_per_month is None else f"{entry.usd_per_month:,.2f}"
        table.add_row(Text(printable.line(entry.what)), price, Text(printable.line(entry.basis)))
    return table


def _total(plan: Plan) -> Text:
    text = f"Sum: {plan.bill} (prices of {plan.prices_as_of})"
    if plan.infra.target == "local":
        text += ". The local target charges nothing: this is what AWS would charge."
    return Text(text, style="bold")
