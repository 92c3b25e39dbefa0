"""The way back: a failed or unwanted deployment comes in; its dossier, and what was deleted, go out.

Used by the conductor alone, which holds the lock. Deletes nothing before what can be known of it is kept.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from autodeploy.agents import backups
from autodeploy.agents.deployer import HiveMindDeployer
from autodeploy.agents.dismantling import bill
from autodeploy.agents.dossier import reason
from autodeploy.agents.provisioner import HiveMindProvisioner
from autodeploy.errors import InfrastructureError
from autodeploy.ledger import Ledger
from autodeploy.model import KeptSnapshot, Part, RollbackResult
from autodeploy.ports import UI, Clock, Cloud
from autodeploy.stages import interrupted


class Retreat:
    """Takes deployments back."""

    def __init__(
        self, deployer: HiveMindDeployer, provisioner: HiveMindProvisioner, cloud: Cloud, ui: UI, clock: Clock
    ) -> None:
        self._deployer = deployer
        self._provisioner = provisioner
        self._cloud = cloud
        self._ui = ui
        self._clock = clock

    def keep_evidence(self, ledger: Ledger) -> None:
        """Write the dossier of a deployment that failed, and let its last error name it."""
        folder = self._deployer.gather(ledger.state)
        if folder is not None and ledger.state.errors:
            ledger.add_evidence(str(folder))

    def take_back(self, ledger: Ledger) -> RollbackResult:
        """Delete everything: service, machines, database, network, keys; raise what stopped it, once it is recorded."""
        identifier = ledger.state.deployment_id
        # Whatever is left half-way, nothing of it is proven, approved, hardened or serving any more.
        config = ledger.state.deployment_config
        stopped = config and config.but(service_status="stopped")
        begun = ledger.state.but(stages={}, approval=None, security_config=None, deployment_config=stopped)
        # Kept before it is taken: a destruction that is begun again finds the snapshot of the first by its name.
        ledger.write(begun.but(destroying=True, final_snapshot=backups.last_name(begun, self._clock)))
        self._ui.stage(self._provisioner.name, f"Destroying {identifier}")
        with _recorded(ledger):
            self._deployer.stop(ledger.state)
            ledger.write(ledger.state.but(doomed=self._provisioner.arns(ledger.state)))
            left = self._provisioner.destroy(ledger.state)
            kept = backups.kept(ledger.state, self._cloud)
        if left:
            names = tuple(each.name for each in left)
            message = f"{len(left)} resources are left, {bill(left)}; run it again, or delete them by hand."
            ledger.fail(InfrastructureError(f"not everything could be deleted: {', '.join(names)}", message), None)
            return RollbackResult(
                deployment_id=identifier,
                status="failed",
                remaining=names,
                snapshots=tuple(each.name for each in kept),
                message=message,
                left=left,
                kept=kept,
            )
        ledger.write(ledger.state.but(doomed=()))
        ledger.move("rolled_back")
        message = f"Nothing is left{_but(kept)}."
        self._ui.done(message.rstrip("."))
        return RollbackResult(
            deployment_id=identifier,
            status="rolled_back",
            snapshots=tuple(each.name for each in kept),
            message=message,
            kept=kept,
        )

    def take_part(self, ledger: Ledger, part: Part) -> RollbackResult:
        """Delete one part and what depends on it; what holds data stays, and the next deploy makes the part again."""
        state = ledger.state
        config = state.deployment_config
        undone = {name: record for name, record in state.stages.items() if name in ("analyze", "build", "plan")}
        begun = state.but(stages=undone, approval=None, destroying=True, without=(part,))
        ledger.write(begun.but(deployment_config=config and config.but(service_status="stopped")))
        self._ui.stage(self._provisioner.name, f"Destroying {part} of {state.deployment_id}")
        with _recorded(ledger):
            self._deployer.stop(ledger.state)
            deleted = self._provisioner.take_part(ledger.state, part)
        ledger.write(
            ledger.state.but(infrastructure=None, standing=None, security_config=None, failed_stage="provision")
        )
        ledger.move("failed")
        ledger.write(ledger.state.but(destroying=False))
        ledger.note(f"{part} was deleted on request")
        self._ui.done(f"{part} is deleted; database and network stay")
        again = f"make it again: autodeploy deploy {state.repo_url} --name {state.name}"
        return RollbackResult(
            deployment_id=state.deployment_id,
            status=ledger.state.status,
            part=part,
            deleted=deleted,
            message=f"Without {part}, database and network stay; {again}",
        )

    def take_back_what_failed(self, ledger: Ledger) -> None:
        """Take back a deployment whose hardening failed; what stops that is recorded after the failure itself."""
        ledger.note("the hardening failed and it never served: it is taken back")
        try:
            self.take_back(ledger)
        except Exception as err:  # recorded, and told with what can be done about it
            self._ui.say(f"it could not be taken back: {reason(err)}")


def _but(kept: Sequence[KeptSnapshot]) -> str:
    named = ", ".join(f"{each.name} ({each.cost})" for each in kept)
    return f" but the snapshot{'s' if len(kept) > 1 else ''} {named}" if kept else ""


@contextmanager
def _recorded(ledger: Ledger) -> Iterator[None]:
    """Record what stops a destruction, and let it pass on."""
    try:
        yield
    except KeyboardInterrupt as err:
        told = interrupted(ledger.state, None)
        ledger.fail(told, None)
        raise told from err
    except Exception as err:
        ledger.fail(err, None)
        raise
