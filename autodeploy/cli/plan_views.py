"""How a preview looks on standard output: the plan's own view, or one JSON object of operations and bill."""

from __future__ import annotations

import json
import shutil
import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from autodeploy.model import Plan, Preview

OF_A_PIPE = 120
"""Columns of what nobody's window limits."""


def show_preview(preview: Preview, plan: Plan) -> None:
    """Print picture, operations with their reasons, and bill."""
    from autodeploy.adapters.terminal import plan_view

    plan_view.write(plan, preview, sys.stdout, shutil.get_terminal_size().columns if sys.stdout.isatty() else OF_A_PIPE)


def preview_as_json(preview: Preview, plan: Plan) -> str:
    """Return operations and bill; `usd_difference` is to what stands, null where nothing does."""
    bill = {
        "cost": [line.model_dump() for line in plan.cost],
        "usd_per_month": plan.usd_per_month,
        "usd_difference": plan.usd_difference,
        "prices_as_of": plan.prices_as_of,
    }
    return json.dumps({**preview.model_dump(exclude={"picture"}), **bill}, indent=2)
