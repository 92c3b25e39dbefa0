"""Targets of one group: who is healthy, whose turn it is, and what still runs there. Answers come from real requests.

As on an ALB one good answer makes a new target healthy, and a target that leaves may finish its requests.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Iterator

import aiohttp

from autodeploy.local.dataplane import Target, TargetGroup

CHECK_SECONDS = 5.0
# An ALB keeps its interval for unhealthy targets too; a person who waits for a release should not.
IMPATIENT_SECONDS = 0.5


class TargetState:
    """One target's record."""

    def __init__(self, target: Target) -> None:
        self.target = target
        self.status = "initial"
        self.good = 0
        self.bad = 0
        self.running: set[asyncio.Task[object]] = set()

    def count(self, failure: str, group: TargetGroup) -> None:
        """Take the result of one check; "" is success."""
        self.good, self.bad = (0, self.bad + 1) if failure else (self.good + 1, 0)
        if failure and self.bad >= group.unhealthy_threshold:
            self.status = f"unhealthy: {failure}"
        elif not failure and (self.status == "initial" or self.good >= group.healthy_threshold):
            self.status = "healthy"


class TargetPool:
    """The targets of one group, checked for as long as the pool is open."""

    def __init__(self, group: TargetGroup, session: aiohttp.ClientSession) -> None:
        self.group = group
        self.states = {target: TargetState(target) for target in group.targets}
        self._session = session
        self._turn = 0
        self._check = asyncio.create_task(self._check_for_ever())

    def update(self, group: TargetGroup) -> None:
        """Take the group's new description; targets that stay keep their health, others are drained."""
        if group.health_check_path != self.group.health_check_path:
            for state in self.states.values():
                state.status, state.good, state.bad = "initial", 0, 0
        gone = [state for target, state in self.states.items() if target not in group.targets]
        self.states = {target: self.states.get(target) or TargetState(target) for target in group.targets}
        for state in gone:
            asyncio.get_running_loop().call_later(self.group.drain, _cut, state)
        self.group = group
        self._check.cancel()
        self._check = asyncio.create_task(self._check_for_ever())

    def next(self) -> TargetState | None:
        """Return the healthy target whose turn it is, None when no target is healthy."""
        healthy = [state for state in self.states.values() if state.status == "healthy"]
        if not healthy:
            return None
        self._turn += 1
        return healthy[self._turn % len(healthy)]

    def health(self) -> dict[str, str]:
        """Return each target's address with its status."""
        return {target.address: state.status for target, state in self.states.items()}

    async def close(self) -> None:
        """Stop checking."""
        self._check.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await self._check

    async def _check_for_ever(self) -> None:
        while True:
            states = list(self.states.values())
            for state, failure in zip(states, await asyncio.gather(*map(self._ask, states)), strict=True):
                state.count(failure, self.group)
            patient = all(state.status == "healthy" for state in states)
            await asyncio.sleep(self.group.interval if patient else min(self.group.interval, IMPATIENT_SECONDS))

    async def _ask(self, state: TargetState) -> str:
        url = f"http://{state.target.address}:{state.target.port}{self.group.health_check_path}"
        timeout = aiohttp.ClientTimeout(total=CHECK_SECONDS)
        headers = {"User-Agent": "ELB-HealthChecker/2.0"}
        try:
            async with self._session.get(url, allow_redirects=False, timeout=timeout, headers=headers) as answer:
                return "" if 200 <= answer.status < 500 else f"HTTP {answer.status} on {self.group.health_check_path}"
        except asyncio.TimeoutError:
            return f"no answer within {CHECK_SECONDS:g} s"
        except aiohttp.ClientError as err:
            return str(err)


@contextlib.contextmanager
def occupied(state: TargetState) -> Iterator[None]:
    """Count the current task as running on the target, so that draining can end it."""
    task = asyncio.current_task()
    assert task is not None
    state.running.add(task)
    try:
        yield
    finally:
        state.running.discard(task)


def _cut(state: TargetState) -> None:
    for task in list(state.running):
        task.cancel()
