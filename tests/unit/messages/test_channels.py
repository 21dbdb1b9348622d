"""What is sent by each channel, and what a channel says that has not taken it."""

from datetime import timedelta
from typing import Any

import pytest

from docferry.messages.channels import EVENTS, TOPIC, NotSent, channels
from docferry.messages.message import Message
from tests.unit.fakes import NOON
from tests.unit.messages.test_due import failed, messages


class Client:
    """A client that notes what it is asked, and answers what it is told to."""

    def __init__(self, entry: dict[str, str]) -> None:
        self.entry = entry
        self.asked: list[dict[str, Any]] = []

    def put_events(self, **asked: Any) -> dict[str, Any]:
        """See EventBridge."""
        self.asked.append(asked)
        return {"FailedEntryCount": int("ErrorCode" in self.entry), "Entries": [self.entry]}


def message() -> Message:
    """A message."""
    (made,) = messages(failed(1))
    return made


def test_a_connector_without_a_topic_puts_events() -> None:
    """No client is made before something is to be said."""
    assert list(channels(pytest.fail, "")) == [EVENTS]
    assert list(channels(pytest.fail, "arn:aws:sns:eu-west-1:123456789012:operations")) == [EVENTS, TOPIC]


def test_an_event_names_the_execution_and_the_time() -> None:
    """So that a rule can match them, and a repeated event has the time of the first."""
    client = Client({"EventId": "1"})
    channels(lambda _: client, "")[EVENTS].announce(message())

    (entry,) = client.asked[0]["Entries"]
    assert (entry["Source"], entry["DetailType"]) == ("docferry", "Run Failed")
    assert entry["Resources"] == ["arn:run-1"]
    assert entry["Time"] - NOON == timedelta(0)


def test_an_answer_of_success_may_say_that_an_event_was_not_taken() -> None:
    """EventBridge answers so when it fails for one entry."""
    channel = channels(lambda _: Client({"ErrorCode": "InternalFailure", "ErrorMessage": "on request"}), "")[EVENTS]

    with pytest.raises(NotSent, match="InternalFailure: on request"):
        channel.announce(message())
