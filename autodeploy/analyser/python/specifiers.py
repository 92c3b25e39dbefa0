"""A dependency as Poetry and Pipenv write it in; the PEP 508 requirement that says the same out."""

from __future__ import annotations

import re
from typing import Any


def requirement_of(name: str, value: Any) -> str | None:
    """Return the requirement of one entry of a Poetry or Pipfile table; None for what production does not install."""
    if isinstance(value, list):
        value = next((item for item in value if isinstance(item, dict)), None)
    if isinstance(value, str):
        return f"{name}{specifier_of(value)}"
    if not isinstance(value, dict) or value.get("optional"):
        return None
    extras = value.get("extras")
    bare = f"{name}[{','.join(map(str, extras))}]" if isinstance(extras, list) and extras else name
    if isinstance(value.get("git"), str):
        reference = next((value[key] for key in ("rev", "tag", "ref", "branch") if isinstance(value.get(key), str)), "")
        return f"{bare} @ git+{value['git'].removeprefix('git+')}{'@' + reference if reference else ''}"
    if isinstance(value.get("url"), str):
        return f"{bare} @ {value['url']}"
    if isinstance(value.get("path"), str) and not value["path"].startswith(".."):
        return f"{bare} @ file:///app/src/{value['path'].removeprefix('./')}"
    version = value.get("version", None if "path" in value else "*")
    return f"{bare}{specifier_of(version)}" if isinstance(version, str) else None


def specifier_of(version: str) -> str:
    """Return the PEP 440 specifier of a version as Poetry and Pipfile write it (^1.2, ~1.2, 1.2.*, *, >=1 <2)."""
    first = version.split("||", maxsplit=1)[0]
    parts = [part.strip() for part in re.split(r",|(?<=[\w*])\s+(?=[<>=!~^])", first)]
    return ",".join(filter(None, (_one_specifier(part) for part in parts)))


def _one_specifier(part: str) -> str:
    if part in {"*", ""}:
        return ""
    if part[0] in "<>=!" or part.startswith("~="):
        return part
    if part[0] not in "^~":
        return f"=={part}"
    bare = part[1:].strip()
    numbers = [int(number) for number in re.findall(r"\d+", bare)][:3]
    if not numbers:
        return ""
    fixed = next((index for index, number in enumerate(numbers) if number), len(numbers) - 1) if part[0] == "^" else 1
    fixed = min(fixed, len(numbers) - 1)
    upper = [*numbers[:fixed], numbers[fixed] + 1]
    return f">={bare},<{'.'.join(str(number) for number in upper)}"
