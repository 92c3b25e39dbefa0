"""DeploymentState: the ledger of one deployment. DeploymentResult and RollbackResult: what the conductor answers."""

from __future__ import annotations

from typing import Literal

from autodeploy.model.build import BuildArtifact
from autodeploy.model.deployment import DeploymentConfig, SecurityConfig
from autodeploy.model.infrastructure import Access, CloudFacts, InfraPlan, InfrastructureSpec, Target
from autodeploy.model.noun import Noun, Timestamp
from autodeploy.model.plan import Plan
from autodeploy.model.snapshot import KeptSnapshot
from autodeploy.model.standing import Leftover
from autodeploy.model.techstack import TechStack

Status = Literal[
    "pending", "analyzing", "building", "provisioning", "deploying", "hardening", "complete", "failed", "rolled_back"
]
Stage = Literal["analyze", "build", "plan", "provision", "deploy", "harden"]
Part = Literal["compute"]
"""What may be destroyed alone: it holds no data, and is made again by the next deploy."""

TRANSITIONS: dict[Status, tuple[Status, ...]] = {
    "pending": ("analyzing", "failed"),
    "analyzing": ("building", "failed"),
    "building": ("provisioning", "failed"),
    "provisioning": ("deploying", "failed"),
    "deploying": ("hardening", "failed"),
    "hardening": ("complete", "failed"),
    "complete": ("analyzing", "provisioning", "failed", "rolled_back"),
    "failed": ("analyzing", "building", "provisioning", "deploying", "hardening", "rolled_back"),
    "rolled_back": (),
}
"""The only legal moves; `complete` to `analyzing` is an update of what serves, to `provisioning` a restore of its data,
`failed` to any work a retry of it.

An update that nobody approved is none: the ledger is again as it was before it.
"""

ENDS: frozenset[Status] = frozenset({"complete", "failed", "rolled_back"})
"""Where a run ends; any other status that no living process works under is a run that was killed."""

WORK: dict[Stage, Status] = {
    "analyze": "analyzing",
    "build": "building",
    "plan": "provisioning",
    "provision": "provisioning",
    "deploy": "deploying",
    "harden": "hardening",
}
"""The status under which each stage is worked on, in the line's order."""

STAGES: tuple[Stage, ...] = tuple(WORK)


class LogEntry(Noun):
    """One thing an agent did."""

    timestamp: Timestamp
    agent: str
    level: Literal["INFO", "WARNING", "ERROR"]
    message: str


class ErrorEntry(Noun):
    """One error, as it was reported, with the traceback for those who mend it."""

    timestamp: Timestamp
    agent: str
    error_type: str
    message: str
    stack_trace: str | None
    remediation: str
    context: str = ""
    output: str = ""


class StageRecord(Noun):
    """Proof that a stage is done: `inputs` is the SHA-256 of what it was given."""

    inputs: str
    seconds: float
    finished_at: Timestamp


class Approval(Noun):
    """What somebody said yes to: the digest of the InfraPlan, and by URN what the preview would do."""

    infra: str
    operations: dict[str, str]


class Request(Noun):
    """What the user chose, None where nothing was said; kept so that a later run need not ask again. No secrets."""

    ref: str | None = None
    subdirectory: str | None = None
    overrides: dict[str, str] = {}
    profile: str | None = None
    role_arn: str | None = None
    instance_type: str | None = None
    instances: int | None = None
    admin_cidr: str | None = None
    alarm_email: str | None = None
    tags: dict[str, str] = {}
    domain: str | None = None
    vpc_id: str | None = None
    access_logs: str | None = None
    access: Access | None = None

    def over(self, earlier: Request) -> Request:
        """Return these choices, and the earlier ones where nothing was said now; "" takes an earlier one back."""
        said = {name: value or None for name, value in dict(self).items() if value is not None}
        overrides = {name: value for name, value in {**earlier.overrides, **self.overrides}.items() if value}
        return earlier.but(**{**said, "overrides": overrides, "tags": {**earlier.tags, **self.tags}})


class DeploymentState(Noun):
    """Everything known of one deployment. `logs` and `errors` are kept in order of time.

    `approval` is kept until the plan it is of is applied to its end; `destroying` until a destruction ends either way;
    `final_snapshot`, the name of the last snapshot that a destruction takes, until the deployment is worked on again.
    `standing` is what was applied last to its end.
    `doomed` are the ARNs of what destructions found in the stack, until nothing of it is left. `without` names the
    parts that were taken away on request, until the deployment is complete again.
    """

    deployment_id: str
    status: Status
    repo_url: str
    description: str
    created_at: Timestamp
    updated_at: Timestamp
    tech_stack: TechStack | None = None
    build_artifact: BuildArtifact | None = None
    infrastructure: InfrastructureSpec | None = None
    deployment_config: DeploymentConfig | None = None
    security_config: SecurityConfig | None = None
    logs: tuple[LogEntry, ...] = ()
    errors: tuple[ErrorEntry, ...] = ()
    region: str = "us-east-1"
    estimated_cost_per_month: float = 0.0
    name: str = ""
    target: Target = "local"
    account_id: str = ""
    account_epoch: str = ""
    request: Request = Request()
    facts: CloudFacts | None = None
    plan: Plan | None = None
    commit: str = ""
    stages: dict[Stage, StageRecord] = {}
    completed_at: Timestamp | None = None
    failed_stage: Stage | None = None
    approval: Approval | None = None
    destroying: bool = False
    standing: InfraPlan | None = None
    doomed: tuple[str, ...] = ()
    without: tuple[Part, ...] = ()
    final_snapshot: str | None = None


class DeploymentResult(Noun):
    """The answer of `deploy`: `summary` holds each agent's output by its name, `options` what can be done next."""

    deployment_id: str
    status: Status
    url: str | None = None
    summary: dict[str, object] = {}
    errors: tuple[ErrorEntry, ...] = ()
    options: tuple[str, ...] = ()


class RollbackResult(Noun):
    """The answer of `rollback`: `remaining` names what is left, and is empty when it succeeded.

    `left` says of the same what it costs. Where only a `part` was asked for, `deleted` names what went.
    `snapshots` names every copy of the database that is kept, and `kept` says of the same what it costs.
    """

    deployment_id: str
    status: Status
    remaining: tuple[str, ...] = ()
    snapshots: tuple[str, ...] = ()
    message: str = ""
    left: tuple[Leftover, ...] = ()
    part: Part | None = None
    deleted: tuple[str, ...] = ()
    kept: tuple[KeptSnapshot, ...] = ()
