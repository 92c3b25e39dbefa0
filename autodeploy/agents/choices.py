"""What the user chose for one deployment, now or earlier: the ledger's request and secrets over this run's settings."""

from __future__ import annotations

from typing import Any

from autodeploy.model import DeploymentState, Request
from autodeploy.model.noun import Noun
from autodeploy.ports import Store
from autodeploy.settings import Settings

ENVIRONMENT = "env:"


def request_of(settings: Settings) -> Request:
    """Return what of this run's settings is a choice for the deployment, to be kept in its ledger."""
    return Request(subdirectory=settings.path if settings.path != "." else None, **_shared(settings))


def settings_for(state: DeploymentState, settings: Settings, store: Store) -> Settings:
    """Return the settings that hold for this deployment."""
    return settings.but(
        path=state.request.subdirectory or ".",
        environment={**environment_of(store, state.deployment_id), **settings.environment},
        **_shared(state.request),
    )


def _shared(noun: Noun) -> dict[str, Any]:
    """Return what Request and Settings call by the same name: all that a Request holds, but for the folder."""
    return {name: getattr(noun, name) for name in Request.model_fields if name != "subdirectory"}


def environment_of(store: Store, deployment_id: str) -> dict[str, str]:
    """Return the application's own variables, resolved; the caller must not log them."""
    kept = store.secrets(deployment_id)
    return {key.removeprefix(ENVIRONMENT): kept[key] for key in sorted(kept) if key.startswith(ENVIRONMENT)}
