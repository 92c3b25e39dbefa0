"""HiveMind Release-Engineer: puts a release onto the host and sees it answer, on the host and at the public URL."""

from __future__ import annotations

import secrets
import shlex
from pathlib import Path

from autodeploy.agents.agent import HiveMindAgent
from autodeploy.agents.choices import environment_of
from autodeploy.agents.dossier import gather, reason
from autodeploy.agents.outputs import DATABASE_PASSWORD
from autodeploy.agents.sheriff import Connect, Converge
from autodeploy.errors import AgentError, DeploymentError, StateError
from autodeploy.model import (
    BuildArtifact,
    DeploymentConfig,
    DeploymentState,
    InfrastructureSpec,
    Plan,
    TechStack,
)
from autodeploy.ports import UI, Clock, Cloud, Host, Outside, Store
from autodeploy.releaser import (
    HOST_FACTS_SCRIPT,
    LOG_PATH,
    DatabaseAccess,
    Release,
    environment,
    host_facts,
    masked_environment,
    release,
    steps,
    worker_state,
)

RELEASE_HEADER = "x-autodeploy-release"
SEAL = "seal"
PUBLIC_SECONDS = 90.0
"""How long a balancer may take to find its target healthy: some checks and their interval, with room."""

SETTLE_SECONDS = 3.0
"""How long a worker is watched once it has settled: it is asked for its restarts before and after."""

STOP_SECONDS = 10.0
"""How long a machine that is to be deleted may take to answer."""


