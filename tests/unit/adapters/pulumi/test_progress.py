"""The engine's events as lines of progress, as a Preview, and as errors."""

from __future__ import annotations

from typing import Any

from pulumi.automation.events import EngineEvent

from autodeploy.adapters.pulumi import progress as module
from autodeploy.adapters.pulumi.progress import Progress, label

PARENT = "urn:pulumi:x-1::autodeploy::autodeploy:network:Network$"


def urn(kind: str, name: str) -> str:
    return f"{PARENT}{kind}::{name}"


def step(op: str, kind: str = "aws:ec2/vpc:Vpc", name: str = "vpc", **more: Any) -> dict[str, Any]:
    """Return one step's metadata as the engine serialises it."""
    state = {"type": kind, "urn": urn(kind, name), "id": "i", "parent": "", "provider": "", "custom": True}
    old = {**state, "inputs": more.pop("old", {}), "outputs": {}}
    new = {**state, "inputs": more.pop("new", {}), "outputs": {}, "custom": more.pop("custom", True)}
    sides = {"old": None if op == "create" else old, "new": None if op == "delete" else new}
    return {"op": op, "urn": urn(kind, name), "type": kind, "provider": "", **sides, **more}


def begin(op: str, **more: Any) -> EngineEvent:
    return EngineEvent.from_json(
        {"sequence": 1, "timestamp": 1, "resourcePreEvent": {"metadata": step(op, **more), "planning": False}}
    )


def end(op: str, **more: Any) -> EngineEvent:
    return EngineEvent.from_json(
        {"sequence": 1, "timestamp": 1, "resOutputsEvent": {"metadata": step(op, **more), "planning": False}}
    )


def diagnostic(message: str, severity: str = "error", **more: Any) -> EngineEvent:
    body = {"message": message, "color": "never", "severity": severity, **more}
    return EngineEvent.from_json({"sequence": 1, "timestamp": 1, "diagnosticEvent": body})


def test_says_what_begins_and_what_took_long(monkeypatch: Any) -> None:
    said: list[str] = []
    progress = Progress(said.append)
    progress.on_event(begin("create"))
    progress.on_event(end("create"))
    assert said == ["creating aws:ec2:Vpc vpc"]
    monkeypatch.setattr(module, "SLOW_SECONDS", 0.0)
    progress.on_event(begin("delete"))
    progress.on_event(end("delete"))
    assert said[1:] == ["deleting aws:ec2:Vpc vpc", "aws:ec2:Vpc vpc is done after 0 s"]


def test_preview_lists_operations_and_counts_the_unchanged() -> None:
    progress = Progress()
    progress.on_event(begin("same"))
    progress.on_event(begin("create", kind="aws:ec2/subnet:Subnet", name="public-1"))
    progress.on_event(begin("create", kind="autodeploy:network:Network", name="network", custom=False))
    progress.on_event(begin("create", kind="pulumi:pulumi:Stack", name="s"))
    progress.on_event(begin("import-replacement", name="odd"))
    preview = progress.preview
    assert preview.unchanged == 1
    assert [(change.type, change.name, change.operation) for change in preview.changes] == [
        ("aws:ec2:Subnet", "public-1", "create"),
        ("aws:ec2:Vpc", "odd", "other"),
    ]


def test_a_replacement_is_one_operation_with_its_reasons() -> None:
    progress = Progress()
    details = {
        "old": {"instanceType": "t3.small", "ami": "a", "tags": {"a": "b"}},
        "new": {"instanceType": "t3.micro", "ami": "b", "tags": {"a": "c"}},
        "detailedDiff": {
            "instanceType": {"diffKind": "update", "inputDiff": True},
            "ami": {"diffKind": "update-replace", "inputDiff": True},
            "tags": {"diffKind": "update", "inputDiff": True},
        },
        "keys": ["ami"],
    }
    for op in ("create-replacement", "replace", "delete-replaced"):
        progress.on_event(begin(op, **details))
    (change,) = progress.preview.changes
    assert change.operation == "replace"
    assert change.reasons == (
        'instanceType: "t3.small" -> "t3.micro"',
        'ami: "a" -> "b" (forces replacement)',
        "tags",
    )


def test_reasons_without_details_and_never_a_secret_or_a_novel() -> None:
    progress = Progress()
    secret = {"4dabf18193072939515e22adb298388d": "x", "ciphertext": "[secret]"}
    details = {
        "old": {"privateKey": secret, "userData": "a" * 100},
        "new": {"privateKey": secret, "userData": "b" * 100},
        "diffs": ["privateKey", "userData"],
    }
    progress.on_event(begin("update", **details))
    assert progress.preview.changes[0].reasons == ("privateKey", "userData")


def test_collects_the_engines_errors_without_colour_and_noise() -> None:
    progress = Progress()
    progress.on_event(diagnostic("<{%fg 1%}>quota exceeded<{%reset%}>\n", urn=urn("aws:ec2/vpc:Vpc", "vpc")))
    progress.on_event(diagnostic("update failed"))
    progress.on_event(diagnostic("be careful", severity="warning"))
    assert progress.errors == ["aws:ec2:Vpc vpc: quota exceeded"]


def test_labels() -> None:
    assert label(urn("aws:ec2/vpc:Vpc", "vpc")) == "aws:ec2:Vpc vpc"
    assert label("odd") == "odd"
