"""Carries the stages in order as a Strands graph of deterministic nodes.

A node never raises: its outcome stands in the carried box and the edges test it, since a failing
node would abort the graph, and a failed one is pruned (https://strandsagents.com). Neither
retries nor persists; that is the conductor's.
"""

from __future__ import annotations

import asyncio
import itertools
import signal
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

Step = tuple[str, Callable[[], None]]


@dataclass
class Outcome:
    """What the walk came to: the nodes that ran to their end, in order, and the error that stopped it."""

    finished: list[str] = field(default_factory=list)
    error: Exception | None = None


def walk(steps: Sequence[Step]) -> Outcome:
    """Run the steps in order through a Strands graph; stop at the first that raises; return the outcome."""
    outcome = Outcome()
    if steps:
        asyncio.run(_stream(_graph(steps, outcome)))
    return outcome


def _graph(steps: Sequence[Step], outcome: Outcome) -> Any:
    from strands.multiagent import GraphBuilder

    builder = GraphBuilder()
    for name, action in steps:
        builder.add_node(_node(name, action, outcome), name)
    for (before, _), (after, _) in itertools.pairwise(steps):
        builder.add_edge(before, after, condition=lambda _state: outcome.error is None)
    builder.set_entry_point(steps[0][0])
    builder.set_max_node_executions(len(steps))
    return builder.build()


def _node(name: str, action: Callable[[], None], outcome: Outcome) -> Any:
    from strands.multiagent.base import MultiAgentBase, MultiAgentResult, Status

    class StageNode(MultiAgentBase):
        """One stage; completes whatever came of it."""

        id = name

        async def invoke_async(self, task: Any, invocation_state: Any = None, **kwargs: Any) -> MultiAgentResult:
            try:
                action()
                outcome.finished.append(name)
            except Exception as err:
                outcome.error = err
            return MultiAgentResult(status=Status.COMPLETED)

        def serialize_state(self) -> dict[str, Any]:
            return {"id": name}

        def deserialize_state(self, payload: dict[str, Any]) -> None:
            """Nothing to restore: the ledger is the record."""

    return StageNode()


async def _stream(graph: Any) -> None:
    # asyncio.run turns the first Ctrl-C into a cancellation that a blocking stage would not see before its end.
    if threading.current_thread() is threading.main_thread():
        signal.signal(signal.SIGINT, signal.default_int_handler)
    async for _event in graph.stream_async("deploy"):
        pass
