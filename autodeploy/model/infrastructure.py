"""InfraPlan: all that the Pulumi program is told. CloudFacts: what AWS said. InfrastructureSpec: what stands."""

from __future__ import annotations

import re
from typing import Any, Literal

from pydantic import Field, model_validator

from autodeploy.model.build import BaseImage
from autodeploy.model.families import DatabaseEngine, family
from autodeploy.model.noun import Noun, WebPath

Target = Literal["aws", "local"]
Access = Literal["ssh", "ssm"]
"""How the operator reaches the machine: SSH to its public address, or SSH within a session of Systems Manager."""
RETIRED = frozenset({"final_snapshot_identifier"})
"""What a DatabasePlan of an older ledger or stack config may carry, and nobody reads."""
FIRST_MACHINE = "app"
"""The logical name of the machine that every deployment has; the next ones are app-2, app-3 …"""


class PriceList(Noun):
    """What AWS asks for in USD, by the key of the planner's price table: an hour or a month, as the table has it.

    Empty until the Pricing API was asked; `problem` says why it said nothing.
    """

    as_of: str = ""
    usd: dict[str, float] = {}
    problem: str = ""


class HostedZone(Noun):
    """A public Route 53 zone of the account."""

    zone_id: str
    name: str


class SubnetFacts(Noun):
    """A subnet that is there. `is_public`: it has a route to an internet gateway; `has_way_out`: any default route."""

    subnet_id: str
    zone: str
    free_addresses: int
    is_public: bool = False
    has_way_out: bool = False


class NetworkFacts(Noun):
    """A VPC that is there, with its subnets in the order of their ids."""

    vpc_id: str
    cidr: str
    dns_support: bool
    dns_hostnames: bool
    subnets: tuple[SubnetFacts, ...]


class CloudFacts(Noun):
    """Facts of one account and region, read once and pinned in the plan. `images` maps base image to AMI id.

    `admin_cidr` is the address the operator is seen from, `engine_versions` the region's default version of
    each database engine, `identity` whose credentials were used, `prices` what the region asked for when last asked,
    `offers` by instance type the zones that have it, `hosted_zones` by domain the zone it lies in, `network` the VPC
    that was asked for.
    """

    target: Target
    account_id: str
    region: str
    zones: tuple[str, ...]
    images: dict[BaseImage, str]
    admin_cidr: str
    engine_versions: dict[DatabaseEngine, str] = {}
    identity: str = ""
    prices: PriceList = PriceList()
    offers: dict[str, tuple[str, ...]] = {}
    hosted_zones: dict[str, HostedZone] = {}
    network: NetworkFacts | None = None


class DatabasePlan(Noun):
    """One managed database. Sizes in GiB, retention in days.

    `snapshot` is the one that it is made from; "" makes an empty one. Each restore makes an instance of a higher
    `generation`, which takes the place of the one before.
    """

    engine: DatabaseEngine
    engine_version: str
    instance_class: str = "db.t3.micro"
    storage_gb: int = 20
    storage_type: str = "gp2"
    backup_retention_days: int = 7
    database_name: str = "app"
    master_username: str = "dbadmin"
    port: int = 5432
    deletion_protection: bool = True
    snapshot: str = Field(default="", exclude_if=lambda snapshot: not snapshot)
    generation: int = Field(default=0, exclude_if=lambda generation: generation == 0)

    @model_validator(mode="before")
    @classmethod
    def _without_what_is_retired(cls, given: Any) -> Any:
        """Read what an older version wrote: the name of a last snapshot, which is the ledger's now."""
        return {key: value for key, value in given.items() if key not in RETIRED} if isinstance(given, dict) else given

    @property
    def parameter_family(self) -> str:
        """RDS's parameter group family of the version; raise ValueError for a version that belongs to none."""
        found = family(self.engine, self.engine_version)
        if found is None:
            raise ValueError(f"no parameter group family is known for {self.engine} {self.engine_version}")
        return found


class WebPlan(Noun):
    """How the world reaches the application: balancer, listener certificate (PEM; its key is secret config).

    With `zone_id`, that zone gets the records of `domain`, and the certificate is one that AWS issues for it; what is
    imported is "" then. A `domain` without a zone is somebody else's to point at the balancer. `access_logs_bucket`
    is an S3 bucket that the balancer may write to.
    """

    host_port: int = 80
    health_check_path: WebPath = "/"
    certificate_pem: str
    certificate_chain_pem: str = ""
    domain: str | None = None
    zone_id: str | None = None
    deletion_protection: bool = True
    access_logs_bucket: str | None = None


