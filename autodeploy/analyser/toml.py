"""TOML texts of a repository as plain tables; a broken text is an empty table."""

from __future__ import annotations

import sys
from typing import Any

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib


def table(text: str, *keys: str) -> dict[str, Any]:
    """Return the table under a chain of keys; {} when there is none."""
    try:
        value: Any = tomllib.loads(text)
    except (ValueError, RecursionError):
        return {}
    for key in keys:
        value = value.get(key) if isinstance(value, dict) else None
    return value if isinstance(value, dict) else {}


def fault(text: str) -> str | None:
    """Return what makes a text no TOML; None when it is."""
    try:
        tomllib.loads(text)
    except (ValueError, RecursionError) as err:
        return str(err)
    return None


def line_of(text: str, word: str) -> int:
    """Return the number of the first line that holds `word`; 0 when none does."""
    return next((number for number, line in enumerate(text.splitlines(), 1) if word in line), 0)
