"""The base of all nouns: frozen, keyword-only, compared by value, JSON both ways, unknown keys refused."""

from __future__ import annotations

import hashlib
from typing import Annotated, Any

from pydantic import AfterValidator, AwareDatetime, BaseModel, ConfigDict
from typing_extensions import Self


class Noun(BaseModel):
    """A frozen value."""

    model_config = ConfigDict(frozen=True, extra="forbid", validate_default=True)

    def to_json(self) -> str:
        """Return canonical JSON: two spaces of indent, fields in declared order."""
        return self.model_dump_json(indent=2)

    def digest(self) -> str:
        """Return the SHA-256, in hex, of the canonical JSON."""
        return hashlib.sha256(self.model_dump_json().encode()).hexdigest()

    def but(self, **changes: Any) -> Self:
        """Return a copy with some fields replaced, validated again."""
        return type(self).model_validate({**dict(self), **changes})


def _web_path(value: str) -> str:
    if not value.startswith("/"):
        raise ValueError(f"a path on the web begins with '/': {value!r}")
    return value


WebPath = Annotated[str, AfterValidator(_web_path)]
Timestamp = AwareDatetime
