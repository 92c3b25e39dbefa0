"""The events of a refresh that only previews, as drift; a state on disk, as what stands."""

from __future__ import annotations

from typing import Any

import pytest
from pulumi.automation.events import EngineEvent

from autodeploy.adapters.pulumi.comparing import Comparison, standing
from autodeploy.adapters.pulumi.recovery import refuse_pending
from autodeploy.errors import InfrastructureError
from autodeploy.model import Drift, PropertyDrift, Standing

KIND = "aws:ec2/instance:Instance"
URN = f"urn:pulumi:web-1::autodeploy::autodeploy:compute:Compute${KIND}::app"
SECRET = {"4dabf18193072939515e22adb298388d": "1b47061264138c4ac30d75fd1eb44270", "ciphertext": "v1:x"}


def found(op: str, old: dict[str, Any], new: dict[str, Any] | None, paths: Any = (), **more: Any) -> Drift:
    """Return the drift of one resource with (inputs, outputs) before and after."""

    def side(pair: Any) -> Any:
        return {"type": KIND, "urn": URN, "id": "i", "parent": "", "provider": "", "custom": True, **pair}

    sides = {"old": side(old), "new": side(new) if new is not None else None}
    step = {"op": op, "urn": URN, "type": KIND, "provider": "", **sides, **more}
    if paths:
        step["detailedDiff"] = {path: {"diffKind": "update", "inputDiff": True} for path in paths}
    comparison = Comparison("web-1")
    comparison.on_event(
        EngineEvent.from_json({"sequence": 1, "timestamp": 1, "resOutputsEvent": {"metadata": step, "planning": True}})
    )
    return comparison.drift


def properties(old: Any, new: Any, *paths: str) -> list[tuple[str, str, str]]:
    drift = found("update", {"inputs": old, "outputs": {}}, {"inputs": new, "outputs": {}}, paths)
    return [(each.path, each.planned, each.found) for resource in drift.resources for each in resource.properties]


def test_what_is_as_it_was_made_is_counted() -> None:
    drift = found("same", {"inputs": {}, "outputs": {}}, {"inputs": {}, "outputs": {}})
    assert drift == Drift(deployment_id="web-1", unchanged=1)


def test_what_is_gone() -> None:
    (resource,) = found("delete", {"inputs": {"ami": "a"}, "outputs": {}}, None).resources
    assert (resource.type, resource.name, resource.operation) == ("aws:ec2:Instance", "app", "delete")
    assert (resource.urn, resource.properties) == (URN, ())


@pytest.mark.parametrize(
    ("old", "new", "path", "shown"),
    [
        ({"a": 1}, {"a": 2}, "a", [("a", "1", "2")]),
        ({"a": "x"}, {}, "a", [("a", '"x"', "")]),
        ({}, {"a": True}, "a", [("a", "", "true")]),
        ({"check": {"path": "/"}}, {"check": {"path": "/x"}}, "check.path", [("check.path", '"/"', '"/x"')]),
        ({"l": [{"p": 1}]}, {"l": [{"p": 2}]}, "l[0].p", [("l[0].p", "1", "2")]),
        ({"l": [1]}, {"l": [1, 2]}, "l[1]", [("l[1]", "", "2")]),
        ({"tags": {}}, {"tags": {"a.b": "c"}}, 'tags["a.b"]', [('tags["a.b"]', "", '"c"')]),
        (
            {"tags": {"Name": "web", "Team": "a"}},
            {"tags": {"Name": "eve", "Team": "a"}},
            "tags",
            [("tags.Name", '"web"', '"eve"')],
        ),
        ({"tags": {"Team": "a"}}, {}, "tags", [("tags.Team", '"a"', "")]),
        ({"a": 1}, {"a": 2}, "a.b.c", [("a.b.c", "", "")]),
    ],
)
def test_property_by_property(old: Any, new: Any, path: str, shown: Any) -> None:
    assert properties(old, new, path) == shown


