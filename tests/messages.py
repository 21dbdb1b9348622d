"""Listens to what connectors tell: queues behind a rule of EventBridge and a topic of SNS."""

import json
from typing import Any

import boto3
from jsonschema import Draft202012Validator
from msgspec import Struct

from docferry.runtime.assets import SCHEMAS

SCHEMA: dict[str, Any] = json.loads((SCHEMAS / "event.json").read_text(encoding="utf-8"))
EVENT = Draft202012Validator(SCHEMA)


class Listener:
    """Subscribed to both channels. Every event that it hears is checked against the schema."""

    def __init__(self, topic: str = "") -> None:
        self._sqs: Any = boto3.client("sqs")
        self.topic: str = topic or boto3.client("sns").create_topic(Name="messages")["TopicArn"]
        self._queues = {name: self._sqs.create_queue(QueueName=f"heard-{name}")["QueueUrl"] for name in ("bus", "sns")}
        events: Any = boto3.client("events")
        events.put_rule(Name="heard", EventPattern='{"source": ["docferry"]}')
        events.put_targets(Rule="heard", Targets=[{"Id": "heard", "Arn": self._arn("bus")}])
        boto3.client("sns").subscribe(TopicArn=self.topic, Protocol="sqs", Endpoint=self._arn("sns"))

    def events(self) -> list[dict[str, Any]]:
        """The details of the events since the last call."""
        heard = [json.loads(body) for body in self._received("bus")]
        for event in heard:
            EVENT.validate(event)
        return [event["detail"] for event in heard]

    def mails(self) -> list["Mail"]:
        """What subscribers of the topic have read since the last call."""
        heard = [json.loads(body) for body in self._received("sns")]
        return [
            Mail(one["Subject"], one["Message"], {k: v["Value"] for k, v in one["MessageAttributes"].items()})
            for one in heard
        ]

    def forget(self) -> None:
        """Listen from now on."""
        for name in self._queues:
            self._received(name)

    def _received(self, name: str) -> list[str]:
        bodies: list[str] = []
        while messages := self._sqs.receive_message(QueueUrl=self._queues[name], MaxNumberOfMessages=10).get(
            "Messages"
        ):
            for message in messages:
                bodies.append(message["Body"])
                self._sqs.delete_message(QueueUrl=self._queues[name], ReceiptHandle=message["ReceiptHandle"])
        return bodies

    def _arn(self, name: str) -> str:
        attributes = self._sqs.get_queue_attributes(QueueUrl=self._queues[name], AttributeNames=["QueueArn"])
        arn: str = attributes["Attributes"]["QueueArn"]
        return arn


class Mail(Struct, frozen=True):
    """A message as SNS delivers it."""

    subject: str
    text: str
    attributes: dict[str, str]
