"""The engine's side of the provider protocol: a resource type and inputs in, what the engine would remember out."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import grpc
from pulumi.runtime import proto
from pulumi.runtime.proto import provider_pb2_grpc

from autodeploy.local.provider.schema import schema
from autodeploy.local.provider.wire import UNKNOWN, decode, encode, has_unknown

REGION = "us-east-1"


def agrees(foreseen: Any, value: Any) -> bool:
    """Say whether what came is what was foreseen, wherever anything was."""
    if isinstance(foreseen, dict) and isinstance(value, dict):
        return foreseen.keys() >= value.keys() and all(agrees(foreseen[key], value[key]) for key in value)
    if isinstance(foreseen, list) and isinstance(value, list):
        return len(foreseen) == len(value) and all(map(agrees, foreseen, value))
    return bool(foreseen in (value, UNKNOWN))


@dataclass
class Made:
    """A resource as the engine would remember it."""

    token: str
    name: str
    id: str
    inputs: dict[str, Any]
    outputs: dict[str, Any]
    secrets: frozenset[str] = frozenset()

    @property
    def urn(self) -> str:
        return f"urn:pulumi:dev::autodeploy::autodeploy:network:Network${self.token}::{self.name}"


@dataclass
class Engine:
    """Speaks the protocol on a connection of its own, as the real engine does, and checks what holds for every type."""

    port: int
    default_tags: dict[str, str] = field(default_factory=lambda: {"DeploymentId": "web-1"})
    config: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        # Python shares connections between channels unless told otherwise; the engine never does.
        options = [("grpc.use_local_subchannel_pool", 1)]
        self.channel = grpc.insecure_channel(f"127.0.0.1:{self.port}", options)
        self.stub = provider_pb2_grpc.ResourceProviderStub(self.channel)

    def configure(self, **config: str) -> Engine:
        tags = str({"tags": self.default_tags}).replace("'", '"')
        self.stub.Configure(proto.ConfigureRequest(args=encode({"region": REGION, "defaultTags": tags, **config})))
        return self

    def urn(self, token: str, name: str) -> str:
        return Made(token, name, "", {}, {}).urn

    def check(
        self,
        token: str,
        news: dict[str, Any],
        olds: dict[str, Any] | None = None,
        name: str = "thing",
        secrets: Any = (),
    ) -> tuple[dict[str, Any], dict[str, str]]:
        answer = self.stub.Check(
            proto.CheckRequest(
                urn=self.urn(token, name),
                news=encode(news, secrets),
                olds=encode(olds or {}),
                randomSeed=b"\xab\xcd" * 8,
            )
        )
        return decode(answer.inputs).values, {item.property: item.reason for item in answer.failures}

    def make(self, token: str, name: str = "thing", /, secrets: Any = (), **news: Any) -> Made:
        """Check, preview, create, and see that an unchanged resource differs in nothing and reads as it was made."""
        inputs, failures = self.check(token, news, name=name, secrets=secrets)
        assert failures == {}
        request = proto.CreateRequest(urn=self.urn(token, name), properties=encode(inputs, secrets), preview=True)
        preview = self.stub.Create(request)
        foreseen = decode(preview.properties).values
        assert preview.id == ""
        assert foreseen.keys() >= schema(token).outputs
        made = self.create(token, name, inputs, secrets)
        assert frozenset(secrets) <= made.secrets
        self.prove(made, foreseen, news)
        return made

    def create(self, token: str, name: str, inputs: dict[str, Any], secrets: Any = ()) -> Made:
        request = proto.CreateRequest(urn=self.urn(token, name), properties=encode(inputs, secrets))
        answer = self.stub.Create(request)
        outputs = decode(answer.properties)
        return Made(token, name, answer.id, inputs, outputs.values, outputs.secrets)

    def prove(self, made: Made, foreseen: dict[str, Any], news: dict[str, Any]) -> None:
        """See that it came as it was foreseen, that unchanged it differs in nothing, and that it reads as it was made."""
        assert not has_unknown(made.outputs)
        for key, value in made.outputs.items():
            assert agrees(foreseen[key], value), key
        assert self.diff(made, news).changes == proto.DiffResponse.DIFF_NONE
        again = self.read(made)
        assert again is not None
        assert (again.outputs, again.inputs) == (made.outputs, made.inputs)

    def diff(self, made: Made, news: dict[str, Any]) -> Any:
        inputs, failures = self.check(made.token, news, made.inputs, made.name)
        assert failures == {}
        return self.stub.Diff(
            proto.DiffRequest(
                id=made.id,
                urn=made.urn,
                olds=encode(made.outputs),
                old_inputs=encode(made.inputs),
                news=encode(inputs),
            )
        )

    def change(self, made: Made, **changes: Any) -> Made:
        """Update in place with some inputs changed, None taking one away; the change must not force replacement."""
        news = {key: value for key, value in {**made.inputs, **changes}.items() if value is not None}
        news.pop("__defaults")
        answer = self.diff(made, news)
        assert answer.changes == proto.DiffResponse.DIFF_SOME
        assert list(answer.replaces) == []
        inputs, _ = self.check(made.token, news, made.inputs, made.name)
        request = proto.UpdateRequest(
            id=made.id, urn=made.urn, olds=encode(made.outputs), old_inputs=encode(made.inputs), news=encode(inputs)
        )
        request.preview = True
        foreseen = decode(self.stub.Update(request).properties).values
        request.preview = False
        outputs = decode(self.stub.Update(request).properties).values
        assert all(agrees(foreseen[name], outputs[name]) for name in changes if name in inputs)
        changed = Made(made.token, made.name, made.id, inputs, outputs)
        assert self.diff(changed, news).changes == proto.DiffResponse.DIFF_NONE
        again = self.read(changed)
        assert again is not None
        assert again.inputs == inputs
        return changed

    def update(self, found: Made, news: dict[str, Any]) -> None:
        """Put right what was found different, as the engine does after a refresh."""
        inputs, _ = self.check(found.token, news, found.inputs, found.name)
        self.stub.Update(
            proto.UpdateRequest(
                id=found.id,
                urn=found.urn,
                olds=encode(found.outputs, found.secrets),
                old_inputs=encode(found.inputs, found.secrets & found.inputs.keys()),
                news=encode(inputs, found.secrets & inputs.keys()),
            )
        )

    def read(self, made: Made) -> Made | None:
        answer = self.stub.Read(
            proto.ReadRequest(
                id=made.id,
                urn=made.urn,
                properties=encode(made.outputs, made.secrets),
                inputs=encode(made.inputs, made.secrets & made.inputs.keys()),
            )
        )
        if not answer.id:
            return None
        outputs = decode(answer.properties)
        return Made(made.token, made.name, answer.id, decode(answer.inputs).values, outputs.values, outputs.secrets)

    def delete(self, made: Made) -> None:
        self.stub.Delete(
            proto.DeleteRequest(
                id=made.id, urn=made.urn, properties=encode(made.outputs), old_inputs=encode(made.inputs)
            )
        )
