"""LockOwner: who holds a deployment, as its lock file tells."""

from __future__ import annotations

from autodeploy.model.noun import Noun


class LockOwner(Noun):
    """The owner of one lock. `lives` is None where this machine cannot know; `what` names what is locked."""

    what: str
    pid: int | None = None
    host: str = ""
    since: str = ""
    doing: str = ""
    lives: bool | None = None

    def __str__(self) -> str:
        """Return one line for a person."""
        who = f"process {self.pid}" if self.pid else "a process that did not sign"
        where = f" on {self.host}" if self.host else ""
        doing = f" ({self.doing})" if self.doing else ""
        since = f", since {self.since}" if self.since else ""
        return f"{who}{where}{doing}{since}"
