"""The system's clock."""

from __future__ import annotations

import time
from datetime import datetime, timezone


class SystemClock:
    """Real time."""

    def now(self) -> datetime:
        """Return the time, aware, in UTC."""
        return datetime.now(timezone.utc)

    def sleep(self, seconds: float) -> None:
        """Wait."""
        time.sleep(seconds)
