"""What the system knows of another process: its id goes in; whether it lives, and whose child it is, comes out."""

from __future__ import annotations

import os
import subprocess
from contextlib import suppress
from datetime import datetime, timezone
from pathlib import Path

STARTER = "AUTODEPLOY_STARTER"
"""The variable in an engine's environment with the id of the process that started it."""
CLOCK_SLACK_SECONDS = 5.0


def lives(pid: int, since: datetime | None = None) -> bool:
    """Say whether the process runs, and did so at `since`; one that nobody has reaped yet does not."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        pass
    state, age = _asked(pid, "stat"), _asked(pid, "etimes")
    if state.startswith("Z"):
        return False
    if since is None or not age.isdigit():
        return True
    began = datetime.now(timezone.utc).timestamp() - int(age)
    return began <= since.timestamp() + CLOCK_SLACK_SECONDS


def is_orphan(pid: int) -> bool:
    """Say whether an engine of ours outlives the process that started it."""
    parent = _asked(pid, "ppid")
    starter = ""
    with suppress(OSError):  # only where there is /proc
        pairs = Path(f"/proc/{pid}/environ").read_bytes().split(b"\0")
        starter = next((p.split(b"=")[1].decode() for p in pairs if p.startswith(f"{STARTER}=".encode())), "")
    return parent not in ("", starter) if starter else parent == "1"


def command(pid: int) -> str:
    """Return the name of the process's executable; "" when it cannot be asked."""
    return _asked(pid, "comm")


def _asked(pid: int, column: str) -> str:
    try:
        asked = ["ps", "-o", f"{column}=", "-p", str(pid)]
        return subprocess.run(asked, capture_output=True, text=True, check=False, timeout=10).stdout.strip()
    except (OSError, subprocess.SubprocessError):
        return ""
