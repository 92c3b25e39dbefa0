"""JSON as people write it: with comments and trailing commas. A text in, its value out; raises ValueError."""

from __future__ import annotations

import json
import re
from typing import Any

_STRING = r'"(?:\\.|[^"\\\n])*"'
_COMMENT = re.compile(rf"({_STRING})|//[^\n]*|/\*.*?\*/", re.DOTALL)
_TRAILING = re.compile(rf"({_STRING})|,(?=\s*[}}\]])")


def loads(text: str) -> Any:
    """Return the value; raise ValueError (json's own, with the line) where it is broken otherwise."""
    text = text.lstrip("\ufeff")
    try:
        return json.loads(text)
    except RecursionError as err:
        raise ValueError("it is nested too deeply") from err
    except ValueError as first:
        bare = _TRAILING.sub(lambda match: match[1] or "", _COMMENT.sub(lambda match: match[1] or "", text))
        try:
            return json.loads(bare)
        except (ValueError, RecursionError):
            raise first from None


def table(text: str) -> dict[str, Any]:
    """Return the object of a text; {} when it is broken or none."""
    try:
        value = loads(text)
    except ValueError:
        return {}
    return value if isinstance(value, dict) else {}
