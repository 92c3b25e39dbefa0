"""AWS-legal names: lower case, digits and hyphens; a hash suffix instead of a silent cut."""

from __future__ import annotations

import hashlib
import re
from datetime import datetime

from autodeploy.model import DatabasePlan, InfraPlan

ROLE_SESSION = "AutoDeploy"
"""What CloudTrail shows beside a role that was assumed."""


def slug(text: str, limit: int = 24) -> str:
    """Return `text` as [a-z][a-z0-9-]*, at most `limit` characters, with a hash of the whole when it had to be cut."""
    plain = re.sub(r"-{2,}", "-", re.sub(r"[^a-z0-9]+", "-", text.lower())).strip("-")
    # AWS keeps sg- for security groups' ids and internal- for balancers.
    if not plain or not plain[0].isalpha() or plain.startswith(("sg-", "internal-")):
        plain = f"app-{plain}".rstrip("-")
    if len(plain) <= limit:
        return plain
    suffix = hashlib.sha256(text.encode()).hexdigest()[:6]
    return f"{plain[: limit - 7].rstrip('-')}-{suffix}"


def physical(plan_name: str, deployment_id: str, role: str, *forces_replacement: str, limit: int = 32) -> str:
    """Return a physical name that hashes the deployment and every input that forces replacement.

    Create-before-delete needs two names for one role. 32 characters is the shortest limit in use
    (target groups and balancers, https://docs.aws.amazon.com/elasticloadbalancing/latest/APIReference).
    """
    seal = hashlib.sha256("\0".join((deployment_id, role, *forces_replacement)).encode()).hexdigest()[:8]
    return f"{slug(plan_name, limit - len(role) - 10)}-{role}-{seal}"


def numbered(name: str, number: int) -> str:
    """Return the logical name of one of several: `app`, `app-2`, `app-3`.

    The first is called as if it were the only one, so that a second one never replaces it.
    """
    return name if number == 1 else f"{name}-{number}"


def log_group(plan: InfraPlan) -> str:
    """Return the name of the deployment's log group."""
    return physical(plan.name, plan.deployment_id, "log")


def snapshot_name(deployment_id: str, kind: str, now: datetime) -> str:
    """Return a fresh name such as `guestbook-20261122-7f3a9c-final-20261125194405`; `kind` is final or backup.

    At most 255 letters, digits and single hyphens
    (https://docs.aws.amazon.com/AmazonRDS/latest/APIReference/API_CreateDBSnapshot.html).
    """
    return f"{deployment_id}-{kind}-{now:%Y%m%d%H%M%S}"


def database_identifier(plan: InfraPlan, database: DatabasePlan) -> str:
    """Return what the account calls the plan's database; another one where it would have to be replaced."""
    seeds = [database.engine, database.database_name, database.master_username]
    if database.generation:
        seeds.append(str(database.generation))
    return physical(plan.name, plan.deployment_id, "db", *seeds)


def new_deployment_id(name: str, now: datetime, token: str) -> str:
    """Return a new id such as `guestbook-20261122-7f3a9c`; `token` is random hex of one length, and makes it unique."""
    if not re.fullmatch(r"[0-9a-f]{6,}", token):
        raise ValueError(f"a token is six hex digits or more: {token!r}")
    return f"{slug(name)}-{now:%Y%m%d}-{token}"


def name_in(deployment_id: str) -> str:
    """Return the name that an id was made of."""
    return deployment_id.rsplit("-", 2)[0]
