"""The world as the agents see it: one Protocol per way out. Adapters fulfil them; wiring chooses the adapters."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from contextlib import AbstractContextManager
from datetime import datetime
from pathlib import Path
from typing import Any, Protocol

from autodeploy.model import (
    BuildArtifact,
    Check,
    CloudFacts,
    CommandResult,
    DeploymentState,
    Drift,
    HostedZone,
    InfraPlan,
    Leftover,
    LockOwner,
    LogEntry,
    NetworkFacts,
    Plan,
    Preview,
    PriceList,
    Recipe,
    Sighting,
    Snapshot,
    Source,
    Standing,
    TechStack,
)

Say = Callable[[str], None]
"""Takes one line of progress, without a newline."""


class Repo(Protocol):
    """Git."""

    def checkout(self, url: str, ref: str | None, subdirectory: str, into: Path) -> Source:
        """Bring the commit that `ref` names (default: HEAD) into `into`; raise SourceError."""


class Builder(Protocol):
    """The place where a repository's own code is run to build it."""

    def build(self, source: Source, stack: TechStack, recipe: Recipe, into: Path, say: Say) -> BuildArtifact:
        """Run the recipe in isolation, leave the archive in `into`, cached by digest; raise BuildError."""

    def trial(self, artifact: BuildArtifact, stack: TechStack, environment: Mapping[str, str], say: Say) -> Sighting:
        """Boot the artifact in isolation; return what was seen ("HTTP 200 on / after 0.8 s"); raise TrialError."""


class Engine(Protocol):
    """Pulumi, over one stack per deployment."""

    def preview(self, plan: InfraPlan, secrets: Mapping[str, str], save_plan: Path | None, say: Say) -> Preview:
        """Say what `up` would do, changing nothing; `save_plan` receives the update plan."""

    def up(
        self,
        plan: InfraPlan,
        secrets: Mapping[str, str],
        saved_plan: Path | None,
        say: Say,
        only: Sequence[str] = (),
        allow_data_loss: Collection[str] = (),
    ) -> dict[str, object]:
        """Apply, held to `saved_plan` when it is given, to `only` these URNs when there are any; return the outputs.

        Raise PlanError for what `autodeploy.safeguards` refuses; `allow_data_loss` names what may lose its data.
        """

    def resources(self, deployment_id: str) -> Sequence[str]:
        """Return the URNs in the stack's state, without the stack's own; empty when there is none."""

    def standing(self, deployment_id: str) -> Sequence[Standing]:
        """Return what the state on disk says of each resource in AWS, without components and providers."""

    def drift(self, deployment_id: str, say: Say) -> Drift:
        """Compare each resource with the account, changing neither account nor state; raise InfrastructureError."""

    def destroy(self, deployment_id: str, say: Say, only: Sequence[str] = ()) -> None:
        """Delete everything in the stack, or `only` these URNs and what depends on them; done counts as done."""

    def repair(self, deployment_id: str, say: Say) -> None:
        """Make the stack's state true again after an engine was killed; the other operations do so by themselves.

        What was half made is taken over or dropped. Waits for an engine that outlives its caller; raise LockedError.
        """

    def interrupt(self) -> None:
        """Ask a running operation to finish what it began and stop; from any thread."""

    def locks(self, deployment_id: str) -> Sequence[LockOwner]:
        """Return who holds the stack."""

    def unlock(self, deployment_id: str) -> Sequence[LockOwner]:
        """Break the stack's locks and return whose they were; raise LockedError for an engine that lives here."""

    def remove(self, deployment_id: str, force: bool = False) -> None:
        """Remove the empty stack with its history and config; with `force` also one whose account is gone."""

    def shell_environment(self, deployment_id: str) -> Mapping[str, str]:
        """Return what the bare `pulumi` command needs in its environment to see the same stack."""


class Host(Protocol):
    """A machine over SSH; commands run as root through sudo."""

    def run(self, command: str, stdin: str | None = None, timeout_seconds: int = 120) -> CommandResult:
        """Run a POSIX shell script, return its result whatever the status; raise DeploymentError on a lost line."""

    def put(self, path: str, content: bytes | Path, mode: str = "0644") -> None:
        """Write a file on the host, atomically, as root."""

    def reconnect(self) -> None:
        """Open a fresh connection in place of this one; raise DeploymentError when the host lets nobody in."""

    def close(self) -> None:
        """Close the connection."""


class Cloud(Protocol):
    """The AWS account, by boto3 (or the local target's emulation of it)."""

    def facts(self) -> CloudFacts:
        """Return the facts of account and region; raise InfrastructureError with whose credentials were tried."""

    def prices(self, keys: Collection[str]) -> PriceList:
        """Return what AWS says today of these keys of the price table; never raises, `problem` says why it is empty."""

    def preflight(self, plan: InfraPlan | None = None, preview: Preview | None = None) -> Sequence[Check]:
        """Return what can be known to stop an apply before it begins; without a plan, what can be known of any."""

    def hosted_zone(self, domain: str) -> HostedZone | None:
        """Return the account's public zone that the domain lies in, None where it has none; raise for a taken name."""

    def network(self, vpc_id: str) -> NetworkFacts:
        """Return a VPC of the account with its subnets; raise InfrastructureError for one that is not there."""

    def public_authority(self) -> Path | None:
        """Return the file that a certificate issued for a domain is verified with; None: the system's authorities."""

    def database_password(self, secret_arn: str) -> tuple[str, str]:
        """Return user and password of the managed master secret."""

    def await_instance(self, instance_id: str, say: Say) -> None:
        """Return when the instance runs and its checks pass; raise DeploymentError."""

    def console_output(self, instance_id: str) -> str:
        """Return what the machine last wrote on its console; "" where the account has nothing yet."""

    def target_health(self, deployment_id: str) -> Sequence[str]:
        """Return, a line for each target of the deployment's balancer, its health and the balancer's reason."""

    def leftovers(self, deployment_id: str, arns: Iterable[str] = ()) -> Sequence[Leftover]:
        """Return all that still carries the deployment's tag or is one of `arns`; snapshots are meant to stay."""

    def foreign_rules(self, groups: Collection[str], known: Collection[str]) -> Mapping[str, Mapping[str, str]]:
        """Return, by security group and rule, what rules that are not `known` let through."""

    def revoke_rules(self, rules: Mapping[str, Collection[str]]) -> None:
        """Delete the rules of security groups, by group their ids; gone already counts as done."""

    def account_epoch(self) -> str:
        """Return the emulated account's epoch; "" on AWS."""

    def ca_bundle(self) -> Path | None:
        """Return the file that a database client verifies the database's certificate with."""

    @property
    def snapshots(self) -> Snapshots:
        """The snapshots of the account's databases."""


