"""Builds the real adapters for a target and hands them to the agents; the only place where they meet."""

from __future__ import annotations

import contextlib
import os
import secrets
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import cache, cached_property, partial
from pathlib import Path
from typing import TYPE_CHECKING

from autodeploy.adapters.clock import SystemClock
from autodeploy.adapters.store import FileStore
from autodeploy.entering import connect
from autodeploy.errors import LocalTargetError, SettingsError
from autodeploy.model import Plan, Target
from autodeploy.settings import Settings

if TYPE_CHECKING:
    from autodeploy.adapters.aws import AwsCloud
    from autodeploy.adapters.build import ContainerBuilder
    from autodeploy.adapters.git import GitRepo
    from autodeploy.adapters.pulumi import PulumiEngine
    from autodeploy.adapters.terminal import PlainTerminal
    from autodeploy.agents.compiler import HiveMindCompiler
    from autodeploy.agents.deployer import HiveMindDeployer
    from autodeploy.agents.machines import Connect
    from autodeploy.agents.provisioner import HiveMindProvisioner
    from autodeploy.agents.sheriff import HiveMindSheriff
    from autodeploy.conductor import HiveMindConductor
    from autodeploy.local.client import DaemonInfo, LocalTarget

DEFAULT_REGION = "us-east-1"
DEFAULT_SIZE = "t3.small"


