"""Taking infrastructure back: which resources are of a part, and what the account still has once the engine is done.

Looks until the account shows no more, a bounded while; never deletes anything itself.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from autodeploy.agents.agent import HiveMindAgent
from autodeploy.agents.drifting import with_foreign
from autodeploy.errors import StateError
from autodeploy.model import (
    DeploymentState,
    Drift,
    Leftover,
    Part,
    PriceList,
    Standing,
    Target,
)
from autodeploy.model.plan import short_type
from autodeploy.planner.prices import per_month
from autodeploy.ports import Clock, Cloud, Engine, Say

SWEEP_SECONDS: dict[Target, float] = {"aws": 180.0, "local": 5.0}
"""How long AWS may go on showing what is deleted: a balancer's addresses and a database's secret go some time later."""

PAUSE_SECONDS = 5.0
GROUP = "aws:ec2/securityGroup:SecurityGroup"
COMPONENTS: dict[Part, str] = {"compute": "autodeploy:compute:Compute$"}
SAID: dict[Part, str] = {"compute": "the machine, with what is on its disk, and what depends on it"}


class Dismantling(HiveMindAgent):
    """The half of HiveMind SysEng that looks at what stands, and takes a part of it away."""

    _engine: Engine
    _cloud: Cloud

    def arns(self, state: DeploymentState) -> tuple[str, ...]:
        """Return the ARNs of what the stack's state has, after those that an earlier destruction found there."""
        with self._working_on(state), self._attempting("Reading what stands"):
            self._engine.repair(state.deployment_id, self.say)
            found = [each.arn for each in self._engine.standing(state.deployment_id) if each.arn]
            return tuple(dict.fromkeys([*state.doomed, *found]))

    def drift(self, state: DeploymentState) -> Drift:
        """Return what somebody changed by hand; raise StateError where nothing stands."""
        with self._working_on(state), self._attempting("Comparing the infrastructure with the account"):
            made = self._engine.standing(state.deployment_id)
            if not made:
                anew = f"Make it: autodeploy deploy {state.repo_url}"
                raise StateError(f"{state.deployment_id} has no infrastructure", anew)
            return with_foreign(self._engine.drift(state.deployment_id, self.say), self._foreign_rules(made))

    def _foreign_rules(self, made: Sequence[Standing]) -> dict[Standing, Mapping[str, str]]:
        """Return, by the security group they are in, the rules that the stack did not make."""
        groups = {each.id: each for each in made if each.type == GROUP}
        foreign = self._cloud.foreign_rules(groups, [each.id for each in made])
        return {groups[group]: rules for group, rules in foreign.items()}

    def take_part(self, state: DeploymentState, part: Part) -> tuple[str, ...]:
        """Delete one part of the stack and what depends on it; return what went, by type and name."""
        with self._working_on(state), self._attempting(f"Deleting {part}"):
            identifier = state.deployment_id
            self._engine.repair(identifier, self.say)
            before = self._engine.standing(identifier)
            if urns := of_part(before, part):
                self._engine.destroy(identifier, self.say, only=urns)
            # The next machine has another host key.
            (self._store.folder(identifier) / "known_hosts").unlink(missing_ok=True)
            stay = {each.urn for each in self._engine.standing(identifier)}
            return tuple(label(each) for each in before if each.urn not in stay)


def of_part(standing: Iterable[Standing], part: Part) -> list[str]:
    """Return the URNs of the resources that the part's component made."""
    return [each.urn for each in standing if COMPONENTS[part] in each.urn]


def label(standing: Standing) -> str:
    """Return type and logical name, as in "aws:ec2:Instance app"."""
    return f"{short_type(standing.type)} {standing.urn.rsplit('::', 1)[-1]}"


def sweep(state: DeploymentState, cloud: Cloud, clock: Clock, say: Say) -> tuple[Leftover, ...]:
    """Return what of a deployment the account still has when it had its time, each with its monthly cost."""
    deadline = clock.now().timestamp() + SWEEP_SECONDS[state.target]
    seen: list[str] = []
    while left := cloud.leftovers(state.deployment_id, state.doomed):
        names = [each.name for each in left]
        if clock.now().timestamp() >= deadline:
            break
        if names != seen:
            say(f"the account still shows {len(names)}, looking again: {', '.join(names[:3])}")
        seen = names
        clock.sleep(PAUSE_SECONDS)
    prices = state.facts.prices if state.facts else PriceList()
    return tuple(each.but(usd_per_month=_cost(each, state.region, prices)) for each in left)


def bill(left: Iterable[Leftover]) -> str:
    """Return what all of it costs, as it may be said."""
    costs = [each.usd_per_month for each in left]
    known = sum(cost for cost in costs if cost is not None)
    return f"{'at least ' if None in costs else ''}{known:,.2f} USD a month"


def _cost(left: Leftover, region: str, prices: PriceList) -> float | None:
    if left.charged is None:
        return None
    costs = [per_month(region, key, amount, prices) for key, amount in left.charged]
    return None if None in costs else round(sum(cost or 0.0 for cost in costs), 2)
