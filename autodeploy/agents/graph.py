"""Carries the stages in order as a Strands graph of deterministic nodes.

A node never raises: its outcome stands in the carried box and the edges test it, since a failing
node would abort the graph, and a failed one is pruned (https://strandsagents.com). Neither
retries nor persists; that is the conductor's.
"""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from autodeploy.interruption import heard

Step = tuple[str, Callable[[], None]]


@dataclass
class Outcome:
    """What the walk came to: the nodes that ran to their end, in order, and the error that stopped it."""

    finished: list[str] = field(default_factory=list)
    error: Exception | None = None
    interrupt: KeyboardInterrupt | None = None

    @property
    def goes_on(self) -> bool:
        """Whether nothing has stopped the walk."""
        return self.error is None and self.interrupt is None


def walk(steps: Sequence[Step]) -> Outcome:
    """Run the steps in order through a Strands graph; stop at the first that raises; return the outcome.

    An interrupt is no outcome: it is raised here, once the graph has been left in order.
    """
    outcome = Outcome()
    if steps:
        # asyncio.run would make the first Ctrl-C a cancellation, which a blocking stage does not see before its end;
        # where signals are answered already, it leaves them alone.
        with heard():
            asyncio.run(_stream(_graph(steps, outcome)))
    if outcome.interrupt is not None:
        raise outcome.interrupt
    return outcome


def _graph(steps: Sequence[Step], outcome: Outcome) -> Any:
    from strands.multiagent import GraphBuilder

    builder = GraphBuilder()
    for name, action in steps:
        builder.add_node(_node(name, action, outcome), name)
    for (before, _), (after, _) in itertools.pairwise(steps):
        builder.add_edge(before, after, condition=lambda _state: outcome.goes_on)
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
            except KeyboardInterrupt as err:
                outcome.interrupt = err
            except Exception as err:
                outcome.error = err
            return MultiAgentResult(status=Status.COMPLETED)

        def serialize_state(self) -> dict[str, Any]:
            return {"id": name}

        def deserialize_state(self, payload: dict[str, Any]) -> None:
            """Nothing to restore: the ledger is the record."""

    return StageNode()


async def _stream(graph: Any) -> None:
    async for _event in graph.stream_async("deploy"):
        pass
