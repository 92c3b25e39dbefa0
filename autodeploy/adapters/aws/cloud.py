"""AwsCloud: the Cloud port by boto3, of an account at AWS or of the local target's emulation of one.

Reads and waits; creates and changes nothing but snapshots, and deletes only such rules and leftovers as it is told to.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from contextlib import AbstractContextManager
from datetime import datetime, timezone
from pathlib import Path
from typing import Any, Protocol

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError

from autodeploy.adapters.aws import (
    account,
    credentials,
    evidence,
    failures,
    finding,
    preflight,
    pricing,
    strangers,
    surroundings,
    sweep,
    trust,
)
from autodeploy.adapters.aws.snapshots import AwsSnapshots, Vault
from autodeploy.errors import DeploymentError, InfrastructureError
from autodeploy.model import (
    BaseImage,
    Check,
    CloudFacts,
    DatabaseEngine,
    HostedZone,
    InfraPlan,
    Leftover,
    NetworkFacts,
    Preview,
    PriceList,
    Target,
)
from autodeploy.patience import FIRST_WAIT_SECONDS, Patience
from autodeploy.ports import Say

LOCAL_KEYS = ("testing", "testing")  # the operator's own credentials never go to an emulator
_FIRST_WAIT_SECONDS: dict[Target, float] = {"aws": FIRST_WAIT_SECONDS, "local": 0.1}
"""Nobody else asks the local target too much."""
_PAUSE_SECONDS = 5.0
_SETTLE_SECONDS = 10.0
"""AWS shows what was made a moment ago only after a while, and its provider outlives its engine for a moment."""


class Witness(Protocol):
    """Who knows of the local target's machines and balancers what no emulated account can tell."""

    def console_output(self, instance_id: str) -> str:
        """Return what the machine last wrote on its console."""

    def target_health(self, deployment_id: str) -> Sequence[str]:
        """Return each target's health, a line each."""


