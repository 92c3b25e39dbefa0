"""The daemon's files under `<home>/local`: what they are called, and daemon.json, which says where it listens."""

from __future__ import annotations

import json
import os
from pathlib import Path

from pydantic import Field, ValidationError

from autodeploy.errors import LocalTargetError
from autodeploy.local.containers import AGENT
from autodeploy.model import Noun


class DaemonInfo(Noun):
    """Where a daemon listens. `account_epoch` names the emulated account, which ends with the daemon's process."""

    pid: int
    version: str
    account_epoch: str
    aws_endpoint: str
    provider_port: int
    control_port: int
    token: str = Field(repr=False)


class Records:
    """The files of one home's local target."""

    def __init__(self, home: Path) -> None:
        self.folder = home / "local"
        self.info = self.folder / "daemon.json"
        self.lock = self.folder / "daemon.lock"
        self.log = self.folder / "daemon.log"
        self.amis = self.folder / "amis.json"
        self.balancers = self.folder / "balancers.json"
        self.snapshots = self.folder / "snapshots"

    def make(self) -> None:
        """Make the folder, for its owner alone; raise LocalTargetError."""
        try:
            self.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        except OSError as err:
            raise LocalTargetError(
                f"the folder {self.folder} cannot be made: {err.strerror}",
                "Point AUTODEPLOY_HOME at a folder that you may write to.",
                agent=AGENT,
                context="Starting the local target",
            ) from err

    def write(self, info: DaemonInfo) -> None:
        """Write daemon.json atomically, 0600: its token is the right to stop the daemon."""
        part = self.info.with_suffix(".part")
        with os.fdopen(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
            file.write(info.to_json())
        part.replace(self.info)

    def read(self) -> DaemonInfo | None:
        """Return what daemon.json says, None when there is none or it is not one of ours."""
        try:
            return DaemonInfo.model_validate_json(self.info.read_text("utf-8"))
        except (OSError, ValidationError):
            return None

    def balancer_names(self) -> dict[str, str]:
        """Return the reserved public name of each balancer by its ARN."""
        try:
            ports = json.loads(self.balancers.read_text("utf-8"))
        except (OSError, ValueError):
            return {}
        return {arn: f"localhost:{each['https']}" for arn, each in ports.items()}