class HiveMindDeployer(HiveMindAgent):
    """Releases applications on provisioned machines."""

    name = "HiveMind Release-Engineer"

    def __init__(
        self,
        connect: Connect,
        converge: Converge,
        cloud: Cloud,
        outside: Outside,
        ui: UI,
        clock: Clock,
        store: Store,
    ) -> None:
        super().__init__(ui, clock, store)
        self._connect = connect
        self._converge = converge
        self._cloud = cloud
        self._outside = outside

    def deploy_application(
        self, infrastructure: InfrastructureSpec, artifact: BuildArtifact, tech_stack: TechStack
    ) -> DeploymentConfig:
        """Make the machine serve the artifact and return the service as it runs; raise DeploymentError."""
        state = self._store.load(infrastructure.deployment_id)
        assert state.plan is not None
        with self._attempting("Releasing the application on the host"):
            new = self._release(infrastructure, artifact, tech_stack, state.plan)
            host = self._connect(infrastructure, self.say)
            try:
                facts = host_facts(host.run(HOST_FACTS_SCRIPT).stdout)
                work = steps(state.plan, infrastructure, facts, artifact, tech_stack, new)
                results = self._converge(host, work, self.say)
                config = self._config(host, tech_stack, new, infrastructure)
            finally:
                host.close()
            changed = sum(result.status == "changed" for result in results)
            self.say(f"release {new.release_id}: {changed} of {len(results)} steps changed the host")
            switched = any(result.name == "switch" and result.status == "changed" for result in results)
            if switched and config.startup_seconds is not None:
                self.say(f"the application answered {config.startup_seconds:.1f} s after its start")
            self.confirm(config, infrastructure)
        return config

    def run(self, state: DeploymentState) -> DeploymentState:
        """Release what the state says is built on what it says is provisioned."""
        assert state.infrastructure is not None and state.build_artifact is not None and state.tech_stack is not None
        with self._working_on(state):
            config = self.deploy_application(state.infrastructure, state.build_artifact, state.tech_stack)
            return self._logged(state, deployment_config=config)

    def confirm(self, config: DeploymentConfig, infrastructure: InfrastructureSpec) -> None:
        """Return when the public URL, through balancer and TLS, answers with this release; raise DeploymentError.

        A worker has none: its service must be up with this release, and stay so without a restart.
        """
        if config.url is None:
            return self._confirm_worker(config, infrastructure)
        ca: Path | None = Path(infrastructure.ssh_private_key_path).with_name("ca.pem")
        at = None
        if infrastructure.domain:
            ca = self._cloud.public_authority()
            # What an emulated account's authority signs lies in an emulated zone: nobody resolves it.
            at = infrastructure.load_balancer_dns if ca else None
        url = config.url + config.health_check_path
        deadline = self._clock.now().timestamp() + PUBLIC_SECONDS
        while (seen := self._ask(url, ca, at)) != config.release_id:
            if self._clock.now().timestamp() > deadline:
                raise DeploymentError(
                    f"{url} does not answer with release {config.release_id}: {seen}",
                    "Look at the application's log (autodeploy logs), then deploy again.",
                    recoverable=True,
                    agent=self.name,
                    context="Asking the public URL",
                )
            self._clock.sleep(0.5)
        self.say(f"{config.url} answers with release {config.release_id}")

    def _confirm_worker(self, config: DeploymentConfig, infrastructure: InfrastructureSpec) -> None:
        host = self._connect(infrastructure, self.say)
        try:
            shown = [host.run(worker_state(config.service_name)).stdout.strip()]
            self._clock.sleep(SETTLE_SECONDS)
            shown.append(host.run(worker_state(config.service_name)).stdout.strip())
        finally:
            host.close()
        said = set(shown[0].split())
        if shown[0] != shown[1] or not {f"releases/{config.release_id}", "ActiveState=active"} <= said:
            raise DeploymentError(
                f"the worker does not stay up with release {config.release_id}: {' then '.join(shown)}",
                "Look at the application's log (autodeploy logs), then deploy again.",
                recoverable=True,
                agent=self.name,
                context="Watching the worker",
                output=shown[1],
            )
        self.say(f"the worker runs release {config.release_id}, without a restart for {SETTLE_SECONDS:.0f} s")

    def stop(self, state: DeploymentState) -> None:
        """Stop the service; a machine that cannot be reached is about to be deleted anyway."""
        if state.infrastructure is None or state.deployment_config is None:
            return
        with self._working_on(state):
            try:
                host = self._connect(state.infrastructure, self.say, STOP_SECONDS)
                host.run(f"systemctl stop {shlex.quote(state.deployment_config.service_name)}", timeout_seconds=60)
                host.close()
                self.say("the service is stopped")
            except AgentError as err:
                self.say(f"the service could not be stopped first: {err.message}", "WARNING")

    def start(self, state: DeploymentState) -> None:
        """Start the service that was stopped; return when the public URL answers with its release."""
        config, infrastructure = state.deployment_config, state.infrastructure
        if infrastructure is None or config is None:
            return
        with self._working_on(state), self._attempting("Starting the service again"):
            host = self._connect(infrastructure, self.say)
            try:
                service = shlex.quote(config.service_name)
                done = host.run(f"systemctl start {service} && systemctl is-active {service}", timeout_seconds=120)
            finally:
                host.close()
            if done.code:
                raise DeploymentError(
                    f"{config.service_name} does not start",
                    "Look at the application's log: autodeploy logs",
                    output=f"{done.stdout}{done.stderr}"[-2000:],
                )
            self.confirm(config, infrastructure)

    def gather(self, state: DeploymentState) -> Path | None:
        """Keep what can be known of a failed deployment; return the folder, None where it cannot even be written."""
        with self._working_on(state):
            self.say("gathering what can be known of it")
            try:
                return gather(state, self._connect, self._cloud, self._store, self.say)
            except Exception as err:  # whatever it is, it must not hide why the deployment failed
                self.say(f"it could not be kept: {reason(err)}", "WARNING")
                return None

    def logs(self, state: DeploymentState, lines: int) -> str:
        """Return the last lines of the application's own log, of a release that did not come up too."""
        if state.infrastructure is None:
            raise StateError(
                f"{state.deployment_id} has no machine yet",
                f"Look at what was done: autodeploy events {state.deployment_id}",
                context="Reading the application's log",
            )
        newest = f"$(ls -t {Path(LOG_PATH).parent}/*.log 2>/dev/null | head -n 1)"
        path = shlex.quote(state.deployment_config.log_path) if state.deployment_config else f'"{newest}"'
        host = self._connect(state.infrastructure, self.say)
        try:
            return host.run(f"tail -n {lines} {path}").stdout
        finally:
            host.close()

    def _release(
        self, infrastructure: InfrastructureSpec, artifact: BuildArtifact, stack: TechStack, plan: Plan
    ) -> Release:
        identifier = infrastructure.deployment_id
        kept = self._store.secrets(identifier)
        if SEAL not in kept:
            self._store.save_secrets(identifier, {**kept, SEAL: secrets.token_hex(32)})
        seal = self._store.secrets(identifier)[SEAL]
        database = self._database(infrastructure, plan)
        values = environment(stack, environment_of(self._store, identifier), {}, database, _hosts(infrastructure, plan))
        return release(artifact, stack, values, seal, database)

    def _database(self, infrastructure: InfrastructureSpec, plan: Plan) -> DatabaseAccess | None:
        credentials, endpoint = infrastructure.database_credentials, infrastructure.database_endpoint
        made = plan.infra.database
        if made is None or credentials is None or endpoint is None or infrastructure.database_secret_arn is None:
            return None
        username, password = self._cloud.database_password(infrastructure.database_secret_arn)
        bundle = self._cloud.ca_bundle()
        if bundle is None:
            raise DeploymentError(
                "there is no certificate to verify the database with",
                "Run the same command again; AWS's bundle is fetched at that time.",
                recoverable=True,
            )
        return DatabaseAccess(
            engine=made.engine,
            host=endpoint,
            port=credentials.port,
            name=credentials.database_name,
            master_username=username,
            master_password=password,
            app_password=self._store.secrets(infrastructure.deployment_id)[DATABASE_PASSWORD],
            ca_pem=bundle.read_text(),
            app_username=credentials.username,
        )

    def _config(self, host: Host, stack: TechStack, new: Release, spec: InfrastructureSpec) -> DeploymentConfig:
        service = f"app-{new.release_id}.service"
        shown = host.run(f"systemctl show -p ActiveState,MainPID {service}").stdout
        said = dict(line.split("=", 1) for line in shown.splitlines() if "=" in line)
        facts = host_facts(host.run(HOST_FACTS_SCRIPT).stdout)
        active = {"active": "running", "failed": "failed"}.get(said.get("ActiveState", ""), "stopped")
        return DeploymentConfig(
            app_port=(facts.current_port or stack.port) if stack.is_web_service else 0,
            health_check_path=stack.health_check_path,
            service_name=service,
            service_status=active,
            environment_variables=masked_environment(stack, new.environment),
            log_path=LOG_PATH,
            pid=int(said.get("MainPID", "0")) or None,
            release_id=new.release_id,
            url=f"https://{spec.public_address}" if spec.public_address else None,
            startup_seconds=facts.startup_seconds,
        )

    def _ask(self, url: str, ca: Path | None, at: str | None) -> str:
        try:
            status, headers = self._outside.get(url, ca, at)
        except DeploymentError as err:
            return err.message
        found = headers.get(RELEASE_HEADER, "")
        return found if found and 200 <= status < 500 else f"HTTP {status} from {found or 'no release'}"


def _hosts(infrastructure: InfrastructureSpec, plan: Plan) -> tuple[str, ...]:
    """Return the names that the application is reached by: here, on its host, at the balancer, and its own."""
    public = (infrastructure.load_balancer_dns or "").partition(":")[0]
    own = plan.infra.web.domain if plan.infra.web else None
    return tuple(dict.fromkeys(filter(None, ("localhost", "127.0.0.1", public, own))))