class AwsCloud:
    """One account and region; of `instance_types`, where they are offered, the first must be.

    On the local target `endpoint_url` is the daemon's, `engine_versions` and `admin_cidr` say what it has, `epoch`
    returns its account's epoch, `settled` returns when its provider no longer works for a deployment, and `witness`
    answers for its machines, `vault` keeps its databases' data. `ca_bundle` is the file that databases' certificates
    are verified with; at AWS it is fetched into `trust_folder`. `public_authority` signs what an emulated account
    issues for a domain.
    """

    def __init__(
        self,
        target: Target,
        region: str,
        *,
        profile: str | None = None,
        role_arn: str | None = None,
        endpoint_url: str | None = None,
        instance_types: Sequence[str] = ("t3.micro",),
        admin_cidr: str | None = None,
        images: Mapping[BaseImage, str] | None = None,
        engine_versions: Mapping[DatabaseEngine, str] | None = None,
        epoch: Callable[[], str] = lambda: "",
        settled: Callable[[str, Say], None] | None = None,
        ca_bundle: Path | None = None,
        public_authority: Path | None = None,
        rehearse_zone: Callable[[Any, str], None] | None = None,
        witness: Witness | None = None,
        vault: Vault | None = None,
        trust_folder: Path | None = None,
        image_owner: str = account.DEBIAN_OWNER,
        address_url: str = account.ADDRESS_URL,
        connect: Callable[[str], Any] | None = None,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self.target = target
        self.region = region
        self.profile = profile
        self.role_arn = role_arn
        self._endpoint_url = endpoint_url
        self._instance_types = tuple(dict.fromkeys(instance_types))
        self._admin_cidr = admin_cidr
        self._images = images or (account.LOCAL_IMAGES if target == "local" else None)
        self._engine_versions = engine_versions or (account.LOCAL_ENGINES if target == "local" else None)
        self._epoch = epoch
        self._settled = settled
        self._ca_bundle = ca_bundle
        self._public_authority = public_authority
        self._rehearse_zone = rehearse_zone
        self._witness = witness
        self._trust_folder = trust_folder
        self._image_owner = image_owner
        self._address_url = address_url
        self._connect = connect or self._boto3_client
        self._sleep = sleep
        self._session: Any = None
        self._clients: dict[str, Any] = {}
        self.snapshots = AwsSnapshots(lambda: self._client("rds"), self._translated, sleep, vault)

    def facts(self) -> CloudFacts:
        """Return the facts of account and region; raise InfrastructureError with whose credentials were tried."""
        with self._translated(f"Reading the facts of the account in {self.region}"):
            boto3.Session().get_partition_for_region(self.region)  # raises for a region that cannot be
            identity = self._client("sts").get_caller_identity()
            offers = account.offers(self._client("ec2"), self._instance_types, self.region)
            images = self._images or account.images(self._client("ec2"), self._image_owner, self.region)
            versions = self._engine_versions or account.engine_versions(self._client("rds"))
        return CloudFacts(
            target=self.target,
            account_id=identity["Account"],
            region=self.region,
            zones=tuple(sorted({zone for zones in offers.values() for zone in zones})),
            images=dict(images),
            admin_cidr=self._admin_cidr or account.public_address(self._address_url),
            engine_versions=dict(versions),
            identity=identity["Arn"],
            offers=offers,
        )

    def prices(self, keys: Collection[str]) -> PriceList:
        """Return what AWS asks today for these keys; empty, with the problem said, where it does not say. Never raises.

        An emulated account has no prices.
        """
        if self.target == "local":
            return PriceList()
        # One endpoint prices all regions: https://docs.aws.amazon.com/awsaccountbilling/latest/aboutv2/price-changes.html
        return pricing.ask(lambda: self._connect("pricing"), self.region, keys)

    def preflight(self, plan: InfraPlan | None = None, preview: Preview | None = None) -> Sequence[Check]:
        """Return what can be known to stop an apply; without a plan, what can be known of any."""
        with self._translated("Checking the account before an apply"):
            now = datetime.now(timezone.utc)
            return list(preflight.run(self._client, self.target, self.region, now, plan, preview))

    def hosted_zone(self, domain: str) -> HostedZone | None:
        """Return the account's public zone that the domain lies in, None where it has none; raise for a taken name."""
        with self._translated(f"Looking for the zone of {domain}"):
            return surroundings.hosted_zone(self._client("route53"), domain, self._rehearse_zone)

    def network(self, vpc_id: str) -> NetworkFacts:
        """Return a VPC of the account with its subnets; raise InfrastructureError for one that is not there."""
        with self._translated(f"Reading the network {vpc_id}"):
            return surroundings.network(self._client("ec2"), vpc_id, self.region)

    def public_authority(self) -> Path | None:
        """Return the file that a certificate issued for a domain is verified with; None: the system's authorities."""
        return self._public_authority

    def database_password(self, secret_arn: str) -> tuple[str, str]:
        """Return user and password of the managed master secret."""
        context = "Reading the database's master secret"
        with self._translated(context):
            text = self._client("secretsmanager").get_secret_value(SecretId=secret_arn)["SecretString"]
        try:
            secret = json.loads(text)
            return str(secret["username"]), str(secret["password"])
        except (ValueError, KeyError, TypeError):
            # Not `from err`: the parser's error carries the secret's text.
            raise InfrastructureError(
                f"the secret {secret_arn} does not hold user and password as RDS writes them",
                "Let RDS rotate the master password in the console, then run the same command again.",
                agent=failures.AGENT,
                context=context,
            ) from None

    def await_instance(self, instance_id: str, say: Say, timeout_seconds: float = 600) -> None:
        """Return when the instance runs and both status checks pass; raise DeploymentError."""
        context, waited, latest = f"Waiting for the instance {instance_id}", 0.0, ("", "")
        while True:
            with self._translated(context):
                state, condition = account.instance_condition(self._client("ec2"), instance_id)
            if state == "running" and condition == "ok":
                return
            if state in {"terminated", "shutting-down", "stopped", "stopping"} or waited >= timeout_seconds:
                raise DeploymentError(
                    f"the instance {instance_id} is {state} after {waited:.0f} s: {condition or 'no status'}",
                    "Run `autodeploy deploy` again to go on, or `autodeploy destroy` to remove everything.",
                    recoverable=waited >= timeout_seconds,
                    agent="HiveMind Release-Engineer",
                    context=context,
                )
            if (state, condition) != latest:
                say(f"instance {instance_id} is {state}, checks: {condition or 'none yet'}")
            latest = (state, condition)
            self._sleep(_PAUSE_SECONDS)
            waited += _PAUSE_SECONDS

    def leftovers(self, deployment_id: str, arns: Iterable[str] = ()) -> Sequence[Leftover]:
        """Return what still carries the deployment's tag or is one of `arns`, database snapshots excepted."""
        with self._translated(f"Looking for what is left of {deployment_id}"):
            return sweep.find(self._client, deployment_id, arns)

    def foreign_rules(self, groups: Collection[str], known: Collection[str]) -> Mapping[str, Mapping[str, str]]:
        """Return, by security group and rule, what rules that are not `known` let through."""
        with self._translated("Looking for rules that were made by hand"):
            return strangers.rules(self._client, groups, known)

    def settle(self, deployment_id: str, say: Say) -> None:
        """Return when the account shows all that a killed engine's requests have made."""
        if self._settled:
            self._settled(deployment_id, say)
        else:
            say(f"giving AWS {_SETTLE_SECONDS:.0f} s to show what an engine that was killed has begun")
            self._sleep(_SETTLE_SECONDS)

    def revoke_rules(self, rules: Mapping[str, Collection[str]]) -> None:
        """Delete the rules of security groups, by group their ids; gone already counts as done."""
        with self._translated("Taking away rules that were made by hand"):
            strangers.revoke(self._client("ec2"), rules)

    def claim(
        self, token: str, inputs: Mapping[str, Any], deployment_id: str, known: Collection[str], say: Say
    ) -> str | None:
        """Return the id of a resource that nobody wrote down, ready for use; None when there is none.

        One that cannot be taken over is deleted; `known` are the ids that belong to somebody.
        """
        with self._translated(f"Looking for {token} of {deployment_id}"):
            return finding.claim(self._client, token, inputs, deployment_id, known, say)

    def console_output(self, instance_id: str) -> str:
        """Return what the machine last wrote on its console; "" where the account has nothing yet."""
        if self._witness is not None:
            return self._witness.console_output(instance_id)
        with self._translated(f"Reading the console of {instance_id}"):
            return evidence.console_output(self._client("ec2"), instance_id)

    def target_health(self, deployment_id: str) -> Sequence[str]:
        """Return, a line for each target of the deployment's balancer, its health and the balancer's reason."""
        if self._witness is not None:
            return self._witness.target_health(deployment_id)
        with self._translated(f"Reading the health of the targets of {deployment_id}"):
            return evidence.target_health(self._client, deployment_id)

    def account_epoch(self) -> str:
        """Return the emulated account's epoch; "" on AWS."""
        return self._epoch()

    def ca_bundle(self) -> Path | None:
        """Return the file that a database client verifies the database's certificate with."""
        if self._ca_bundle is None and self._trust_folder is not None:
            self._ca_bundle = trust.database_bundle(self.region, self._trust_folder)
        return self._ca_bundle

    def _translated(self, context: str) -> AbstractContextManager[None]:
        return failures.translated(context, self.profile, self._source, self.target == "local")

    def _source(self) -> str:
        """Return botocore's name for where the credentials came from; asked only once something has failed."""
        try:
            return str(self._session.get_credentials().method)
        except (AttributeError, BotoCoreError):  # no session, no credentials, or the very error being reported
            return ""

    def _client(self, service: str) -> Any:
        if service not in self._clients:
            self._clients[service] = self._connect(service)
        return self._clients[service]

    def _boto3_client(self, service: str) -> Any:
        if self._session is None:
            keys = LOCAL_KEYS if self.target == "local" else None
            self._session = credentials.session(self.region, self.profile, self.role_arn, self._endpoint_url, keys)
        if service == "pricing":  # nothing waits for it, and it is served from a few regions for all
            return self._session.client(service, region_name=pricing.REGION, config=pricing.HASTY)
        config = Config(connect_timeout=10, read_timeout=60, retries={"mode": "standard", "total_max_attempts": 1})
        client = self._session.client(service, endpoint_url=self._endpoint_url, config=config)
        patience = Patience(failures.NETWORK, self._sleep, _FIRST_WAIT_SECONDS[self.target])
        client.meta.events.register("needs-retry", patience)
        client.meta.events.register("before-parse", failures.forget_page)
        return client