def test_a_secret_is_not_shown() -> None:
    assert properties({"key": "[secret]"}, {"key": "other"}, "key") == [("key", "", '"other"')]
    assert properties({"key": [SECRET]}, {"key": []}, "key") == [("key", "", "[]")]


def test_a_long_value_is_cut() -> None:
    ((_, planned, _),) = properties({"a": "x" * 1000}, {"a": "y"}, "a")
    assert len(planned) == 201


def test_tags_are_said_once() -> None:
    sides = [{"tags": {"A": "1"}, "tagsAll": {"A": "1"}}, {"tags": {"A": "2"}, "tagsAll": {"A": "2"}}]
    assert properties(*sides, "tags", "tagsAll") == [("tags.A", '"1"', '"2"')]
    outputs = [{"inputs": {}, "outputs": {"tagsAll": {"D": "1"}}}, {"inputs": {}, "outputs": {"tagsAll": {}}}]
    (resource,) = found("update", *outputs, ["tagsAll"]).resources
    assert resource.properties == (PropertyDrift(path="tagsAll.D", planned='"1"'),)


def test_without_details_the_names_of_what_differs() -> None:
    drift = found("update", {"inputs": {"a": 1}, "outputs": {}}, {"inputs": {"a": 2}, "outputs": {}}, diffs=["a"])
    assert drift.resources[0].properties == (PropertyDrift(path="a", planned="1", found="2"),)


@pytest.mark.parametrize(
    ("before", "after", "is_news"),
    [
        ({"instanceState": "running"}, {"instanceState": "stopped"}, True),
        ({"instanceState": "pending"}, {"instanceState": "running"}, False),
        ({"status": "available"}, {"status": "backing-up"}, False),
        ({"status": "available"}, {"status": "stopped"}, True),
        ({"latestRestorableTime": "1"}, {"latestRestorableTime": "2"}, False),
    ],
)
def test_a_condition_that_nobody_declares(before: Any, after: Any, is_news: bool) -> None:
    drift = found("same", {"inputs": {}, "outputs": before}, {"inputs": {}, "outputs": after})
    assert bool(drift.resources) is is_news
    assert drift.unchanged == (not is_news)


def test_an_update_of_nothing_that_counts_is_none() -> None:
    drift = found("update", {"inputs": {}, "outputs": {"a": 1}}, {"inputs": {}, "outputs": {"a": 2}})
    assert drift == Drift(deployment_id="web-1", unchanged=1)


def test_components_and_other_events_are_none() -> None:
    comparison = Comparison("web-1")
    comparison.on_event(EngineEvent.from_json({"sequence": 1, "timestamp": 1, "cancelEvent": {}}))
    assert comparison.drift == Drift(deployment_id="web-1")


def test_what_stands_has_its_arn() -> None:
    state = {
        "resources": [
            {"urn": "u0", "type": "pulumi:pulumi:Stack"},
            {"urn": "u1", "type": "pulumi:providers:aws", "custom": True, "id": "x"},
            {
                "urn": "u2",
                "type": KIND,
                "custom": True,
                "id": "i-1",
                "outputs": {"arn": "arn:aws:ec2:r:1:instance/i-1"},
            },
            {"urn": "u3", "type": "aws:ec2/route:Route", "custom": True, "id": "r-1"},
            {"urn": "u4", "type": "aws:x/y:Z", "custom": True, "id": "z", "outputs": {"arn": SECRET}},
        ]
    }
    assert standing(state) == [
        Standing(urn="u2", type=KIND, id="i-1", arn="arn:aws:ec2:r:1:instance/i-1"),
        Standing(urn="u3", type="aws:ec2/route:Route", id="r-1"),
        Standing(urn="u4", type="aws:x/y:Z", id="z"),
    ]
    assert standing({}) == []


def test_a_state_that_is_not_true_is_not_compared() -> None:
    refuse_pending({"pending_operations": []})
    with pytest.raises(InfrastructureError, match="cut short"):
        refuse_pending({"pending_operations": [{"type": "creating", "resource": {}}]})
