"""Renders the files under templates/, the only reader of that folder; a value that a template misses is an error."""

from __future__ import annotations

import shlex
from functools import lru_cache
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined


def render(name: str, **values: object) -> str:
    """Return the template `name`, a path below templates/, filled with `values`; the filter `sh` quotes for a shell."""
    return _environment().get_template(name).render(**values)


@lru_cache(maxsize=1)
def _environment() -> Environment:
    packaged = Path(__file__).parent / "_templates"  # where the wheel keeps them
    folder = packaged if packaged.is_dir() else Path(__file__).parent.parent / "templates"
    environment = Environment(
        loader=FileSystemLoader(folder),
        undefined=StrictUndefined,
        autoescape=False,  # shell, YAML and unit files; HTML escapes with the filter `e`
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    environment.filters["sh"] = lambda value: shlex.quote(str(value))
    return environment
