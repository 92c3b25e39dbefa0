"""A home whose runs are struck at a point; what they come to, and what the world looks like afterwards."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

from integration.world import ROOT, World

from autodeploy.model import STAGES
from interrupted.census import census, processes
from interrupted.effects import Point

MISSED = "the point was not reached"
SCENARIOS = {
    "flask-postgres": ("flask-postgres", "--env", "SECRET_KEY=for-the-test"),
    "two-machines": ("fastapi-plain", "--instances", "2"),
}
"""What is deployed otherwise than a sample of the same name as it is: the sample, and flags."""


class Ran(NamedTuple):
    """How one run ended. `moments` is its trace."""

    code: int
    said: str
    moments: tuple[str, ...]

    def approved(self) -> bool:
        """Say whether the plan was approved, and that was on disk before the run ended."""
        saves = [moment for moment in self.moments if moment.startswith("after store.save ")]
        later = STAGES[STAGES.index("plan") :]
        return any(f" after {stage}#" in moment for moment in saves for stage in later)


class Place(World):
    """One home. `resting` is what there is when nothing is deployed; `standing` what one deployment of a sample has."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self.cache = Path(os.environ.get("AUTODEPLOY_CACHE", "~/.cache/autodeploy")).expanduser()
        self.environment["PYTHONPATH"] = os.pathsep.join([str(ROOT), str(ROOT / "tests")])
        self.resting: Counter[str] = Counter()
        self.standing: dict[str, Counter[str]] = {}
        self._runs = 0

    def begin(self) -> None:
        """Start the daemon."""
        assert self.run("local", "status").returncode == 0
        from autodeploy.local.client import LocalTarget

        LocalTarget(self.home, self.cache).ensure()

    def rest(self) -> None:
        """Count from here; what another case could not take back is not this one's."""
        self.resting = Counter()
        self.resting = self.counted()

    def counted(self) -> Counter[str]:
        """Count what there is beyond an empty account, once what a killed run left running has ended by itself."""
        deadline = time.monotonic() + 60
        while processes(self.home) and time.monotonic() < deadline:
            time.sleep(0.2)
        found = census(self.home, self.cache)
        found.subtract(self.resting)
        return Counter({kind: number for kind, number in found.items() if number})

    def command(
        self, *arguments: str, point: Point | None = None, unseen: Sequence[str] = (), answers: bool = True
    ) -> Ran:
        """Run a command to its end, or to the point where it is struck; without `answers` a question is an error."""
        self._runs += 1
        trace = self.folder / f"trace-{self._runs}"
        words = [sys.executable, "-m", "interrupted", "--trace", str(trace)]
        words += ["--point", str(point)] if point else []
        words += ["--unseen", *unseen] if unseen else []
        words += [] if answers else ["--nobody-answers"]
        done = subprocess.run(
            [*words, *arguments],
            cwd=self.folder,
            env=self.environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
            timeout=900,
            start_new_session=True,
        )
        return Ran(done.returncode, done.stdout, tuple(trace.read_text().splitlines()) if trace.exists() else ())

    def struck(self, point: Point, *arguments: str) -> Ran:
        """Run a command that is struck; it must come to the point, and end as what strikes it makes it end."""
        ran = self.command(*arguments, point=point)
        assert f"{point.moment} {point.effect}" in ran.moments, f"{MISSED}: {point}\n{ran.said}"
        assert ran.code in ((-9,) if point.strike == "KILL" else (130, 0)), ran.said
        return ran

    def deployed(self, name: str, answers: bool = True, sample: str = "fastapi-plain") -> Any:
        """Deploy, to the end; the public URL must answer with the release of the ledger. Return the ledger."""
        ran = self.command(*self.deploy(name, sample), answers=answers)
        assert ran.code == 0, ran.said
        state = self.state(name)
        assert state["status"] == "complete", ran.said
        machines = 1 + len(state["infrastructure"].get("more_machines", ()))
        served = {self.serving(state) for _ in range(machines)}  # the balancer asks each in its turn
        assert served == {state["deployment_config"]["release_id"]}
        return state

    def deploy(self, name: str, sample: str) -> list[str]:
        """Return the words of the one command that is given again and again."""
        sample, *flags = SCENARIOS.get(sample, (sample,))
        repository = self.folder / sample
        if not repository.exists():
            self.repository(sample)
        return ["deploy", f"file://{repository}", "struck", "--target", "local", "--name", name, *flags]

    def destroyed(self, identifier: str) -> None:
        """Destroy, to the end; nothing is left but last snapshots of a database, which are deleted too."""
        ran = self.command("destroy", identifier, "--yes")
        assert ran.code == 0, ran.said
        kept = self.json("db", "backups", identifier)
        for snapshot in kept:
            assert self.run("db", "delete", snapshot["name"], identifier, "--yes").returncode == 0
        assert self.counted() == Counter(), ran.said

    def state(self, name: str) -> Any:
        """Return the ledger of the one deployment of this name."""
        found = [state for state in self.json("list") if state["name"] == name]
        assert len(found) == 1, found
        return self.json("status", found[0]["deployment_id"])

    def serving(self, state: Any) -> str:
        """Return the release that answers at the public URL."""
        lines = self.curl(state["deployment_id"], path=state["tech_stack"]["health_check_path"]).splitlines()
        assert " 200" in lines[0], lines
        return next(line.split(": ")[1] for line in lines if line.lower().startswith("x-autodeploy-release"))