class Snapshots(Protocol):
    """Copies of deployments' databases, outside of every stack. Errors are InfrastructureError."""

    def databases(self, deployment_id: str, named: str) -> Sequence[str]:
        """Return the identifiers of the databases that stand, tagged as the deployment's or named so, newest first."""

    def take(self, name: str, database: str, say: Say) -> Snapshot:
        """Return the snapshot of that name once it is whole and verified; it is taken where there is none."""

    def find(self, name: str) -> Snapshot | None:
        """Return one snapshot, None when there is none of that name."""

    def of(self, deployment_id: str) -> Sequence[Snapshot]:
        """Return the deployment's snapshots, the newest first."""

    def restorable(self, name: str, database: str) -> Snapshot:
        """Return a snapshot that an instance like the database can be made from; raise InfrastructureError."""

    def delete(self, name: str) -> None:
        """Delete a snapshot; gone already counts as done."""


class Orphans(Protocol):
    """What a killed engine left in the account; of the same account as Cloud."""

    def settle(self, deployment_id: str, say: Say) -> None:
        """Return when the account shows all that a killed engine's requests have made."""

    def claim(
        self, token: str, inputs: Mapping[str, Any], deployment_id: str, known: Collection[str], say: Say
    ) -> str | None:
        """Return the id of a resource that nobody wrote down, ready for use; None when there is none.

        One that cannot be taken over is deleted; `known` are the ids that belong to somebody.
        """


class Store(Protocol):
    """The ledger under $AUTODEPLOY_HOME, which is `home`."""

    home: Path

    def load(self, deployment_id: str) -> DeploymentState:
        """Return the ledger with its logs; raise StateError when there is none."""

    def save(self, state: DeploymentState) -> None:
        """Write atomically, durably, 0600."""

    def append_log(self, deployment_id: str, entry: LogEntry) -> None:
        """Append one entry in constant time."""

    def list(self, name: str | None = None) -> Iterable[DeploymentState]:
        """Return the ledgers of a name, or all, without their logs, newest first."""

    def lock(self, deployment_id: str, reason: str) -> AbstractContextManager[None]:
        """Hold the deployment for this process; raise LockedError naming the owner."""

    def lock_home(self, reason: str) -> AbstractContextManager[None]:
        """Hold the home for a moment, while a deployment is found or begun; waits for another process's moment."""

    def owner(self, deployment_id: str) -> LockOwner | None:
        """Return who holds the deployment now; None when nobody does."""

    def unlock(self, deployment_id: str) -> LockOwner | None:
        """Break the lock of a process on another machine and return whose it was; raise LockedError for one here."""

    def folder(self, deployment_id: str) -> Path:
        """Return deployments/<id>, made 0700 when it is missing."""

    def write(self, deployment_id: str, name: str, text: str) -> Path:
        """Replace a file of the deployment's folder, 0600, whole or not at all; return its path."""

    def secrets(self, deployment_id: str) -> Mapping[str, str]:
        """Return the deployment's secrets by name."""

    def save_secrets(self, deployment_id: str, secrets: Mapping[str, str]) -> None:
        """Replace the deployment's secrets; 0600."""


class Clock(Protocol):
    """Time, so that tests need none."""

    def now(self) -> datetime:
        """Return the time, aware, in UTC."""

    def sleep(self, seconds: float) -> None:
        """Wait."""


class UI(Protocol):
    """The person."""

    def stage(self, agent: str, title: str) -> None:
        """Say that a stage begins."""

    def say(self, message: str) -> None:
        """Show one line of progress of the current stage."""

    def done(self, message: str) -> None:
        """Say how the current stage ended."""

    def show_plan(self, plan: Plan, preview: Preview) -> None:
        """Show the plan, its operations and its monthly cost."""

    def confirm(self, question: str) -> bool:
        """Ask yes or no; without a terminal, raise ApprovalError naming --yes."""

    def choose(self, question: str, choices: Sequence[str]) -> str:
        """Ask which of `choices`, the first being the likely one; raise ApprovalError where nobody answers."""


class Outside(Protocol):
    """A deployment as the world sees it, over the network and nothing else."""

    def get(self, url: str, ca: Path | None, at: str | None = None) -> tuple[int, Mapping[str, str]]:
        """Return status and headers (lower case) of a verified GET, from `at` (host:port); raise DeploymentError."""

    def open_ports(self, address: str, ports: Sequence[int]) -> tuple[int, ...]:
        """Return those of `ports` that accept a TCP connection."""
