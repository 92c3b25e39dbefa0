"""Where Pulumi's things are under $AUTODEPLOY_HOME: state, passphrase, and each deployment's project and config."""

from __future__ import annotations

import json
import os
import secrets
import socket
from contextlib import suppress
from pathlib import Path

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
        return (self._home / "pulumi" / ".pulumi" / "stacks" / PROJECT / f"{deployment_id}.json").exists()

    def config(self, deployment_id: str) -> Path:
        """Return the live stack config's path; only the engine makes the file."""
        return self._home / "deployments" / deployment_id / "pulumi" / f"Pulumi.{deployment_id}.yaml"

    def candidate(self, deployment_id: str) -> Path:
        """Return the folder of the config that a preview tries."""
        folder = self.project(deployment_id) / "candidate"
        folder.mkdir(exist_ok=True, mode=0o700)
        return folder

    def free_dead_locks(self, deployment_id: str) -> int:
        """Remove the locks of engines that were killed on this machine; return how many. A live owner keeps its own."""
        freed = 0
        locks = self._home / "pulumi" / ".pulumi" / "locks" / "organization" / PROJECT / deployment_id
        for lock in locks.glob("*.json"):
            # The engine writes its own process id: https://github.com/pulumi/pulumi, pkg/backend/diy/lock.go.
            with suppress(OSError, ValueError, KeyError):
                owner = json.loads(lock.read_text("utf-8"))
                if owner["hostname"] == socket.gethostname() and not _alive(int(owner["pid"])):
                    lock.unlink()
                    freed += 1
        return freed


def _alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
