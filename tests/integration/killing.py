"""A local account in this process whose provider kills the engine at a chosen call; and what stands in it."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import subprocess
import threading
import urllib.request
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

import boto3
import grpc
from fakes.person import FakeClock, FakeUI
from fakes.plane import FakePlane
from moto.server import ThreadedMotoServer

from autodeploy.adapters import keys
from autodeploy.adapters.aws import AwsCloud
from autodeploy.adapters.pulumi import PulumiEngine
from autodeploy.adapters.store import FileStore
from autodeploy.agents.keyring import Keyring
from autodeploy.agents.provisioner import HiveMindProvisioner
from autodeploy.certifying import certify
from autodeploy.local.provider import serve_provider
from autodeploy.local.provider.table import load_schemas
from autodeploy.model import DeploymentState, InfraPlan, Plan
from autodeploy.ports import Say
from autodeploy.settings import Settings
from stacks.program import program

REGION = "us-east-1"
ID = "web-1"


def locks(home: Path) -> Iterator[Path]:
    """Return what says that an engine holds a stack of the home."""
    return home.glob("pulumi/.pulumi/locks/organization/autodeploy/*/*.json")


def kill_engine(home: Path) -> int:
    """End the engine that holds the home's stack, and that this process started; return its id."""
    (lock,) = locks(home)
    pid = int(json.loads(lock.read_text())["pid"])
    parent = subprocess.run(["ps", "-o", "ppid=", "-p", str(pid)], capture_output=True, text=True, check=True)
    assert int(parent.stdout) == os.getpid()
    os.kill(pid, signal.SIGKILL)
    return pid


class Executioner(grpc.aio.ServerInterceptor):
    """Counts the engine's calls while it holds the stack: a preview holds nothing, and leaves nothing half made.

    At number `at` it kills the engine: before the call is heard ("lost"), while it is answered ("amid"), or when the
    work is done and the answer on its way ("after").
    """

    def __init__(self, home: Path) -> None:
        self.home = home
        self.calls: list[str] = []
        self.at = 0
        self.phase = "lost"
        self.killed = 0

    def order(self, at: int, phase: str) -> None:
        """Begin to count anew."""
        self.calls, self.at, self.phase, self.killed = [], at, phase, 0

    async def intercept_service(self, continuation: Any, details: Any) -> Any:
        handler = await continuation(details)
        if handler is None or handler.unary_unary is None:
            return handler
        method = details.method.rpartition("/")[2]

        async def run(request: Any, context: Any) -> Any:
            holds = any(locks(self.home))
            if holds:
                self.calls.append(method)
            due = holds and len(self.calls) == self.at
            if due and self.phase == "lost":
                self.kill()
                await context.abort(grpc.StatusCode.UNAVAILABLE, "never heard")
            work = asyncio.ensure_future(handler.unary_unary(request, context))
            if due and self.phase == "amid":
                await asyncio.sleep(0)
                self.kill()
            answer = await work
            if due and self.phase == "after":
                self.kill()
            return answer

        return grpc.unary_unary_rpc_method_handler(run, handler.request_deserializer, handler.response_serializer)

    def kill(self) -> None:
        """End the engine."""
        self.killed = kill_engine(self.home)


class Place:
    """One home, one engine, and the account at `endpoint`, which becomes a new one; `key` is the balancer's."""

    def __init__(
        self, home: Path, executable: Path, endpoint: str, loop: asyncio.AbstractEventLoop, key: str = ""
    ) -> None:
        _empty(endpoint)
        self.home = home
        self.endpoint = endpoint
        self.plane = FakePlane()
        self.executioner = Executioner(home)
        self.said: list[str] = []
        self.key = key
        self._loop = loop
        self.server = self._run(serve_provider(endpoint, self.plane, interceptors=[self.executioner]))
        load_schemas()
        self.cloud = AwsCloud("local", REGION, endpoint_url=endpoint, settled=self._settled)
        environment = {
            "PULUMI_DEBUG_PROVIDERS": f"aws:{self.server.port}",
            "PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION": "true",
        }
        self.engine = PulumiEngine(
            program, home, home, environment, refresh=True, orphans=self.cloud, executable=lambda say: executable
        )

    def close(self) -> None:
        """Stop the provider."""
        self._run(self.server.stop())

    def aws(self, service: str) -> Any:
        """Return a client of the account."""
        keys = {"aws_access_key_id": "test", "aws_secret_access_key": "test"}
        return boto3.client(service, region_name=REGION, endpoint_url=self.endpoint, **keys)

    def standing(self) -> Counter[str]:
        """Return how many things of each kind there are, whoever they belong to and whatever their tags say."""
        return standing(self.aws)

    def destroy(self, plan: InfraPlan) -> tuple[str, ...]:
        """Take everything back as `autodeploy destroy` does; return what is left."""
        now = datetime.now(timezone.utc)
        state = DeploymentState(
            deployment_id=plan.deployment_id,
            name=plan.name,
            repo_url="https://example.org/web.git",
            description="",
            status="failed",
            target="local",
            region=REGION,
            account_id=plan.account_id,
            created_at=now,
            updated_at=now,
            final_snapshot=f"{plan.deployment_id}-final",
            plan=Plan(infra=plan, cost=(), prices_as_of="2026-11"),
        )
        chosen = Settings.model_validate({"home": self.home, "cache": self.home, "target": "local"})
        ui, clock, store = FakeUI(), FakeClock(), FileStore(self.home)
        store.save_secrets(plan.deployment_id, {"certificateKey": self.key})
        keyring = Keyring(store, clock, keys.generate, certify)
        agent = HiveMindProvisioner(self.engine, self.cloud, keyring, ui, clock, store, chosen)
        try:
            state = state.but(doomed=agent.arns(state))
            return tuple(left.name for left in agent.destroy(state))
        finally:
            self.said += ui.lines

    def say(self, line: str) -> None:
        """Remember what was said."""
        self.said.append(line)

    def _run(self, work: Any) -> Any:
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(60)

    def _settled(self, deployment_id: str, say: Say) -> None:
        async def works() -> bool:
            await asyncio.sleep(0.1)  # where the provider works too: what has come in meanwhile is heard
            return bool(self.server.working())

        idle = 0
        while idle < 2:
            idle = 0 if self._run(works()) else idle + 1


