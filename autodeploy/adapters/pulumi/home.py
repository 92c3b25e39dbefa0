"""Where Pulumi's things are under $AUTODEPLOY_HOME: state, passphrase, and each deployment's project and config."""

from __future__ import annotations

import json
import os
import secrets
from contextlib import suppress
from pathlib import Path
from typing import Any

from autodeploy.errors import StateError
from autodeploy.ports import Say

PROJECT = "autodeploy"


class PulumiHome:
    """Makes what is missing, readable by the owner only; never replaces what is there."""

    def __init__(self, home: Path) -> None:
        self._home = home

    @property
    def backend_url(self) -> str:
        """Return the file backend's URL, its folder made: the engine refuses one that is not there."""
        folder = self._home / "pulumi"
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        return folder.as_uri()

    @property
    def passphrase_file(self) -> Path:
        """Return the file with the passphrase of all stacks' secrets, generated when there is none."""
        path = self._home / "passphrase"
        if not path.exists():
            self._home.mkdir(parents=True, exist_ok=True, mode=0o700)
            draft = path.with_name(f".passphrase-{os.getpid()}")
            draft.touch(mode=0o600)
            draft.write_text(secrets.token_urlsafe(32), "utf-8")
            try:
                os.link(draft, path)
            except FileExistsError:
                pass  # another process was first, and its passphrase holds
            finally:
                draft.unlink()
        return path

    def project(self, deployment_id: str) -> Path:
        """Return the deployment's project folder, with the project file that the engine asks for."""
        folder = self._home / "deployments" / deployment_id / "pulumi"
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        file = folder / "Pulumi.yaml"
        if not file.exists():
            file.write_text(json.dumps({"name": PROJECT, "runtime": "python"}) + "\n", "utf-8")
        return folder

    def has_stack(self, deployment_id: str) -> bool:
        """Say whether the backend holds a stack of the deployment."""
        return self._state(deployment_id).exists()

    def config(self, deployment_id: str) -> Path:
        """Return the live stack config's path; only the engine makes the file."""
        return self._home / "deployments" / deployment_id / "pulumi" / f"Pulumi.{deployment_id}.yaml"

    def candidate(self, deployment_id: str) -> Path:
        """Return the folder of the config that a preview tries."""
        folder = self.project(deployment_id) / "candidate"
        folder.mkdir(exist_ok=True, mode=0o700)
        return folder

    def locks(self, deployment_id: str) -> Path:
        """Return the folder of the stack's locks."""
        return self._home / "pulumi" / ".pulumi" / "locks" / "organization" / PROJECT / deployment_id

    def mend(self, deployment_id: str) -> None:
        """Remove half-written notes of a file's type: the engine reads no file beside which there is such a one.

        It replaces its files in one step, but these it writes in place: https://github.com/google/go-cloud, fileblob.
        """
        root = self._home / "pulumi" / ".pulumi"
        of_stack = self._state(deployment_id).parent.glob(f"{deployment_id}.json*.attrs")
        for note in [*root.glob("*.attrs"), *of_stack, *self.locks(deployment_id).glob("*.attrs")]:
            with suppress(OSError):
                try:
                    json.loads(note.read_text("utf-8"))
                except ValueError:
                    note.unlink()

    def state(self, deployment_id: str, say: Say) -> dict[str, Any]:
        """Return the stack's state as it is on disk, secrets sealed; {} when there is none.

        A damaged one, as a machine that lost power may leave behind, gives way to the one before it.
        """
        self.mend(deployment_id)
        path = self._state(deployment_id)
        for leftover in path.parent.glob(f"{path.name}*.tmp"):  # of a write that was cut short
            leftover.unlink(missing_ok=True)
        if not path.exists():
            return {}
        found = _checkpoint(path)
        if found is None:
            before = path.with_name(f"{path.name}.bak")
            found = _checkpoint(before) if before.exists() else None
            if found is None:
                raise StateError(
                    f"{path} is damaged, and so is {before.name} beside it",
                    f"Restore {path} from a backup. What stands in the account was left as it is.",
                    context=f"Reading the stack of {deployment_id}",
                )
            copy = path.with_name(f"{path.name}.restored")
            copy.write_bytes(before.read_bytes())
            copy.replace(path)
            say(f"the stack's state {path} was damaged; it is back to what it was one step before")
        return found

    def _state(self, deployment_id: str) -> Path:
        return self._home / "pulumi" / ".pulumi" / "stacks" / PROJECT / f"{deployment_id}.json"


def _checkpoint(path: Path) -> dict[str, Any] | None:
    try:
        latest = json.loads(path.read_text("utf-8"))["checkpoint"].get("latest")
        return dict(latest or {})
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return None
