"""Plan, InfrastructureSpec, HostFacts, artifact and Release in; ordered Steps out. Never touches a host."""

from autodeploy.releaser.database import session
from autodeploy.releaser.environment import environment, masked_environment, trial_environment
from autodeploy.releaser.evidence import EVIDENCE, without_secrets
from autodeploy.releaser.evidence import SECONDS as EVIDENCE_SECONDS
from autodeploy.releaser.facts import HOST_FACTS_SCRIPT, host_facts
from autodeploy.releaser.release import DatabaseAccess, Release, release
from autodeploy.releaser.service import worker_state
from autodeploy.releaser.steps import LOG_PATH, steps

__all__ = [
    "EVIDENCE",
    "EVIDENCE_SECONDS",
    "HOST_FACTS_SCRIPT",
    "LOG_PATH",
    "DatabaseAccess",
    "Release",
    "environment",
    "host_facts",
    "masked_environment",
    "release",
    "session",
    "steps",
    "trial_environment",
    "without_secrets",
    "worker_state",
]
