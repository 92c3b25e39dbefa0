"""Plan and Preview -> what a person reads before saying yes. Knows nothing of how it is shown."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import TextIO

from rich.console import Console, Group, RenderableType
from rich.table import Table
from rich.text import Text

from autodeploy.adapters.terminal import printable
from autodeploy.model import CostChange, Plan, Preview, ResourceChange
from autodeploy.model.plan import short_type

_OPERATIONS = {
    "import": ("=", "import", "cyan"),
    "read": (">", "read", "cyan"),
    "refresh": (">", "refresh", "cyan"),
    "other": ("?", "other", "yellow"),
    "same": (" ", "keep", "dim"),
    "create": ("+", "create", "green"),
    "update": ("~", "change", "yellow"),
    "replace": ("±", "replace", "red"),
    "delete": ("-", "delete", "red"),
}
"""Sign, verb and style, in the order in which they are shown: what can hurt stands last, nearest to the question."""


_PLAIN = str.maketrans("╔╗╚╝═║┌┐└┘╌╎─│▶▼…", "++++=|++++-:-|>v~")
"""What a terminal of ASCII shows of a picture."""


def write(plan: Plan, preview: Preview, stream: TextIO, width: int) -> None:
    """Write the view, at most `width` columns wide; what does not fit is folded, never cut."""
    console = Console(file=stream, width=width, highlight=False)
    console.print(render(plan, preview, stream.encoding))


def render(plan: Plan, preview: Preview, encoding: str | None = None) -> RenderableType:
    """Return the whole view: the picture, what happens and why, where, what it costs, what to know."""
    parts: list[RenderableType] = [Text("")]
    if preview.picture:
        parts += [_picture(preview.picture, encoding or "utf-8"), Text("")]
    for operation in _OPERATIONS:
        if changes := [change for change in preview.changes if change.operation == operation]:
            parts += [_operations(operation, changes), Text("")]
    # What the question is about stands nearest to it; the list of operations is long.
    parts += [_counts(preview), Text(""), _what(plan), Text(""), _costs(plan), _total(plan)]
    if plan.notes:
        parts += [Text(""), *(Text(f"Note: {printable.line(note)}") for note in plan.notes)]
    return Group(*parts, Text(""))


def _picture(rows: Sequence[str], encoding: str) -> Text:
    drawn = "\n".join(printable.line(row) for row in rows)
    try:
        drawn.encode(encoding)
    except UnicodeEncodeError:
        drawn = drawn.translate(_PLAIN)
    return Text(drawn, no_wrap=True, overflow="ignore")


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
        ("SSH from", infra.admin_cidr if infra.access == "ssh" else "nowhere: within sessions of Systems Manager"),
        *plan.application,
    ):
        table.add_row(label, Text(printable.line(value)))
    return table


def _operations(operation: str, changes: Sequence[ResourceChange]) -> RenderableType:
    sign, verb, style = _OPERATIONS[operation]
    table = Table.grid(padding=(0, 2, 0, 0))
    table.add_column(no_wrap=True, style=style)
    table.add_column(overflow="fold", ratio=1)
    table.add_column(overflow="fold", ratio=1)
    for change in changes:
        # The service is left out: the name tells the machine from the database, and needs the room.
        resource = f"{short_type(change.type).rpartition(':')[2]} {change.name}"
        table.add_row(f"  {sign}", Text(printable.line(resource)), Text(printable.line(_why(change))))
    return Group(Text(f"{len(changes)} to {verb}", style=f"bold {style}"), table)


def _why(change: ResourceChange) -> str:
    """Return why: what is different, or what comes or goes with the resource."""
    reasons = "; ".join(change.reasons)
    if change.operation == "delete":
        return f"no longer in the plan: {change.purpose}" if change.purpose else "no longer in the plan"
    return reasons or change.purpose


def _counts(preview: Preview) -> Text:
    if not preview.changes:
        return Text(f"No changes: all {preview.unchanged} resources stand as planned.")
    counted: Counter[str] = Counter(change.operation for change in preview.changes)
    parts = [
        f"{counted[operation]} to {_OPERATIONS[operation][1]}" for operation in _OPERATIONS if operation in counted
    ]
    return Text(f"{', '.join(parts)}, {preview.unchanged} unchanged", style="bold")


def _costs(plan: Plan) -> Table:
    is_other = any(change.usd != 0 for change in plan.comparison) and plan.cost_before is not None
    table = Table(box=None, pad_edge=False, header_style="dim", padding=(0, 2, 0, 0))
    table.add_column("Cost", overflow="fold")
    table.add_column("USD a month", justify="right", no_wrap=True)
    if is_other:
        table.add_column("More", justify="right", no_wrap=True)
    table.add_column("Basis", overflow="fold", style="dim")
    for change in plan.comparison:
        table.add_row(*_cost(change, is_other))
    return table


def _cost(change: CostChange, is_other: bool) -> list[RenderableType]:
    entry = change.now or change.before
    assert entry is not None
    price = "unknown" if entry.usd_per_month is None else f"{entry.usd_per_month:,.2f}"
    basis = entry.basis
    if change.now is None:
        price, basis = "0.00", "goes"
    elif change.before and change.before.what != entry.what:
        basis = f"{entry.basis}; was {change.before.what}"
    more = [_signed(change.usd)] if is_other else []
    return [Text(printable.line(entry.what)), price, *more, Text(printable.line(basis))]


def _signed(usd: float | None) -> str:
    return "unknown" if usd is None else f"{usd:+,.2f}" if usd else ""


def _compared(plan: Plan) -> str:
    more = plan.usd_difference
    if more is None:
        return ""
    return f", {abs(more):,.2f} {'more' if more > 0 else 'less'} than what stands" if more else ", as what stands"


def _total(plan: Plan) -> Text:
    text = f"Sum: {plan.bill}{_compared(plan)} (prices of {plan.prices_as_of})"
    if plan.infra.target == "local":
        text += ". The local target charges nothing: this is what AWS would charge."
    return Text(text, style="bold")
