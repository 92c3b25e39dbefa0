"""The nouns of the line, one file per arrow; frozen, JSON both ways."""

from autodeploy.model.build import APP_PATH, PYTHON_OF_IMAGE, BaseImage, BuildArtifact, BuildStep, Recipe
from autodeploy.model.deployment import DeploymentConfig, Finding, FirewallRule, ScanResults, SecurityConfig
from autodeploy.model.host import CommandResult, HostFacts, SecretRef, Step, StepResult, Upload
from autodeploy.model.infrastructure import (
    CloudFacts,
    DatabaseCredentials,
    DatabaseEngine,
    DatabasePlan,
    InfraPlan,
    InfrastructureSpec,
    Target,
    WebPlan,
)
from autodeploy.model.noun import Noun
from autodeploy.model.plan import CostLine, Plan, Preview, ResourceChange
from autodeploy.model.source import Source
from autodeploy.model.state import (
    STAGES,
    TRANSITIONS,
    DeploymentResult,
    DeploymentState,
    ErrorEntry,
    LogEntry,
    Request,
    RollbackResult,
    Stage,
    StageRecord,
    Status,
)
from autodeploy.model.techstack import DatabaseType, EnvironmentVariable, Evidence, Language, TechStack

__all__ = [
    "APP_PATH",
    "PYTHON_OF_IMAGE",
    "STAGES",
    "TRANSITIONS",
    "BaseImage",
    "BuildArtifact",
    "BuildStep",
    "CloudFacts",
    "CommandResult",
    "CostLine",
    "DatabaseCredentials",
    "DatabaseEngine",
    "DatabasePlan",
    "DatabaseType",
    "DeploymentConfig",
    "DeploymentResult",
    "DeploymentState",
    "EnvironmentVariable",
    "ErrorEntry",
    "Evidence",
    "Finding",
    "FirewallRule",
    "HostFacts",
    "InfraPlan",
    "InfrastructureSpec",
    "Language",
    "LogEntry",
    "Noun",
    "Plan",
    "Preview",
    "Recipe",
    "Request",
    "ResourceChange",
    "RollbackResult",
    "ScanResults",
    "SecretRef",
    "SecurityConfig",
    "Source",
    "Stage",
    "StageRecord",
    "Status",
    "Step",
    "StepResult",
    "Target",
    "TechStack",
    "Upload",
    "WebPlan",
]
