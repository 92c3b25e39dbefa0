"""The emulated account, as one provider process sees it: AWS clients, the data plane, and what AWS never tells back.

The state of one connection (region, default tags) is a Configuration; it is never shared between connections.
"""

from __future__ import annotations

import asyncio
import os
import threading
import time
from collections import defaultdict
from collections.abc import Callable, Coroutine, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple, TypeVar

import botocore.session
from botocore.config import Config
from botocore.exceptions import ClientError

from autodeploy.errors import InfrastructureError, LocalTargetError
from autodeploy.local.dataplane import DataPlane
from autodeploy.patience import Patience

T = TypeVar("T")
# The operator's own profiles and endpoints mean AWS, never the emulator: they are not even looked at.
_SESSION = botocore.session.Session(
    session_vars={
        "profile": (None, None, None, None),
        "config_file": (None, None, os.devnull, None),
        "credentials_file": (None, None, os.devnull, None),
    }
)
_LOCK = threading.Lock()
AGENT = "HiveMind SysEng"
_FIRST_WAIT_SECONDS = 0.1


@dataclass(frozen=True)
class Configuration:
    """What Configure said on one connection."""

    region: str
    default_tags: Mapping[str, str] = field(default_factory=dict)


class Imported(NamedTuple):
    """A certificate as it was imported or issued, PEM; AWS gives the private key back to nobody."""

    body: str
    key: str
    chain: str | None


class Account:
    """The emulated account. `imported`: certificates by ARN; `addresses`: machines by instance id.

    `endpoints`: address and port by database identifier. All three live as long as the emulator, in its process.
    """

    def __init__(
        self,
        endpoint: str,
        plane: DataPlane,
        loop: asyncio.AbstractEventLoop,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self.plane = plane
        self.imported: dict[str, Imported] = {}
        self.addresses: dict[str, str] = {}
        self.endpoints: dict[str, tuple[str, int]] = {}
        self.balancer_locks: defaultdict[str, threading.Lock] = defaultdict(threading.Lock)
        self._endpoint = endpoint
        self._loop = loop
        # An API that was not heard to answer may have done what it was asked: only what it refuses is tried again.
        self._patience = Patience(sleep=sleep, first_seconds=_FIRST_WAIT_SECONDS)
        self._clients: dict[tuple[str, str], Any] = {}

    def client(self, service: str, region: str) -> Any:
        """Return the boto3 client of a service in a region; one is kept for each."""
        with _LOCK:
            if (service, region) not in self._clients:
                made = self._clients[service, region] = _SESSION.create_client(
                    service,
                    region_name=region,
                    endpoint_url=self._endpoint,
                    aws_access_key_id="local",
                    aws_secret_access_key="local",
                    config=Config(retries={"total_max_attempts": 1}, proxies={}, connect_timeout=10, read_timeout=120),
                )
                made.meta.events.register("needs-retry", self._patience)
            return self._clients[service, region]

    def identity(self, region: str, roles: Sequence[str] = ()) -> str:
        """Return the account's id; raise InfrastructureError where a role of `roles`, assumed in turn, is another's."""
        sts = self.client("sts", region)
        own = str(sts.get_caller_identity()["Account"])
        for role_arn in roles:
            given = sts.assume_role(RoleArn=role_arn, RoleSessionName="local")["AssumedRoleUser"]["Arn"]
            if (theirs := given.split(":")[4]) != own:
                raise refusal(
                    f"the emulated account is {own}, the role {role_arn} is of {theirs}",
                    "Leave --role-arn out: the local target has no other account.",
                    "Configuring the aws provider",
                )
        return own

    def wait(self, work: Coroutine[Any, Any, T]) -> T:
        """Run a coroutine of the data plane on its loop and return its result; only from a worker thread."""
        return asyncio.run_coroutine_threadsafe(work, self._loop).result()


def is_absent(error: ClientError) -> bool:
    """Say whether AWS answered that the thing does not exist."""
    code = str(error.response.get("Error", {}).get("Code", ""))
    return "NotFound" in code or code == "NoSuchEntity"


def ignoring_absent(work: Callable[[], Any]) -> None:
    """Do something to a thing that may be gone already."""
    try:
        work()
    except ClientError as err:
        if not is_absent(err):
            raise


def refusal(
    message: str, remediation: str, context: str = "Creating a resource on the local target"
) -> InfrastructureError:
    """Return the error for something that AWS would refuse."""
    return InfrastructureError(message, remediation, agent=AGENT, context=context)


def translated(error: Exception, context: str) -> InfrastructureError:
    """Return the AgentError for what an operation raised."""
    if isinstance(error, InfrastructureError):
        return error
    if isinstance(error, ClientError):
        answer = error.response.get("Error", {})
        said = f"AWS (emulated) refused {error.operation_name}: {answer.get('Code')}: {answer.get('Message')}"
        return refusal(said, "Correct the inputs of this resource and deploy again.", context)
    return LocalTargetError(
        f"the local target failed: {type(error).__name__}: {error}",
        "Run `autodeploy doctor`; if it stays, `autodeploy local reset` starts afresh.",
        agent=AGENT,
        context=context,
    )