def standing(aws: Callable[[str], Any]) -> Counter[str]:
    """Count what an account holds besides what AWS makes by itself."""
    ec2, elb, rds = aws("ec2"), aws("elbv2"), aws("rds")
    mine = [vpc["VpcId"] for vpc in ec2.describe_vpcs()["Vpcs"] if not vpc["IsDefault"]]
    groups = [g for g in ec2.describe_security_groups()["SecurityGroups"] if g["GroupName"] != "default"]
    identities = {g["GroupId"] for g in groups}
    tables = [t for t in ec2.describe_route_tables()["RouteTables"] if t["VpcId"] in mine]
    own = [t for t in tables if not any(a.get("Main") for a in t["Associations"])]
    balancers = elb.describe_load_balancers()["LoadBalancers"]
    targets = elb.describe_target_groups()["TargetGroups"]
    instances = [i for r in ec2.describe_instances()["Reservations"] for i in r["Instances"]]
    found = {
        "vpc": len(mine),
        "subnet": sum(s["VpcId"] in mine for s in ec2.describe_subnets()["Subnets"]),
        "gateway": len(ec2.describe_internet_gateways()["InternetGateways"]),
        "table": len(own),
        "association": sum(len(t["Associations"]) for t in own),
        "route": sum(r["Origin"] == "CreateRoute" for t in tables for r in t["Routes"]),
        "group": len(groups),
        "rule": sum(r["GroupId"] in identities for r in ec2.describe_security_group_rules()["SecurityGroupRules"]),
        "key": len(ec2.describe_key_pairs()["KeyPairs"]),
        "instance": sum(i["State"]["Name"] not in ("terminated", "shutting-down") for i in instances),
        "database": len(rds.describe_db_instances()["DBInstances"]),
        "subnet group": len(rds.describe_db_subnet_groups()["DBSubnetGroups"]),
        "parameter group": len(rds.describe_db_parameter_groups()["DBParameterGroups"]),
        "certificate": len(aws("acm").list_certificates()["CertificateSummaryList"]),
        "balancer": len(balancers),
        "listener": sum(
            len(elb.describe_listeners(LoadBalancerArn=b["LoadBalancerArn"])["Listeners"]) for b in balancers
        ),
        "target group": len(targets),
        "member": sum(
            len(elb.describe_target_health(TargetGroupArn=t["TargetGroupArn"])["TargetHealthDescriptions"])
            for t in targets
        ),
        "secret": len(aws("secretsmanager").list_secrets()["SecretList"]),
        **_watching(aws),
    }
    return Counter({kind: number for kind, number in found.items() if number})


def _watching(aws: Callable[[str], Any]) -> dict[str, int]:
    iam, cloudwatch, sns = aws("iam"), aws("cloudwatch"), aws("sns")
    roles = [role["RoleName"] for role in iam.list_roles(PathPrefix="/autodeploy/")["Roles"]]
    return {
        "role": len(roles),
        "role policy": sum(len(iam.list_role_policies(RoleName=role)["PolicyNames"]) for role in roles),
        "instance profile": len(iam.list_instance_profiles()["InstanceProfiles"]),
        "log group": len(aws("logs").describe_log_groups()["logGroups"]),
        "alarm": len(cloudwatch.describe_alarms()["MetricAlarms"]),
        "dashboard": len(cloudwatch.list_dashboards()["DashboardEntries"]),
        "topic": len(sns.list_topics()["Topics"]),
        "subscription": len(sns.list_subscriptions()["Subscriptions"]),
    }


def _empty(endpoint: str) -> None:
    """Make the account a new one."""
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    opener.open(urllib.request.Request(f"{endpoint}/moto-api/reset", method="POST"), timeout=30).close()


@contextmanager
def running_loop() -> Iterator[asyncio.AbstractEventLoop]:
    """Run an event loop in a thread of its own."""
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever, daemon=True)
    thread.start()
    yield loop
    loop.call_soon_threadsafe(loop.stop)
    thread.join(5)


@contextmanager
def account() -> Iterator[str]:
    """Serve an emulated account; yield its endpoint."""
    server: Any = ThreadedMotoServer("127.0.0.1", 0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    yield f"http://{host}:{port}"
    server.stop()
