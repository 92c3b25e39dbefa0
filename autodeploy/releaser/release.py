"""BuildArtifact, TechStack, environment and secrets in; a Release with its id out. Never renders what is installed."""

from __future__ import annotations

import hashlib
import hmac

from pydantic import Field

from autodeploy.model import BuildArtifact, Noun, TechStack
from autodeploy.releaser.access import DatabaseAccess
from autodeploy.releaser.environment import environment_text
from autodeploy.releaser.texts import migration_script, start_script, unit

__all__ = ["DatabaseAccess", "Release", "release", "sealed"]


class Release(Noun):
    """One version of the application with its environment. `seal` is a secret of the deployment that keys digests."""

    release_id: str
    environment: dict[str, str] = Field(repr=False)
    seal: str = Field(repr=False)
    database: DatabaseAccess | None = Field(default=None, repr=False)


def release(
    artifact: BuildArtifact,
    stack: TechStack,
    environment: dict[str, str],
    seal: str,
    database: DatabaseAccess | None = None,
) -> Release:
    """Return the release whose id follows from artifact, environment, start command and unit alone.

    The id is public (a response header), hence the keyed digest: it must not let anybody try out secrets.
    """
    parts = (
        artifact.checksum,
        environment_text(environment),
        unit("RELEASE"),
        start_script(artifact, stack),
        migration_script(stack),
        stack.port,
        stack.port_env,
        stack.health_check_path,
    )
    identity = sealed(seal, "\0".join(str(part) for part in parts))
    return Release(release_id=identity[:12], environment=environment, seal=seal, database=database)


def sealed(seal: str, text: str) -> str:
    """Return the digest of a secret text, keyed, in hex: it can be shown and compared, not guessed."""
    return hmac.new(seal.encode(), text.encode(), hashlib.sha256).hexdigest()
