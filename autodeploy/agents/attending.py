"""The half of HiveMind Release-Engineer that looks after what runs: sees it answer, stops, starts, listens to it.

Never puts a release anywhere.
"""

from __future__ import annotations

import shlex
from contextlib import closing
from pathlib import Path

from autodeploy.agents.agent import HiveMindAgent
from autodeploy.agents.dossier import gather, reason
from autodeploy.agents.machines import Connect, one_by_one
from autodeploy.errors import AgentError, DeploymentError, StateError
from autodeploy.model import DeploymentConfig, DeploymentState, InfrastructureSpec, Machine
from autodeploy.ports import Cloud, Outside
from autodeploy.releaser import LOG_PATH, worker_state

RELEASE_HEADER = "x-autodeploy-release"
PUBLIC_SECONDS = 90.0
"""How long a balancer may take to find its target healthy: some checks and their interval, with room."""

SETTLE_SECONDS = 3.0
"""How long a worker is watched once it has settled: it is asked for its restarts before and after."""

STOP_SECONDS = 10.0
"""How long a machine that is to be deleted may take to answer."""


class Attending(HiveMindAgent):
    """Attends to services that were released."""

    _connect: Connect
    _cloud: Cloud
    _outside: Outside

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
        with closing(self._connect(infrastructure, self.say)) as host:
            shown = [host.run(worker_state(config.service_name)).stdout.strip()]
            self._clock.sleep(SETTLE_SECONDS)
            shown.append(host.run(worker_state(config.service_name)).stdout.strip())
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
        service = shlex.quote(state.deployment_config.service_name)

        def stop(machine: Machine, alone: InfrastructureSpec) -> None:
            try:
                with closing(self._connect(alone, self.say, STOP_SECONDS)) as host:
                    host.run(f"systemctl stop {service}", timeout_seconds=60)
                self.say("the service is stopped")
            except AgentError as err:
                self.say(f"the service could not be stopped first: {err.message}", "WARNING")

        with self._working_on(state):
            one_by_one(state.infrastructure, self.say, stop)

    def start(self, state: DeploymentState) -> None:
        """Start the service that was stopped; return when the public URL answers with its release."""
        config, infrastructure = state.deployment_config, state.infrastructure
        if infrastructure is None or config is None:
            return
        service = shlex.quote(config.service_name)

        def start(machine: Machine, alone: InfrastructureSpec) -> None:
            with closing(self._connect(alone, self.say)) as host:
                done = host.run(f"systemctl start {service} && systemctl is-active {service}", timeout_seconds=120)
            if done.code:
                raise DeploymentError(
                    f"{service} does not start",
                    "Look at the application's log: autodeploy logs",
                    output=f"{done.stdout}{done.stderr}"[-2000:],
                )

        with self._working_on(state), self._attempting("Starting the service again"):
            one_by_one(infrastructure, self.say, start)
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
        """Return the last lines of the application's own log on each machine, of a release that failed too."""
        spec = state.infrastructure
        if spec is None:
            raise StateError(
                f"{state.deployment_id} has no machine yet",
                f"Look at what was done: autodeploy events {state.deployment_id}",
                context="Reading the application's log",
            )
        newest = f"$(ls -t {Path(LOG_PATH).parent}/*.log 2>/dev/null | head -n 1)"
        path = shlex.quote(state.deployment_config.log_path) if state.deployment_config else f'"{newest}"'
        said = []
        for machine in spec.machines:
            with closing(self._connect(spec.alone(machine), self.say)) as host:
                head = f"==> {machine.name} <==\n" if spec.more_machines else ""
                said.append(head + host.run(f"tail -n {lines} {path}").stdout)
        return "".join(said)

    def _ask(self, url: str, ca: Path | None, at: str | None) -> str:
        try:
            status, headers = self._outside.get(url, ca, at)
        except DeploymentError as err:
            return err.message
        found = headers.get(RELEASE_HEADER, "")
        return found if found and 200 <= status < 500 else f"HTTP {status} from {found or 'no release'}"
