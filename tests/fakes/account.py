"""Engine and Cloud over the world's stacks."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from pathlib import Path

from autodeploy import safeguards
from autodeploy.errors import InfrastructureError, PlanError
from autodeploy.model import (
    Check,
    CloudFacts,
    Drift,
    HostedZone,
    InfraPlan,
    Leftover,
    LockOwner,
    NetworkFacts,
    Preview,
    PriceList,
    ResourceChange,
    Standing,
)
from autodeploy.model.plan import short_type
from autodeploy.naming import database_identifier
from autodeploy.ports import Say
from fakes.snapshots import FakeSnapshots
from fakes.world import World

DATABASE = "aws:rds/instance:Instance"
GROUP = "aws:ec2/securityGroup:SecurityGroup"
MACHINE = "aws:ec2/instance:Instance"


class FakeEngine:
    """Stacks in a dictionary; held to update plans as the real one is, and what is protected stays."""

    def __init__(self, world: World) -> None:
        self._world = world

    def preview(self, plan: InfraPlan, secrets: Mapping[str, str], save_plan: Path | None, say: Say) -> Preview:
        self._world.happens("preview")
        if save_plan:
            save_plan.write_text(plan.digest())
        return self._look(plan)

    def _look(self, plan: InfraPlan) -> Preview:
        names, before = _resources(plan), self._world.stacks.get(plan.deployment_id)
        missing = self._world.missing[plan.deployment_id]
        standing = [urn for urn in _resources(before) if urn not in missing] if before else []
        if before == plan:
            unchanged, names, standing = len(standing), [urn for urn in names if urn in missing], []
            if not names:
                return Preview(unchanged=unchanged)
        is_another = before and before.database and plan.database and _database(before) != _database(plan)

        def operation(urn: str) -> str:
            if urn not in names or urn not in standing:
                return "create" if urn in names else "delete"
            return "replace" if is_another and DATABASE in urn else "update"

        return Preview(
            changes=tuple(
                ResourceChange.model_validate(
                    {
                        "urn": urn,
                        "type": short_type(urn.split("::")[2].rpartition("$")[2]),
                        "name": urn.split("::")[3],
                        "operation": operation(urn),
                    }
                )
                for urn in dict.fromkeys([*names, *standing])
            )
        )

    def up(
        self,
        plan: InfraPlan,
        secrets: Mapping[str, str],
        saved_plan: Path | None,
        say: Say,
        only: Sequence[str] = (),
        allow_data_loss: Collection[str] = (),
    ) -> dict[str, object]:
        safeguards.check_plan(plan)
        preview = self._look(plan)
        safeguards.check_data_loss(preview, allow_data_loss)
        standing = self._world.stacks.get(plan.deployment_id)
        if safeguards.losses(preview) and standing and standing.database and standing.database.deletion_protection:
            raise InfrastructureError("the database is protected against deletion", "Lift the protection.")
        if saved_plan and saved_plan.read_text() != plan.digest():
            raise PlanError("the update plan is of something else", "Preview again.")
        if plan.web and not secrets["certificateKey"]:
            raise PlanError("the listener has no key", "Give one.")
        self._world.happens("up")
        before = self._world.stacks.get(plan.deployment_id)
        if before and before.web and before.web.deletion_protection and not plan.web:
            raise InfrastructureError("the balancer is protected against deletion", "Lift the protection.")
        if plan.database:
            is_restored = plan.database.snapshot and (not before or _database(before) != _database(plan))
            rows = self._world.kept[plan.database.snapshot] if is_restored else "rows"
            name = f"{plan.deployment_id}-db"
            self._world.databases[name] = rows if is_restored else self._world.databases.get(name, rows)
        for number in range(plan.instances + 1, before.instances + 1 if before else 0):
            self._world.machines.pop(f"{plan.deployment_id}/app-{number}", None)
        self._resize(plan, only)
        self._world.stacks[plan.deployment_id] = plan
        self._world.history[plan.deployment_id].append(plan)
        if not only:
            self._world.missing.pop(plan.deployment_id, None)
        say(f"updated {len(only or _resources(plan))} resources")
        self._world.happens("after up")
        return self._outputs(plan.deployment_id)

    def _resize(self, plan: InfraPlan, only: Sequence[str]) -> None:
        """Stop and start every machine that gets another type; all of them at once, as the engine does it."""
        kinds, identifier = self._world.kinds, plan.deployment_id
        machines = [urn for urn in only or _resources(plan) if MACHINE in urn]
        others = [urn for urn in machines if kinds.get(urn, plan.instance_type) != plan.instance_type]
        for name in (urn.rpartition("::")[2] for urn in others):
            machine = self._world.machines[identifier if name == "app" else f"{identifier}/{name}"]
            machine.boots = machine.slowness
        kinds.update(dict.fromkeys(machines, plan.instance_type))
        if others:
            self._world.serving.append(sum(machine.is_well for machine in self._world.fleet(identifier)))

    def _outputs(self, deployment_id: str) -> dict[str, object]:
        plan = self._world.stacks.get(deployment_id)
        if plan is None:
            return {}
        names = (
            "vpcId publicSubnetId privateSubnetId instanceId publicIp privateIp securityGroupId keyName certificateArn"
        )
        found: dict[str, object] = {name: f"{name}-of-{deployment_id}" for name in names.split()}
        if plan.database:
            found |= {"databaseEndpoint": "10.0.2.9", "databaseSecretArn": "arn:aws:secretsmanager:db"}
        if plan.instances > 1:
            keys = ("instance_id", "public_ip", "private_ip")
            names = [f"app-{number}" for number in range(2, plan.instances + 1)]
            found["moreMachines"] = [{"name": name, **dict.fromkeys(keys, f"{deployment_id}/{name}")} for name in names]
        if plan.web:
            found["loadBalancerDns"] = f"localhost:{self._world.port(deployment_id)}"
        return found

    def resources(self, deployment_id: str) -> Sequence[str]:
        self._world.happens("resources")
        plan = self._world.stacks.get(deployment_id)
        missing = self._world.missing[deployment_id]
        return [urn for urn in _resources(plan) if urn not in missing] if plan else ()

    def standing(self, deployment_id: str) -> Sequence[Standing]:
        plan = self._world.stacks.get(deployment_id)
        there = set(_resources(plan) if plan else ()) - self._world.missing[deployment_id]
        there |= {f"urn:pulumi:{deployment_id}::autodeploy::{GROUP}::ssh"} if self._world.foreign_rules else set()
        types = {urn: urn.split("::")[2].rpartition("$")[2] for urn in sorted(there)}
        arns = {urn: f"arn:aws:x:us-east-1:1:{kind.rpartition(':')[2]}/{urn[-4:]}" for urn, kind in types.items()}
        if plan and plan.database:
            arns |= {urn: f"arn:aws:rds:us-east-1:1:db:{_database(plan)}" for urn in types if DATABASE in urn}
        return [Standing(urn=urn, type=kind, id=urn[-4:], arn=arns[urn]) for urn, kind in types.items()]

    def drift(self, deployment_id: str, say: Say) -> Drift:
        self._world.happens("drift")
        changed = self._world.drift
        return Drift(
            deployment_id=deployment_id,
            resources=changed,
            unchanged=len(self.standing(deployment_id)) - len(changed),
        )

    def destroy(self, deployment_id: str, say: Say, only: Sequence[str] = ()) -> None:
        self._world.happens("destroy")
        if only:
            self._world.missing[deployment_id].update(only)
            self._empty(deployment_id)
            self._world.happens("after destroy")
            return
        web, database = self._world.stacks[deployment_id].web, self._world.stacks[deployment_id].database
        if web and web.deletion_protection:
            raise InfrastructureError("the balancer is protected against deletion", "Lift the protection.")
        if database and database.deletion_protection:
            raise InfrastructureError("the database is protected against deletion", "Lift the protection.")
        del self._world.stacks[deployment_id]
        self._world.missing.pop(deployment_id, None)
        self._world.databases.pop(f"{deployment_id}-db", None)
        self._empty(deployment_id)
        self._world.happens("after destroy")
        say("deleted everything")

    def _empty(self, deployment_id: str) -> None:
        for name in [name for name in self._world.machines if name.partition("/")[0] == deployment_id]:
            del self._world.machines[name]

    def repair(self, deployment_id: str, say: Say) -> None:
        self._world.happens("repair")

    def interrupt(self) -> None:
        self._world.happens("interrupt")

    def locks(self, deployment_id: str) -> Sequence[LockOwner]:
        return self._world.locks[deployment_id]

    def unlock(self, deployment_id: str) -> Sequence[LockOwner]:
        return self._world.locks.pop(deployment_id, [])

    def remove(self, deployment_id: str, force: bool = False) -> None:
        if deployment_id in self._world.stacks and not force:
            raise InfrastructureError("the stack is not empty", "Destroy it first.")
        self._world.stacks.pop(deployment_id, None)

    def shell_environment(self, deployment_id: str) -> Mapping[str, str]:
        own = {"PULUMI_STACK": deployment_id, "PULUMI_CONFIG_PASSPHRASE_FILE": "/a home/passphrase"}
        return {**own, **self._world.environment}


def _database(plan: InfraPlan) -> str:
    return database_identifier(plan, plan.database) if plan.database else ""


def _resources(plan: InfraPlan) -> list[str]:
    types = [("aws:ec2/vpc:Vpc", "network"), (f"autodeploy:compute:Compute${MACHINE}", "app")]
    types += [(types[1][0], f"app-{number}") for number in range(2, plan.instances + 1)]
    types += [(DATABASE, "database")] if plan.database else []
    types += [("aws:lb/loadBalancer:LoadBalancer", "balancer")] if plan.web else []
    return [f"urn:pulumi:{plan.deployment_id}::autodeploy::{kind}::{name}" for kind, name in types]


class FakeCloud:
    """The account's answers. `bundle` is the databases' authority; None where it could not be fetched."""

    def __init__(self, world: World, bundle: Path | None) -> None:
        self._world = world
        self.bundle = bundle
        self.snapshots = FakeSnapshots(world)

    def facts(self) -> CloudFacts:
        self._world.happens("facts")
        return self._world.facts

    def prices(self, keys: Collection[str]) -> PriceList:
        self._world.happens("prices")
        return self._world.prices

    def preflight(self, plan: InfraPlan | None = None, preview: Preview | None = None) -> Sequence[Check]:
        self._world.happens("preflight")
        return self._world.checks

    def hosted_zone(self, domain: str) -> HostedZone | None:
        self._world.happens("hosted zone")
        return self._world.zones.get(domain)

    def network(self, vpc_id: str) -> NetworkFacts:
        self._world.happens("network")
        return self._world.networks[vpc_id]

    def public_authority(self) -> Path | None:
        return self._world.public_authority

    def database_password(self, secret_arn: str) -> tuple[str, str]:
        return "dbadmin", "master-password-of-the-database"

    def await_instance(self, instance_id: str, say: Say) -> None:
        self._world.happens("await instance")
        say(f"{instance_id} runs")

    def console_output(self, instance_id: str) -> str:
        self._world.happens("console")
        return f"{instance_id} login:"

    def target_health(self, deployment_id: str) -> Sequence[str]:
        self._world.happens("target health")
        lines = []
        for name, machine in sorted(self._world.machines.items()):
            if name.partition("/")[0] == deployment_id:
                is_well, machine.boots = machine.is_well, max(machine.boots - 1, 0)
                address = name if "/" in name else f"publicIp-of-{name}"
                lines.append(f"{address}: {'healthy' if is_well else 'unhealthy: no answer'}")
        return lines

    def leftovers(self, deployment_id: str, arns: Iterable[str] = ()) -> Sequence[Leftover]:
        self._world.happens("leftovers")
        shown = self._world.lagging.pop(0) if self._world.lagging else ()
        charged = {"eni-1": (), "vpc-1": (), "i-1": (("instance:t3.small", 1.0),)}
        return [Leftover(name=name, charged=charged.get(name)) for name in (*self._world.undeletable, *shown)]

    def foreign_rules(self, groups: Collection[str], known: Collection[str]) -> Mapping[str, Mapping[str, str]]:
        return {group: dict(self._world.foreign_rules) for group in groups if self._world.foreign_rules}

    def revoke_rules(self, rules: Mapping[str, Collection[str]]) -> None:
        self._world.happens("revoke")
        for name in [name for names in rules.values() for name in names]:
            self._world.foreign_rules.pop(name, None)

    def account_epoch(self) -> str:
        return self._world.epoch

    def ca_bundle(self) -> Path | None:
        return self.bundle
