"""The ways that a message goes: an event bus of EventBridge, and a topic of SNS."""

from collections.abc import Mapping
from functools import cached_property
from typing import Any, Protocol

import msgspec

from docferry.messages.message import DETAIL_TYPES, SOURCE, Message, body, subject
from docferry.registry import Clients

EVENTS, TOPIC = "events", "topic"


class NotSent(Exception):  # noqa: N818  # says what happened to the message, and is always caught
    """A channel answered that it has not taken a message."""


class Channel(Protocol):
    """Takes messages. One that was taken may be taken again."""

    def announce(self, message: Message) -> None:
        """Send a message. Raises NotSent, ClientError, BotoCoreError."""


class Events:
    """The default event bus of the account."""

    def __init__(self, clients: Clients) -> None:
        self._clients = clients

    @cached_property
    def _events(self) -> Any:
        return self._clients("events")

    def announce(self, message: Message) -> None:
        """Put the message onto the bus as an event."""
        reply = self._events.put_events(
            Entries=[
                {
                    "Source": SOURCE,
                    "DetailType": DETAIL_TYPES[message.what],
                    "Detail": msgspec.json.encode(message).decode(),
                    "Resources": [message.execution],
                    "Time": message.time,
                }
            ]
        )
        # An answer of success may still say that the entry was not taken.
        for entry in reply["Entries"]:
            if "ErrorCode" in entry:
                raise NotSent(f"{entry['ErrorCode']}: {entry.get('ErrorMessage', '')}")


class Topic:
    """A topic of SNS. Subscribers read the message as a text, and can filter by its attributes."""

    def __init__(self, clients: Clients, arn: str) -> None:
        self._clients = clients
        self._arn = arn

    @cached_property
    def _sns(self) -> Any:
        return self._clients("sns")

    def announce(self, message: Message) -> None:
        """Publish the message."""
        attributes = {"id": message.id, "what": message.what, "connector": message.connector}
        self._sns.publish(
            TopicArn=self._arn,
            Subject=subject(message),
            Message=body(message),
            MessageAttributes={
                name: {"DataType": "String", "StringValue": value} for name, value in attributes.items()
            },
        )


def channels(clients: Clients, topic: str) -> Mapping[str, Channel]:
    """The channels of a connector, by name. ``topic`` is the ARN of its topic, empty without one."""
    made: dict[str, Channel] = {EVENTS: Events(clients)}
    return made | {TOPIC: Topic(clients, topic)} if topic else made
