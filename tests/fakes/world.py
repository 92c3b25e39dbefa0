"""What the fakes stand for: one account with its stacks, their machines, and one repository."""

from __future__ import annotations

from collections import defaultdict
from pathlib import Path

from fixtures.planned import LOCAL

from autodeploy.model import (
    Check,
    CloudFacts,
    HostedZone,
    InfraPlan,
    LockOwner,
    NetworkFacts,
    PriceList,
    ResourceDrift,
    Snapshot,
    Source,
)

EPOCH = "epoch-1"


class Machine:
    """A host after its boot: what was applied to it, which release serves, what it says and lets in.

    `stubborn` names the steps that stay wrong whatever is done; a `is_restless` service ends again and again; the
    balancer does not find one healthy that `is_out`, or that `boots`: so many looks from now, `slowness` after a start.
    """

    def __init__(self) -> None:
        self.applied: dict[str, str] = {}
        self.release = ""
        self.stopped = False
        self.log = "one\ntwo\nthree\n"
        self.open_ports: set[int] = {22, 80}
        self.stubborn: set[str] = set()
        self.is_restless = False
        self.is_out = False
        self.restarts = 0
        self.boots = 0
        self.slowness = 2

    @property
    def is_well(self) -> bool:
        """Whether the balancer would find it healthy."""
        return bool(self.release and not (self.stopped or self.is_out or self.boots))


class World:
    """All that stands outside of AutoDeploy. `commit` and `texts` are what the repository holds.

    The `machines` of a deployment are kept by its id; by "ID/app-2" and so on where it has several.
    `undeletable` is what a destruction leaves; `lagging` is what the account goes on showing, one look after the other;
    `missing` are the URNs that a stack has lost. `kinds` are the machines' types, by URN; `serving` is how many machines
    went on serving, each time that some were stopped for another type.
    `databases` are the rows of each database that stands, by its identifier, `kept` those of each snapshot by name.
    """

    def __init__(self, sample: str = "flask-postgres", facts: CloudFacts = LOCAL) -> None:
        self.sample = sample
        self.texts: dict[str, str] = {}
        self.commit = "a" * 40
        self.facts = facts
        self.epoch = EPOCH
        self.prices = PriceList()
        self.stacks: dict[str, InfraPlan] = {}
        self.history: dict[str, list[InfraPlan]] = defaultdict(list)
        self.machines: dict[str, Machine] = defaultdict(Machine)
        self.undeletable: tuple[str, ...] = ()
        self.checks: list[Check] = []
        self.lagging: list[tuple[str, ...]] = []
        self.missing: dict[str, set[str]] = defaultdict(set)
        self.kinds: dict[str, str] = {}
        self.serving: list[int] = []
        self.drift: tuple[ResourceDrift, ...] = ()
        self.foreign_rules: dict[str, str] = {}
        self.checkouts: dict[Path, Source] = {}
        self.builds = 0
        self.locks: dict[str, list[LockOwner]] = defaultdict(list)
        self.asked: list[tuple[str, Path | None, str | None]] = []
        self.zones: dict[str, HostedZone] = {}
        self.networks: dict[str, NetworkFacts] = {}
        self.public_authority: Path | None = None
        self.environment: dict[str, str] = {}
        self.databases: dict[str, str] = {}
        self.snapshots: dict[str, Snapshot] = {}
        self.kept: dict[str, str] = {}
        self.broken: dict[str, list[BaseException]] = defaultdict(list)

    def fleet(self, deployment_id: str) -> list[Machine]:
        """Return the machines of a deployment that were ever reached, the first one first."""
        return [self.machines[name] for name in sorted(self.machines) if name.partition("/")[0] == deployment_id]

    def port(self, deployment_id: str) -> int:
        """Return the loopback port of the deployment's balancer."""
        return 8443 + sorted(self.history).index(deployment_id)

    def happens(self, operation: str) -> None:
        """Let `operation` happen, or raise the next error that waits for it."""
        if self.broken[operation]:
            raise self.broken[operation].pop(0)
