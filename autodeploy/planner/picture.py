"""InfraPlan -> a picture of it, as lines of text for a terminal and as SVG. The same plan gives the same bytes."""

from __future__ import annotations

from autodeploy.model import InfraPlan
from autodeploy.planner.layout import Arrow, Box, Layout, lay_out
from autodeploy.templating import render

CORNERS = {"network": tuple("╔╗╚╝═║"), "subnets": tuple("┌┐└┘╌╎"), "thing": tuple("┌┐└┘─│")}
"""The four corners, across, and down."""
CELL_WIDTH, CELL_HEIGHT = 9, 20
"""Pixels of a character in the SVG."""


def text(infra: InfraPlan) -> tuple[str, ...]:
    """Return the picture as lines of at most 78 characters."""
    layout = lay_out(infra)
    rows = [[" "] * layout.width for _ in range(layout.height)]
    for box in layout.boxes:
        _frame(rows, box)
    for arrow in layout.arrows:
        _way(rows, arrow)
    for box in layout.boxes:  # after the ways, so that none of them takes a sign out of a name
        edge = box.y if box.kind == "thing" else box.y + box.height - 1
        _write(rows, box.x + 2, edge, f" {box.title} ")
    _write(rows, 2, 0, layout.source)
    return tuple("".join(row).rstrip() for row in rows)


def svg(infra: InfraPlan) -> str:
    """Return the picture as an SVG document."""
    layout: Layout = lay_out(infra)
    return render(
        "report/infrastructure.svg.j2",
        title=f"{infra.name} ({infra.deployment_id})",
        layout=layout,
        cell_width=CELL_WIDTH,
        cell_height=CELL_HEIGHT,
    )


def _frame(rows: list[list[str]], box: Box) -> None:
    upper_left, upper_right, lower_left, lower_right, across, down = CORNERS[box.kind]
    inside = box.width - 2
    _write(rows, box.x, box.y, f"{upper_left}{across * inside}{upper_right}")
    for y in range(box.y + 1, box.y + box.height - 1):
        _write(rows, box.x, y, down)
        _write(rows, box.x + box.width - 1, y, down)
    _write(rows, box.x, box.y + box.height - 1, f"{lower_left}{across * inside}{lower_right}")
    for number, line in enumerate(box.lines, 1):
        _write(rows, box.x + 2, box.y + number, line)


def _way(rows: list[list[str]], arrow: Arrow) -> None:
    if arrow.y == arrow.to_y:
        _write(rows, arrow.x, arrow.y, "─" * (arrow.to_x - arrow.x) + "▶")
        _write(rows, arrow.x + (arrow.to_x - arrow.x - len(arrow.label)) // 2, arrow.y - 1, arrow.label)
        return
    for y in range(arrow.y, arrow.to_y):
        _write(rows, arrow.x, y, "│")
    _write(rows, arrow.x, arrow.to_y, "▼")
    _write(rows, arrow.x + 2, arrow.to_y - 1, arrow.label)


def _write(rows: list[list[str]], x: int, y: int, written: str) -> None:
    for offset, sign in enumerate(written):
        rows[y][x + offset] = sign
