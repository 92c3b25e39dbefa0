"""Runs the Pulumi program against mocks: an InfraPlan in, the resources it declares out."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any

import pulumi
from pulumi.runtime import (
    MockCallArgs,
    MockResourceArgs,
    Mocks,
    set_all_config,
    set_mocks,
    test,
)
from pulumi.runtime.mocks import MockMonitor
from pulumi.runtime.settings import get_root_resource

from autodeploy.model import InfraPlan
from stacks.program import program

PROVIDER = "pulumi:providers:aws"
PROJECT = "autodeploy"
KEY = "-----BEGIN PRIVATE KEY-----\nnobody may read this\n-----END PRIVATE KEY-----\n"
COMPUTED: dict[str, dict[str, Any]] = {
    "aws:ec2/instance:Instance": {"publicIp": "203.0.113.7", "privateIp": "10.0.1.10"},
    "aws:rds/instance:Instance": {
        "address": "db.example.internal",
        "masterUserSecrets": [{"secretArn": "arn:secret", "kmsKeyId": "k", "secretStatus": "active"}],
    },
    "aws:lb/loadBalancer:LoadBalancer": {
        "dnsName": "lb.example.org",
        "zoneId": "ZBALANCER",
        "arnSuffix": "app/lb/1",
    },
    "aws:lb/targetGroup:TargetGroup": {"arnSuffix": "targetgroup/web/2"},
    "aws:acm/certificate:Certificate": {
        "domainValidationOptions": [
            {
                "domainName": "shop.example.com",
                "resourceRecordName": "_proof.shop.example.com.",
                "resourceRecordType": "CNAME",
                "resourceRecordValue": "_value.acm-validations.aws.",
            }
        ]
    },
}
SECRET = "4dabf18193072939515e22adb298388d"


@dataclass(frozen=True)
class Declared:
    """One resource as the engine would register it. `id` is what others refer to it by."""

    type: str
    name: str
    inputs: Mapping[str, Any]
    provider: str
    id: str


@dataclass
class Deployed(Mocks):
    """What one run of the program declared, asked and exported; `urns` as the engine would name it."""

    resources: list[Declared] = field(default_factory=list)
    calls: list[str] = field(default_factory=list)
    urns: list[str] = field(default_factory=list)
    outputs: dict[str, Any] = field(default_factory=dict)

    def new_resource(self, args: MockResourceArgs) -> tuple[str, dict[str, Any]]:
        identity = f"{args.name}|{args.typ}"
        self.resources.append(Declared(args.typ, args.name, dict(args.inputs), args.provider or "", identity))
        return identity, {**args.inputs, "arn": f"arn:{identity}", **COMPUTED.get(args.typ, {})}

    def call(self, args: MockCallArgs) -> dict[str, Any]:
        self.calls.append(args.token)
        return {}

    def of(self, kind: str) -> list[Declared]:
        """Return the resources whose type ends so, e.g. ":Vpc"."""
        return [resource for resource in self.resources if resource.type.endswith(f":{kind}")]

    def one(self, kind: str, name: str | None = None) -> Declared:
        """Return the only resource of a type, or of a type and a name."""
        (found,) = [resource for resource in self.of(kind) if name in (None, resource.name)]
        return found

    @property
    def physical(self) -> list[Declared]:
        """Return what exists in AWS: all but the provider, components and the stack."""
        return [resource for resource in self.resources if resource.type.startswith("aws:")]


class Monitor(MockMonitor):
    """Names resources as the engine does: by the types of all parents, the stack's own excepted."""

    stack = ""

    def make_urn(self, parent: str, type_: str, name: str) -> str:
        of_parents = parent.split("::")[2] if parent else ""
        kind = type_ if of_parents in ("", "pulumi:pulumi:Stack") else f"{of_parents}${type_}"
        return f"urn:pulumi:{self.stack}::{PROJECT}::{kind}::{name}"


def deploy(plan: InfraPlan, config: Mapping[str, str] | None = None) -> Deployed:
    """Run the program for a plan; `config` replaces the stack's config."""
    # Pulumi writes down the whole call stack of every resource: a thread of its own has a short one.
    with ThreadPoolExecutor(1) as alone:
        return alone.submit(_deploy, plan, config).result()


def _deploy(plan: InfraPlan, config: Mapping[str, str] | None) -> Deployed:
    deployed = Deployed()
    # Pulumi's mocks take the thread's event loop.
    loop = asyncio.new_event_loop()
    asyncio.set_event_loop(loop)
    monitor = Monitor(deployed)
    monitor.stack = plan.deployment_id  # what Pulumi itself knows of it does not reach the threads that ask
    set_mocks(deployed, project=PROJECT, stack=plan.deployment_id, preview=False, monitor=monitor)
    set_all_config(
        dict(
            config
            if config is not None
            else {"autodeploy:plan": plan.model_dump_json(), "autodeploy:certificateKey": KEY}
        ),
        ["autodeploy:certificateKey"],
    )
    try:
        _run(deployed)
    finally:
        loop.close()
    deployed.urns += monitor.resources
    # They come as their inputs resolve, which is another order whenever the machine is busy.
    deployed.resources.sort(key=lambda each: (each.type, each.name))
    return deployed


def _run(deployed: Deployed) -> None:
    root = get_root_resource()
    root.outputs.clear()

    @test
    def run() -> pulumi.Output[Any]:
        program()
        return pulumi.Output.all(**root.outputs).apply(deployed.outputs.update)

    run()
