"""Adds what moto's EventBridge and its event source mappings leave out.

Seen in moto 5.2.5: Step Functions sends nothing to EventBridge, a rule cannot call a function, and a mapping hands over
each message alone, while the sender of the message waits.
"""

import json
import logging
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import AbstractContextManager, ExitStack, contextmanager
from typing import Any
from unittest.mock import patch
from uuid import uuid4

import boto3
from moto.core.utils import unix_time
from moto.events.models import Rule, events_backends
from moto.sqs.exceptions import QueueDoesNotExist
from moto.sqs.models import sqs_backends
from moto.stepfunctions.parser.backend.execution import BaseExecutionWorkerCommunication
from moto.utilities.arns import parse_arn

from docferry_laptop.iam.enforcement import Iam
from docferry_laptop.iam.refusals import NotAuthorized
from docferry_laptop.repeating import repeated

log = logging.getLogger(__name__)


class Events:
    """Delivers events to functions: from rules at once, from queues when ``deliver`` is called."""

    def __init__(self, iam: Iam | None = None) -> None:
        self._iam = iam
        self._lambda: Any = boto3.client("lambda")
        self._calls = ThreadPoolExecutor(thread_name_prefix="events")
        self._calling: list[Future[Any]] = []
        self._mappings: dict[str, dict[str, Any]] = {}
        self._telling = threading.Lock()

    def attach(self) -> None:
        """Take over all event source mappings. From now on, only ``deliver`` hands over their messages."""
        for mapping in self._lambda.list_event_source_mappings()["EventSourceMappings"]:
            self._mappings[mapping["UUID"]] = mapping
            _, queue = _queue(mapping)
            queue.lambda_event_source_mappings.clear()

    def deliver(self) -> int:
        """Hand the messages in the queues to their functions, in batches of the size that each mapping says.

        Returns how many messages the functions have taken. If an execution can be seen to have ended, the message about
        its end is among them. A batch that fails is in its queue again at once. Lambda would wait for the visibility
        timeout, which is minutes.
        """
        with self._telling:
            pass
        return sum(self._deliver(mapping) for mapping in self._mappings.values())

    def call(self, function: str, event: Any) -> None:
        """Call a function without waiting for it."""
        self._calling = [call for call in self._calling if not call.done()]
        payload = json.dumps(event)
        self._calling.append(self._calls.submit(self._lambda.invoke, FunctionName=function, Payload=payload))

    def tell(self, worker: BaseExecutionWorkerCommunication) -> None:
        """Record how an execution has ended, and tell EventBridge, as Step Functions does.

        https://docs.aws.amazon.com/step-functions/latest/dg/eventbridge-integration.html
        """
        with self._telling:
            worker._reflect_execution_status()  # noqa: SLF001  # all that moto's own method does
            execution = worker.execution
            for bus in events_backends[execution.account_id][execution.region_name].event_buses.values():
                for rule in bus.rules.values():
                    rule.send_to_targets(_ended(execution))

    def close(self) -> None:
        """Wait until every function that was called has ended."""
        self._calls.shutdown()

    def _deliver(self, mapping: dict[str, Any]) -> int:
        try:
            _, queue = _queue(mapping)
        except QueueDoesNotExist:  # its stack was deleted
            return 0
        if not queue.messages or not self._may_poll(mapping, queue):
            return 0
        at_once = mapping.get("ScalingConfig", {}).get("MaximumConcurrency", 2)
        with ThreadPoolExecutor(at_once, thread_name_prefix="queue") as pool:
            batches = []
            while batch := _received(mapping):
                batches.append(pool.submit(self._hand_over, mapping, batch))
            return sum(batch.result() for batch in batches)

    def _may_poll(self, mapping: dict[str, Any], queue: Any) -> bool:
        """Whether the function's role allows what Lambda does with it: it takes messages from the queue.

        https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-configure.html#events-sqs-permissions
        """
        if self._iam is None:
            return True
        name = mapping["FunctionArn"].rpartition(":")[2]
        role = self._lambda.get_function_configuration(FunctionName=name)["Role"]
        try:
            for operation in ("ReceiveMessage", "DeleteMessage", "GetQueueAttributes"):
                self._iam.check(role, name, "sqs", operation, QueueUrl=queue.name)
        except NotAuthorized as error:
            log.error("Nothing is delivered from the queue %s: %s", queue.name, error)  # noqa: TRY400  # one line
            return False
        return True

    def _hand_over(self, mapping: dict[str, Any], batch: list[Any]) -> int:
        event = {"Records": [_record(message, mapping["EventSourceArn"]) for message in batch]}
        reply = self._lambda.invoke(FunctionName=mapping["FunctionArn"], Payload=json.dumps(event))
        backend, queue = _queue(mapping)
        for message in batch:
            if "FunctionError" in reply:
                backend.change_message_visibility(queue.name, message.receipt_handle, 0)
            else:
                backend.delete_message(queue.name, message.receipt_handle)
        return 0 if "FunctionError" in reply else len(batch)


