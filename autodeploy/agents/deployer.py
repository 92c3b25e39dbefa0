"""HiveMind Release-Engineer: puts a release onto the host and sees it answer, on the host and at the public URL."""

from __future__ import annotations

import secrets
from contextlib import closing

from autodeploy.agents.attending import Attending
from autodeploy.agents.choices import environment_of
from autodeploy.agents.machines import Connect, Converge, await_rotation, one_by_one, running
from autodeploy.agents.outputs import DATABASE_PASSWORD
from autodeploy.errors import AgentError, DeploymentError
from autodeploy.model import (
    FIRST_MACHINE,
    BuildArtifact,
    DeploymentConfig,
    DeploymentState,
    InfrastructureSpec,
    Machine,
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
)

SEAL = "seal"


class HiveMindDeployer(Attending):
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
            plan = state.plan

            def serve(machine: Machine, alone: InfrastructureSpec) -> DeploymentConfig:
                config = self._serve(machine, alone, plan, artifact, tech_stack, new)
                if infrastructure.more_machines and config.url:
                    await_rotation(machine, self._cloud, self._clock, infrastructure.deployment_id)
                return config

            try:
                config, *_ = one_by_one(infrastructure, self.say, serve)
            except AgentError as err:
                now = running(infrastructure, self._connect, self.say)
                err.remediation = f"{err.remediation} {now}".rstrip()
                raise
            self.confirm(config, infrastructure)
        return config

    def _serve(
        self,
        machine: Machine,
        alone: InfrastructureSpec,
        plan: Plan,
        artifact: BuildArtifact,
        stack: TechStack,
        new: Release,
    ) -> DeploymentConfig:
        """Make one machine serve the release; the first one migrates the database for all."""
        with closing(self._connect(alone, self.say)) as host:
            facts = host_facts(host.run(HOST_FACTS_SCRIPT).stdout)
            migrates = machine.name == FIRST_MACHINE
            work = steps(plan, alone, facts, artifact, stack, new, migrates=migrates)
            results = self._converge(host, work, self.say)
            config = self._config(host, stack, new, alone)
        changed = sum(result.status == "changed" for result in results)
        self.say(f"release {new.release_id}: {changed} of {len(results)} steps changed the host")
        switched = any(result.name == "switch" and result.status == "changed" for result in results)
        if switched and config.startup_seconds is not None:
            self.say(f"the application answered {config.startup_seconds:.1f} s after its start")
        return config

    def run(self, state: DeploymentState) -> DeploymentState:
        """Release what the state says is built on what it says is provisioned."""
        assert state.infrastructure is not None and state.build_artifact is not None and state.tech_stack is not None
        with self._working_on(state):
            config = self.deploy_application(state.infrastructure, state.build_artifact, state.tech_stack)
            return self._logged(state, deployment_config=config)

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


def _hosts(infrastructure: InfrastructureSpec, plan: Plan) -> tuple[str, ...]:
    """Return the names that the application is reached by: here, on its host, at the balancer, and its own."""
    public = (infrastructure.load_balancer_dns or "").partition(":")[0]
    own = plan.infra.web.domain if plan.infra.web else None
    return tuple(dict.fromkeys(filter(None, ("localhost", "127.0.0.1", public, own))))
