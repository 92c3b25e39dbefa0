"""What the user chose for one deployment, now or earlier: the ledger's request and secrets over this run's settings."""

from __future__ import annotations

from autodeploy.model import DeploymentState, Request
from autodeploy.ports import Store
from autodeploy.settings import Settings

ENVIRONMENT = "env:"


def request_of(settings: Settings) -> Request:
    """Return what of this run's settings is a choice for the deployment, to be kept in its ledger."""
    return Request(
        ref=settings.ref,
        subdirectory=settings.path if settings.path != "." else None,
        overrides=settings.overrides,
        profile=settings.profile,
        instance_type=settings.instance_type,
        instances=settings.instances,
        admin_cidr=settings.admin_cidr,
        alarm_email=settings.alarm_email,
        tags=settings.tags,
        domain=settings.domain,
        vpc_id=settings.vpc_id,
        access_logs=settings.access_logs,
        access=settings.access,
    )


def settings_for(state: DeploymentState, settings: Settings, store: Store) -> Settings:
    """Return the settings that hold for this deployment."""
    request = state.request
    return settings.but(
        ref=request.ref,
        path=request.subdirectory or ".",
        overrides=request.overrides,
        profile=request.profile,
        instance_type=request.instance_type,
        instances=request.instances,
        admin_cidr=request.admin_cidr,
        alarm_email=request.alarm_email,
        tags=request.tags,
        domain=request.domain,
        vpc_id=request.vpc_id,
        access_logs=request.access_logs,
        access=request.access,
        environment={**environment_of(store, state.deployment_id), **settings.environment},
    )


def environment_of(store: Store, deployment_id: str) -> dict[str, str]:
    """Return the application's own variables, resolved; the caller must not log them."""
    kept = store.secrets(deployment_id)
    return {key.removeprefix(ENVIRONMENT): kept[key] for key in sorted(kept) if key.startswith(ENVIRONMENT)}
