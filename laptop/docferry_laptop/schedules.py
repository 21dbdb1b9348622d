"""Fires the schedules of deployed stacks, as EventBridge Scheduler does. Moto only stores them."""

import json
import logging
from contextlib import AbstractContextManager
from datetime import UTC, datetime
from typing import Any

import boto3
from botocore.exceptions import ClientError

from docferry_laptop.firing import fires
from docferry_laptop.iam.enforcement import Iam
from docferry_laptop.iam.refusals import NotAuthorized
from docferry_laptop.repeating import repeated

log = logging.getLogger(__name__)

LOOK_SECONDS = 1.0


class Schedules:
    """The schedules of all stacks. Each starts its state machine with the role that the template gives it."""

    def __init__(self, iam: Iam) -> None:
        self._iam = iam
        self._scheduler: Any = boto3.client("scheduler")

    def fire_due(self, since: datetime, minute: datetime) -> list[str]:
        """Fire the schedules that are due in a minute, and return their names. ``since``: when their rates began."""
        due = []
        for listed in self._scheduler.list_schedules()["Schedules"]:
            schedule = self._scheduler.get_schedule(Name=listed["Name"], GroupName=listed["GroupName"])
            zone = schedule.get("ScheduleExpressionTimezone") or "UTC"
            if schedule["State"] == "ENABLED" and fires(schedule["ScheduleExpression"], zone, since, minute):
                self._start(schedule)
                due.append(schedule["Name"])
        return due

    def fire(self, name: str) -> None:
        """Fire one schedule now."""
        self._start(self._scheduler.get_schedule(Name=name))

    def firing(self) -> AbstractContextManager[None]:
        """Fire, in a thread, what is due by the machine's clock, until the block ends. What was missed stays missed."""
        since = seen = _minute()

        def look() -> None:
            nonlocal seen
            minute = _minute()
            if minute > seen:
                seen = minute
                self.fire_due(since, minute)

        return repeated(look, "schedules", LOOK_SECONDS)

    def _start(self, schedule: dict[str, Any]) -> None:
        target, name = schedule["Target"], schedule["Name"]
        try:
            self._iam.check(target["RoleArn"], name, "states", "StartExecution", stateMachineArn=target["Arn"])
            step_functions = boto3.client("stepfunctions")
            step_functions.start_execution(stateMachineArn=target["Arn"], input=target.get("Input", "{}"))
        except (NotAuthorized, ClientError) as error:
            # Trying again would not help; what Scheduler gives up goes to the dead-letter queue.
            log.error("The schedule %s starts nothing: %s", name, error)  # noqa: TRY400  # one line
            self._give_up(schedule, str(error))

    def _give_up(self, schedule: dict[str, Any], why: str) -> None:
        """Send what could not be started to the dead-letter queue, if the role allows that."""
        target = schedule["Target"]
        queue = str(target.get("DeadLetterConfig", {}).get("Arn", "")).rpartition(":")[2]
        if not queue:
            return
        try:
            self._iam.check(target["RoleArn"], schedule["Name"], "sqs", "SendMessage", QueueUrl=queue)
        except NotAuthorized as error:
            log.error("The dead-letter queue %s is not told: %s", queue, error)  # noqa: TRY400  # one line
            return
        sqs: Any = boto3.client("sqs")
        body = json.dumps({"schedule": schedule["Name"], "input": target.get("Input"), "error": why})
        sqs.send_message(QueueUrl=sqs.get_queue_url(QueueName=queue)["QueueUrl"], MessageBody=body)


def _minute() -> datetime:
    return datetime.now(UTC).replace(second=0, microsecond=0)
