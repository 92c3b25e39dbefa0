"""Whether the balancer finds a machine healthy, in the words of AWS and of the local target."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from fakes.account import FakeCloud
from fakes.person import FakeClock
from fakes.world import World

from autodeploy.agents.machines import await_rotation
from autodeploy.errors import DeploymentError
from autodeploy.model import Machine

MACHINE = Machine(name="app-2", instance_id="i-2", public_ip="203.0.113.2", private_ip="10.0.3.2")


class Account(FakeCloud):
    """Tells of targets what it was given, each look the next; the last one for ever."""

    def __init__(self, *looks: Sequence[str]) -> None:
        super().__init__(World(), None)
        self.looks = list(looks)

    def target_health(self, deployment_id: str) -> Sequence[str]:
        return self.looks.pop(0) if len(self.looks) > 1 else self.looks[0]


@pytest.mark.parametrize("line", ["i-2:80 healthy", "10.0.3.2: healthy", "203.0.113.2: healthy"])
def test_a_healthy_machine_is_in_rotation(line: str) -> None:
    await_rotation(MACHINE, Account([line, "i-1:80 unhealthy Target.Timeout"]), FakeClock(), "a-1")


def test_it_is_waited_for() -> None:
    looks = (["i-2:80 initial Elb.InitialHealthChecking"], [], ["i-2:80 draining"], ["i-2:80 healthy"])
    await_rotation(MACHINE, Account(*looks), FakeClock(), "a-1")


@pytest.mark.parametrize(
    ("lines", "told"),
    [
        (["i-2:80 unhealthy Target.ResponseCodeMismatch: 502"], "i-2:80 unhealthy Target.ResponseCodeMismatch: 502"),
        (["10.0.3.2: unhealthy: HTTP 502 on /"], "10.0.3.2: unhealthy: HTTP 502 on /"),
        (["i-1:80 healthy", "i-22:80 healthy"], "it is no target of it"),
    ],
)
def test_one_that_stays_out_is_told_with_the_balancer_s_reason(lines: list[str], told: str) -> None:
    with pytest.raises(DeploymentError) as caught:
        await_rotation(MACHINE, Account(lines), FakeClock(), "a-1")
    assert caught.value.message == f"the balancer does not find it healthy: {told}"
    assert caught.value.recoverable