def _queue(mapping: dict[str, Any]) -> tuple[Any, Any]:
    """Return the backend and the queue of a mapping."""
    arn = parse_arn(mapping["EventSourceArn"])
    backend = sqs_backends[arn.account][arn.region]
    return backend, backend.get_queue(arn.resource_id)


def _received(mapping: dict[str, Any]) -> list[Any]:
    """Return the next batch of a mapping. In ReceiveMessage, moto would look at the whole queue for each message."""
    _, queue = _queue(mapping)
    batch = []
    for message in queue.messages[: mapping["BatchSize"]]:
        if queue.dead_letter_queue and message.approximate_receive_count >= queue.redrive_policy["maxReceiveCount"]:
            queue._messages.remove(message)  # noqa: SLF001  # as moto does itself
            queue.dead_letter_queue.add_message(message)
        else:
            message.mark_received(queue.visibility_timeout)
            batch.append(message)
    return batch


def _record(message: Any, queue: str) -> dict[str, Any]:
    """Return a message in the form of Lambda: https://docs.aws.amazon.com/lambda/latest/dg/with-sqs.html."""
    return {
        "messageId": message.id,
        "receiptHandle": message.receipt_handle,
        "body": message.body,
        "attributes": {
            "ApproximateReceiveCount": str(message.approximate_receive_count),
            "ApproximateFirstReceiveTimestamp": str(message.approximate_first_receive_timestamp),
            "SentTimestamp": str(message.sent_timestamp),
        },
        "messageAttributes": {},
        "md5OfBody": message.body_md5,
        "eventSource": "aws:sqs",
        "eventSourceARN": queue,
        "awsRegion": parse_arn(queue).region,
    }


@contextmanager
def event_delivery(iam: Iam | None = None) -> Iterator[Events]:
    """Deliver the ends of executions to EventBridge, and the events of rules to their functions.

    ``iam`` decides which queues Lambda may take messages from; None: all.
    """
    events = Events(iam)
    with ExitStack() as stack:
        stack.callback(events.close)
        stack.enter_context(patch.object(BaseExecutionWorkerCommunication, "terminated", _terminated(events)))
        stack.enter_context(patch.object(Rule, "send_to_targets", _sender(events)))
        yield events


def delivering(events: Events, every: float = 0.2) -> AbstractContextManager[None]:
    """Deliver in a thread, again every ``every`` seconds, until the block ends."""
    return repeated(events.deliver, "delivering", every)


def _terminated(events: Events) -> Callable[..., None]:
    def terminated(worker: BaseExecutionWorkerCommunication) -> None:
        events.tell(worker)

    return terminated


def _ended(execution: Any) -> dict[str, Any]:
    now = unix_time()
    return {
        "version": "0",
        "id": str(uuid4()),
        "detail-type": "Step Functions Execution Status Change",
        "source": "aws.states",
        "account": execution.account_id,
        "time": now,
        "ingestion-time": now,
        "region": execution.region_name,
        "resources": [execution.exec_arn],
        "detail": {
            "executionArn": execution.exec_arn,
            "stateMachineArn": execution.state_machine.arn,
            "name": execution.name,
            "status": execution.status,
            "startDate": int(execution.start_date.timestamp() * 1000),
            "stopDate": int(execution.stop_date.timestamp() * 1000),
        },
    }


_send_to_targets: Callable[..., None] = Rule.send_to_targets


def _sender(events: Events) -> Callable[..., None]:
    def send(rule: Rule, original_event: Any, transform_input: bool = True) -> None:  # noqa: FBT001, FBT002  # moto's signature
        """Send an event to the targets of a rule. If some of them are functions, only those get it."""
        functions = [target for target in rule.targets if parse_arn(target["Arn"]).service == "lambda"]
        if not functions:
            _send_to_targets(rule, original_event, transform_input)
            return
        if rule.event_pattern.matches_event(original_event):
            for target in functions:
                events.call(target["Arn"], transformed(target.get("InputTransformer"), original_event))

    return send


def transformed(transformer: dict[str, Any] | None, event: dict[str, Any]) -> Any:
    """Return the input of a target: the event, or the result of its transformer. Texts that are filled in are quoted.

    https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-transform-target-input.html; moto quotes nothing.
    """
    if transformer is None:
        return event
    filled: str = transformer["InputTemplate"]
    for name, path in transformer["InputPathsMap"].items():
        value: Any = event
        for part in path.removeprefix("$.").split("."):
            value = value[part]
        filled = filled.replace(f"<{name}>", json.dumps(value))
    return json.loads(filled)
