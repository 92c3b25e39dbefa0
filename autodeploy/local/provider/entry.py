"""The shape of one entry of the table: how one resource type is checked, made, read, changed and deleted.

Functions of an entry run in a worker thread, get a Call, and talk to AWS by boto3. They never speak the protocol.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from autodeploy.local.provider.account import Account, Configuration
from autodeploy.local.provider.schema import Failure, schema
from autodeploy.local.provider.wire import UNKNOWN, Values, has_unknown

URN_TAG = "autodeploy:urn"
DEPLOYMENT_TAG = "DeploymentId"


@dataclass(frozen=True)
class Call:
    """One operation on one resource. `inputs` are checked; `state` holds the last outputs ({} before create)."""

    urn: str
    inputs: Values
    account: Account
    configuration: Configuration
    state: Values = field(default_factory=dict)

    @property
    def region(self) -> str:
        """The region of the resource: its own, else the provider's."""
        return str(self.inputs.get("region") or self.state.get("region") or self.configuration.region)

    @property
    def tags(self) -> dict[str, str]:
        """The default tags with the resource's own over them."""
        own = self.inputs.get("tags")
        return {**self.configuration.default_tags, **(own if isinstance(own, dict) else {})}

    @property
    def tags_all(self) -> Any:
        """All tags, or UNKNOWN while one of them is not known."""
        return UNKNOWN if has_unknown(self.inputs.get("tags")) else self.tags

    @property
    def deployment_id(self) -> str:
        """The deployment that the resource is tagged with, else the name of the stack."""
        return self.tags.get(DEPLOYMENT_TAG) or self.urn.split(":", 3)[2]

    def client(self, service: str) -> Any:
        """Return the boto3 client of a service in the resource's region."""
        return self.account.client(service, self.region)

    def given(self, **names: str) -> dict[str, Any]:
        """Return AWS parameters from inputs, `Parameter="input"`, without those that are not given."""
        return {parameter: self.inputs[name] for parameter, name in names.items() if name in self.inputs}

    def changed(self, name: str) -> bool:
        """Say whether an input differs from the last outputs."""
        return bool(self.inputs.get(name) != self.state.get(name))


def _nothing(call: Call, identity: str) -> None:
    """Change nothing: the generic part writes tags and records inputs."""


def _no_limits(inputs: Values) -> Iterable[Failure]:
    return ()


@dataclass(frozen=True)
class Entry:
    """One resource type.

    `create` returns the id; `read` returns what AWS says, by output name, or None; `start` boots what stands behind
    the resource, after it was tagged; when it fails, `undo` (or `delete`) is called.

    `replaces`: inputs that force replacement. `replaces_when`: those that do when another input is true. `updates`:
    changed in place. `recorded`: kept in the state without effect here. Any other known input is refused.

    `tagged`: AWS service, with the kind where one service has several ways, and the output that names the resource
    there. `unique`: inputs that no two resources may share, so that replacing must delete first. `named`: the physical
    name's input, with its longest length.
    """

    token: str
    create: Callable[[Call], str]
    read: Callable[[Call, str], Mapping[str, Any] | None]
    delete: Callable[[Call, str], None]
    update: Callable[[Call, str], None] = _nothing
    start: Callable[[Call, str], None] = _nothing
    undo: Callable[[Call, str], None] | None = None
    limits: Callable[[Values], Iterable[Failure]] = _no_limits
    replaces: tuple[str, ...] = ()
    replaces_when: Mapping[str, str] = field(default_factory=dict)
    updates: tuple[str, ...] = ()
    recorded: tuple[str, ...] = ()
    defaults: Mapping[str, Any] = field(default_factory=dict)
    tagged: tuple[str, str] | None = None
    unique: tuple[str, ...] = ()
    named: tuple[str, int] | None = None

    @property
    def is_taggable(self) -> bool:
        """Whether pulumi_aws gives the type an input `tags`."""
        return "tags" in schema(self.token).inputs

    @property
    def is_regional(self) -> bool:
        """Whether pulumi_aws gives the type an input `region`; IAM has none."""
        return "region" in schema(self.token).inputs

    def handled(self) -> frozenset[str]:
        """Return the inputs that the local target can take."""
        named = (self.named[0],) if self.named else ()
        of_all = schema(self.token).inputs.keys() & {"region", "tags"}
        return frozenset({*self.replaces, *self.updates, *self.recorded, *named, *of_all})

    def forces_replacement(self, name: str, news: Values) -> bool:
        """Say whether a change of this input needs a new resource."""
        if name in self.replaces_when:
            return bool(news.get(self.replaces_when[name]))
        return name in self.replaces or name == "region" or (self.named is not None and name == self.named[0])
