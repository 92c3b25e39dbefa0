"""Entries of SNS: topics and their subscriptions. Nothing is delivered: no mail leaves the local target."""

from __future__ import annotations

from collections.abc import Iterator

from autodeploy.local.provider import limits
from autodeploy.local.provider.entry import Call, Entry
from autodeploy.local.provider.schema import Failure
from autodeploy.local.provider.wire import UNKNOWN, Values


def _topic_create(call: Call) -> str:
    attributes = call.given(DisplayName="displayName")
    return str(call.client("sns").create_topic(Name=call.inputs["name"], Attributes=attributes)["TopicArn"])


def _topic_read(call: Call, identity: str) -> Values | None:
    found = call.client("sns").get_topic_attributes(TopicArn=identity)["Attributes"]
    return {
        "arn": identity,
        "name": identity.rpartition(":")[2],
        "displayName": found["DisplayName"],
        "owner": found["Owner"],
        "policy": found["Policy"],
    }


def _topic_update(call: Call, identity: str) -> None:
    value = call.inputs.get("displayName", "")
    call.client("sns").set_topic_attributes(TopicArn=identity, AttributeName="DisplayName", AttributeValue=value)


def _subscription_limits(inputs: Values) -> Iterator[Failure]:
    if inputs["protocol"] not in ("email", UNKNOWN):
        yield "protocol", "the local target emulates subscriptions by email"
    yield from limits.matches(inputs, "endpoint", r"[^@\s]+@[^@\s]+", "an e-mail address is needed")


def _subscription_create(call: Call) -> str:
    given = call.given(TopicArn="topic", Protocol="protocol", Endpoint="endpoint")
    # The emulator subscribes to a topic that is not there; AWS does not.
    call.client("sns").get_topic_attributes(TopicArn=call.inputs["topic"])
    return str(call.client("sns").subscribe(ReturnSubscriptionArn=True, **given)["SubscriptionArn"])


def _subscription_read(call: Call, identity: str) -> Values | None:
    found = call.client("sns").get_subscription_attributes(SubscriptionArn=identity)["Attributes"]
    return {
        "arn": identity,
        "endpoint": found["Endpoint"],
        "protocol": found["Protocol"],
        "topic": found["TopicArn"],
        "ownerId": found["Owner"],
        # The emulator confirms by itself; of AWS somebody gets a mail with a link, and here nobody does.
        "pendingConfirmation": True,
        "confirmationWasAuthenticated": False,
    }


TOPIC = Entry(
    "aws:sns/topic:Topic",
    _topic_create,
    _topic_read,
    lambda call, identity: call.client("sns").delete_topic(TopicArn=identity),
    _topic_update,
    limits=lambda inputs: limits.matches(inputs, "name", r"[\w-]{1,256}", "1 to 256 letters, digits, _ and -"),
    updates=("displayName",),
    tagged=("sns", "id"),
    named=("name", 256),
)
SUBSCRIPTION = Entry(
    "aws:sns/topicSubscription:TopicSubscription",
    _subscription_create,
    _subscription_read,
    lambda call, identity: call.client("sns").unsubscribe(SubscriptionArn=identity),
    limits=_subscription_limits,
    replaces=("topic", "protocol", "endpoint"),
)
ENTRIES = (TOPIC, SUBSCRIPTION)
