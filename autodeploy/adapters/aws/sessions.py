"""A machine without an open port -> a socket to its sshd, by a session of AWS Systems Manager.

The official programs carry it: `aws`, which starts its session-manager-plugin. Credentials reach them through their
environment alone; those of a role are assumed by this package as a program. Knows nothing of SSH.
"""

from __future__ import annotations

import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from contextlib import suppress

from autodeploy.errors import DeploymentError
from autodeploy.model import Check
from autodeploy.settings import OWN_CREDENTIALS

DOCUMENT = "AWS-StartSSHSession"
"""https://docs.aws.amazon.com/systems-manager/latest/userguide/session-manager-getting-started-enable-ssh-connections.html"""
END_SECONDS = 3.0
PROGRAMS: Mapping[str, str] = {
    "aws": "https://docs.aws.amazon.com/cli/latest/userguide/getting-started-install.html",
    "session-manager-plugin": "https://docs.aws.amazon.com/systems-manager/latest/userguide/"
    "session-manager-working-with-install-plugin.html",
}
"""What has to be on PATH, and where its installation is described."""
HOPELESS = re.compile(
    r"AccessDenied|UnauthorizedOperation|ExpiredToken|InvalidClientTokenId|UnrecognizedClient|SignatureDoesNotMatch|"
    r"Unable to locate credentials|config profile .* could not be found|SSO session|Token has expired|"
    r"SessionManagerPlugin is not found|Unknown options|Invalid choice",
    re.IGNORECASE,
)
"""What waiting does not mend; a session that is refused because the agent is not there yet is `TargetNotConnected`."""


def check(is_needed: bool) -> Check:
    """Return which of the programs are on PATH; that one is not is a problem only where it is needed."""
    what, missing = "session programs", _missing()
    if not missing:
        return Check("aws", what, " and ".join(PROGRAMS))
    told = f"not on PATH: {', '.join(missing)}"
    if is_needed:
        return Check("aws", what, "", told, _how_to_install(missing))
    return Check("aws", what, f"{told}; only --access ssm needs them")


def _missing() -> dict[str, str]:
    return {name: where for name, where in PROGRAMS.items() if shutil.which(name) is None}


def _how_to_install(programs: Mapping[str, str]) -> str:
    return " ".join(f"Install {name}: {where}" for name, where in programs.items())


def command(instance_id: str, region: str, profile: str | None = None, role_arn: str | None = None) -> tuple[str, ...]:
    """Return what carries a session to the instance's sshd over standard input and output."""
    mine = ("--profile", profile) if profile else ()
    start = ("--region", region, "--target", instance_id, "--document-name", DOCUMENT, "--parameters", "portNumber=22")
    if role_arn is None:
        return ("aws", "ssm", "start-session", *mine, *start)
    as_role = (sys.executable, "-m", __package__, "--role-arn", role_arn, *mine, "--region", region)
    return (*as_role, "--", "aws", "ssm", "start-session", *start)


class Tunnel:
    """The way to one instance. Each `open` is a session of its own, which ends with its socket."""

    def __init__(self, instance_id: str, region: str, profile: str | None = None, role_arn: str | None = None) -> None:
        self._instance_id = instance_id
        self._command = command(instance_id, region, role_arn=role_arn)
        self._environment = _environment(profile)
        self._latest: _Session | None = None

    def open(self) -> socket.socket:
        """Return a socket whose other end a session carries on; raise DeploymentError where programs are missing."""
        if programs := _missing():
            raise self._refused(f"not on PATH: {', '.join(programs)}", _how_to_install(programs))
        self._latest = _Session(self._command, self._environment)
        return self._latest

    def reason(self) -> str:
        """Return what the latest session complained of, "" for nothing; raise DeploymentError where it is hopeless."""
        said = self._latest.said() if self._latest else ""
        if HOPELESS.search(said):
            raise self._refused(
                said,
                "Check whose credentials these are (--profile, --role-arn) and that they may start sessions: "
                "autodeploy doctor, autodeploy iam-policy --access ssm",
            )
        return said

    def _refused(self, reason: str, remediation: str) -> DeploymentError:
        return DeploymentError(
            f"no session to {self._instance_id}: {reason}",
            remediation,
            agent="HiveMind Release-Engineer",
            context=f"Starting a session to {self._instance_id}",
        )


class _Session(socket.socket):
    """Our end of a socket pair; the other is standard input and output of the program that carries it."""

    def __init__(self, program: Sequence[str], environment: Mapping[str, str]) -> None:
        ours, theirs = socket.socketpair()
        self._complaints = tempfile.TemporaryFile()  # noqa: SIM115
        self._is_ended = False
        try:
            # In a session of its own: Ctrl-C is for us, who stop at the next safe point and need the line till then.
            self._process = subprocess.Popen(
                program,
                stdin=theirs.fileno(),
                stdout=theirs.fileno(),
                stderr=self._complaints,
                env=environment,
                start_new_session=True,
            )
        except BaseException:
            ours.close()
            self._complaints.close()
            raise
        finally:
            theirs.close()
        super().__init__(fileno=ours.detach())

    def said(self) -> str:
        """Return the last line that the program wrote to its standard error."""
        self._complaints.seek(0)
        lines = self._complaints.read().decode(errors="replace").split("\n")
        return next((line.strip() for line in reversed(lines) if line.strip()), "")

    def close(self) -> None:
        """Close the socket and end the program with all that it started; a closed one may be closed again."""
        super().close()
        if self._is_ended:
            return
        self._is_ended = True
        with suppress(subprocess.TimeoutExpired):
            self._process.wait(0.2)  # most end as soon as their input does
        for kind in (signal.SIGTERM, signal.SIGKILL):
            with suppress(ProcessLookupError):
                os.killpg(self._process.pid, kind)
            with suppress(subprocess.TimeoutExpired):
                self._process.wait(END_SECONDS)
                break


def _environment(profile: str | None) -> dict[str, str]:
    """Return ours; with a profile, without the variables that would win over it, as everywhere."""
    if not profile:
        return dict(os.environ)
    kept = {name: value for name, value in os.environ.items() if name not in OWN_CREDENTIALS}
    return {**kept, "AWS_PROFILE": profile}