class Wiring:
    """The real world of one run; each part is made when it is first asked for."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.clock = SystemClock()
        self.store = FileStore(settings.home)

    @property
    def ui(self) -> PlainTerminal:
        """The terminal."""
        return terminal()

    @cached_property
    def local(self) -> LocalTarget:
        """The embedded target, running or not."""
        from autodeploy.local.client import LocalTarget

        return LocalTarget(self.settings.home, self.settings.cache)

    @cached_property
    def _daemon(self) -> DaemonInfo | None:
        return self.local.ensure() if self.settings.target == "local" else None

    @cached_property
    def cloud(self) -> AwsCloud:
        """The account."""
        from autodeploy.adapters.aws import AwsCloud
        from autodeploy.local.zones import rehearse_zone
        from autodeploy.planner.sizing import INSTANCE_TYPES

        daemon = self._daemon
        return AwsCloud(
            self._target(),
            self.region,
            profile=None if daemon else self.settings.profile,
            role_arn=self.settings.role_arn or None,
            endpoint_url=daemon.aws_endpoint if daemon else None,
            instance_types=(self.settings.instance_type or DEFAULT_SIZE, *INSTANCE_TYPES),
            admin_cidr=self.settings.admin_cidr or ("127.0.0.1/32" if daemon else None),
            witness=self.local if daemon else None,
            vault=self.local.snapshots if daemon else None,
            epoch=(lambda: daemon.account_epoch) if daemon else (lambda: ""),
            settled=self.local.settle if daemon else None,
            ca_bundle=self.settings.home / "local" / "rds-ca.pem" if daemon else None,
            public_authority=self.settings.home / "local" / "acm-ca.pem" if daemon else None,
            rehearse_zone=rehearse_zone if daemon else None,
            trust_folder=self.settings.cache / "trust",
        )

    @cached_property
    def engine(self) -> PulumiEngine:
        """Pulumi over this home's stacks."""
        from autodeploy.adapters.pulumi import PulumiEngine
        from stacks.program import program

        environment = {}
        if self._daemon:
            environment = {
                "PULUMI_DEBUG_PROVIDERS": f"aws:{self._daemon.provider_port}",
                "PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION": "true",
            }
        elif self.settings.profile:
            environment = {"AWS_PROFILE": self.settings.profile}
        return PulumiEngine(
            program,
            self.settings.home,
            self.settings.cache,
            environment,
            refresh=self._daemon is not None or self.settings.repair_drift,
            role_arn=self.settings.role_arn or None,
            orphans=self.cloud if self.settings.target else None,
        )

    @cached_property
    def repo(self) -> GitRepo:
        """Git, with its cache of clones."""
        from autodeploy.adapters.git import GitRepo

        return GitRepo(self.settings.cache, self.ui.say)

    @cached_property
    def builder(self) -> ContainerBuilder:
        """The place where repositories' own code runs."""
        from autodeploy.adapters.build import ContainerBuilder, operator_registries
        from autodeploy.local.containers import container_engine
        from autodeploy.local.packages import ensure_packages

        on_host = self.settings.builder == "host"
        try:
            engine = container_engine(machines=self.settings.target == "local")
            command = engine.command("run", "--rm", *engine.limits)
        except LocalTargetError:
            if not on_host:
                raise
            command = []
        registries = operator_registries(os.environ, Path.home())
        return ContainerBuilder(command, ensure_packages, self.settings.cache, registries, host=on_host)

    @cached_property
    def compiler(self) -> HiveMindCompiler:
        """HiveMind DevOps."""
        from autodeploy.agents.compiler import HiveMindCompiler

        return HiveMindCompiler(self.repo, self.builder, self.ui, self.clock, self.store, self.settings)

    @cached_property
    def provisioner(self) -> HiveMindProvisioner:
        """HiveMind SysEng."""
        from autodeploy.adapters.keys import generate
        from autodeploy.agents.keyring import Keyring
        from autodeploy.agents.provisioner import HiveMindProvisioner
        from autodeploy.certifying import certify

        keys = Keyring(self.store, self.clock, generate, certify)
        return HiveMindProvisioner(self.engine, self.cloud, keys, self.ui, self.clock, self.store, self.settings)

    @cached_property
    def _connect(self) -> Connect:
        settings = self.settings
        return partial(connect, region=self.region, profile=settings.profile, role_arn=settings.role_arn or None)

    @cached_property
    def deployer(self) -> HiveMindDeployer:
        """HiveMind Release-Engineer."""
        from autodeploy.adapters.outside import OutsideWorld
        from autodeploy.agents.deployer import HiveMindDeployer
        from autodeploy.converger import converge

        return HiveMindDeployer(self._connect, converge, self.cloud, OutsideWorld(), self.ui, self.clock, self.store)

    @cached_property
    def sheriff(self) -> HiveMindSheriff:
        """HiveMind SecOps."""
        from autodeploy.adapters.outside import OutsideWorld
        from autodeploy.agents.sheriff import HiveMindSheriff
        from autodeploy.converger import converge

        return HiveMindSheriff(self._connect, converge, OutsideWorld(), self.ui, self.clock, self.store, self.settings)

    @cached_property
    def conductor(self) -> HiveMindConductor:
        """HiveMind Control Plane."""
        with ThreadPoolExecutor(1) as beside:
            # The daemon starts while this process imports; what it fails with is raised below, where it is asked for.
            beside.submit(lambda: self._daemon)
            from autodeploy.agents.choices import request_of
            from autodeploy.conductor import Agents, HiveMindConductor, Wish

        settings = self.settings
        wish = Wish(
            target=self._target(),
            name=settings.name,
            request=request_of(settings),
            new=settings.new,
            approve=settings.yes,
            keep=settings.keep,
            run_tests=settings.run_tests,
            repair_drift=settings.repair_drift,
            draw=partial(draw, settings.svg) if settings.svg else None,
        )
        agents = Agents(self.compiler, self.provisioner, self.deployer, self.sheriff)
        return HiveMindConductor(
            agents, self.cloud, self.store, self.ui, self.clock, wish, lambda: secrets.token_hex(3)
        )

    def stop_local_target(self) -> None:
        """Stop the local target's daemon and machines, where nobody works on a deployment there."""
        with self._local_deployments("local down"):
            self.local.down()

    def reset_local_target(self) -> int:
        """Empty the local target, where nobody works on a deployment there; return how many are written off."""
        with self._local_deployments("local reset") as identifiers:
            self.local.reset()
            for identifier in identifiers:
                self._write_off(identifier)
        return len(identifiers)

    @contextlib.contextmanager
    def _local_deployments(self, reason: str) -> Iterator[Sequence[str]]:
        """Hold all that live in the local target; raise LockedError where somebody works on one."""
        found = [s.deployment_id for s in self.store.list() if s.target == "local" and s.status != "rolled_back"]
        with contextlib.ExitStack() as held:
            for identifier in found:
                held.enter_context(self.store.lock(identifier, reason))
            yield found

    def _write_off(self, deployment_id: str) -> None:
        from autodeploy.ledger import Ledger

        self.engine.remove(deployment_id, force=True)
        self.store.save_secrets(deployment_id, {})
        for name in ("id_ed25519", "id_ed25519.pub"):
            (self.store.folder(deployment_id) / name).unlink(missing_ok=True)
        ledger = Ledger(self.store, self.clock, self.store.load(deployment_id))
        ledger.settle()
        ledger.move("rolled_back")

    def _target(self) -> Target:
        if self.settings.target is None:
            raise SettingsError("no target was chosen", "Add --target local or --target aws.")
        return self.settings.target

    @property
    def region(self) -> str:
        """The region of this run: chosen, of the profile, or the default; raise SettingsError for no such profile."""
        if self.settings.region or self.settings.target == "local":
            return self.settings.region or DEFAULT_REGION
        import boto3
        from botocore.exceptions import ProfileNotFound

        try:
            return boto3.Session(profile_name=self.settings.profile).region_name or DEFAULT_REGION
        except ProfileNotFound as err:
            raise SettingsError(
                f"there is no AWS profile {self.settings.profile!r}", "List them: aws configure list-profiles"
            ) from err


def draw(file: Path, plan: Plan) -> None:
    """Write the plan's infrastructure to `file` as SVG; raise SettingsError where it cannot be written."""
    from autodeploy.planner import svg

    try:
        file.write_text(svg(plan.infra), "utf-8")
    except OSError as err:
        raise SettingsError(
            f"the picture cannot be written to {file}: {err.strerror}", "Name a file in a folder that is there: --svg."
        ) from err


@cache
def terminal() -> PlainTerminal:
    """Return the one terminal of this process: errors must end the same live display that progress began."""
    from autodeploy.adapters.terminal import open_terminal

    return open_terminal()