class ExistingNetwork(Noun):
    """A network that somebody else made and keeps, with the subnets to use, each pair in two zones."""

    vpc_id: str
    public_subnet_ids: tuple[str, str]
    private_subnet_ids: tuple[str, str]


class InfraPlan(Noun):
    """The whole input of the Pulumi program, besides the secret `certificateKey`. It knows no application.

    With `network` no network is made: the CIDRs of subnets say nothing then. With `access` "ssm" no rule opens the
    machine's port 22, to nobody: `admin_cidr` is the machine itself then. `instances` is how many machines run the
    application; one is left out of the JSON, so that plans of one read as they always did, and so are access by SSH and
    no `role_arn`: the role of the account that the engine's provider assumes, whoever runs it.
    """

    deployment_id: str
    name: str = Field(description="prefix of physical names")
    target: Target
    account_id: str
    region: str
    zones: tuple[str, str]
    vpc_cidr: str = "10.0.0.0/16"
    public_cidrs: tuple[str, str] = ("10.0.1.0/24", "10.0.3.0/24")
    private_cidrs: tuple[str, str] = ("10.0.2.0/24", "10.0.4.0/24")
    network: ExistingNetwork | None = None
    image_id: str
    instance_type: str
    instances: int = Field(default=1, ge=1, exclude_if=lambda number: number == 1)
    root_volume_gb: int = 20
    ssh_public_key: str
    admin_cidr: str
    user_data: str
    web: WebPlan | None = None
    database: DatabasePlan | None = None
    alarm_email: str | None = None
    # Left out where it says nothing new: an update of AutoDeploy alone is no other plan.
    access: Access = Field(default="ssh", exclude_if=lambda access: access == "ssh")
    role_arn: str | None = Field(default=None, exclude_if=lambda role_arn: role_arn is None)
    tags: dict[str, str] = {}

    @property
    def is_burstable(self) -> bool:
        """Whether the machine lives on CPU credits: t2, t3, t3a."""
        return re.match(r"t\d", self.instance_type) is not None


class DatabaseCredentials(Noun):
    """How the application reaches its database. `password` is a secret and never part of a repr."""

    username: str
    password: str = Field(repr=False)
    database_name: str
    port: int


class Machine(Noun):
    """One of the machines that run the application. `name` is its resource's logical name."""

    name: str
    instance_id: str
    public_ip: str
    private_ip: str


class InfrastructureSpec(Noun):
    """What stands in the account: a cache of the stack's outputs.

    `domain` is the name that the account's DNS leads to the balancer, with a certificate that the account issued.
    The first machine is in the fields that begin with `ec2_`, further ones are in `more_machines`.
    """

    deployment_id: str
    vpc_id: str
    public_subnet_id: str
    private_subnet_id: str
    ec2_instance_id: str
    ec2_public_ip: str
    ec2_private_ip: str
    security_group_id: str
    database_endpoint: str | None = None
    database_credentials: DatabaseCredentials | None = None
    load_balancer_dns: str | None = None
    ssh_key_name: str
    ssh_private_key_path: str
    database_secret_arn: str | None = None
    certificate_arn: str | None = None
    domain: str | None = None
    access: Access = "ssh"
    more_machines: tuple[Machine, ...] = Field(default=(), exclude_if=lambda machines: not machines)

    @property
    def machines(self) -> tuple[Machine, ...]:
        """All machines, the first one first."""
        first = Machine(
            name=FIRST_MACHINE,
            instance_id=self.ec2_instance_id,
            public_ip=self.ec2_public_ip,
            private_ip=self.ec2_private_ip,
        )
        return (first, *self.more_machines)

    def alone(self, machine: Machine) -> InfrastructureSpec:
        """Return the same with this machine as the only one."""
        return self.but(
            ec2_instance_id=machine.instance_id,
            ec2_public_ip=machine.public_ip,
            ec2_private_ip=machine.private_ip,
            more_machines=(),
        )

    @property
    def public_address(self) -> str | None:
        """The host, or host:port, of the public URL; None for a worker."""
        if self.domain is None or self.load_balancer_dns is None:
            return self.load_balancer_dns
        _, colon, port = self.load_balancer_dns.partition(":")
        return f"{self.domain}{colon}{port}"
