"""Adds what moto leaves out of a stack. Each addition says what would break without it.

Seen in moto 5.2.5. Outside of ``gaps_filled`` moto is unchanged. event_delivery.py adds what moto leaves out of events,
custom_resources.py what it leaves out of custom resources.
"""

import logging
import time
import warnings
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from hashlib import sha256
from typing import Any
from unittest.mock import patch
from uuid import uuid4

from moto import backends
from moto.cloudformation import parsing
from moto.core.common_models import CloudFormationModel
from moto.s3.models import FakeBucket, s3_backends
from moto.scheduler.models import scheduler_backends
from moto.sqs import models as queues
from moto.stepfunctions.models import StateMachine
from moto.stepfunctions.parser.models import StepFunctionsParserBackend
from moto.stepfunctions.responses import get_backend as step_functions
from moto.utilities.utils import get_partition

from docferry_emulators.cloudformation import Emulated, announce
from docferry_laptop.moto.custom_resources import custom_resources

SKIPPED = (
    "AWS::CloudWatch::Alarm",
    "AWS::Logs::MetricFilter",
    "AWS::S3::BucketPolicy",
    "AWS::SNS::Subscription",
    "AWS::SNS::TopicPolicy",
    "AWS::SQS::QueuePolicy",
)
"""Resources that moto leaves out and a laptop does not need: they watch, they refuse what no one tries here,
or they send e-mail."""


@contextmanager
def gaps_filled() -> Iterator[None]:
    """Let moto's CloudFormation make everything in a connector's template, and let its state machine run as in AWS."""
    announce()
    with ExitStack() as stack:
        stack.enter_context(patch.object(StateMachine, "create_from_cloudformation_json", _state_machine))
        stack.enter_context(patch.object(FakeBucket, "create_from_cloudformation_json", _bucket))
        stack.enter_context(patch.object(parsing, "generate_resource_name", _name(parsing.generate_resource_name)))
        stack.enter_context(patch.object(StepFunctionsParserBackend, "start_execution", _start_execution))
        stack.enter_context(custom_resources())
        # For speed. A server lists the two hundred files of moto's folder for each request: half of its time. A queue
        # asks each of its messages for the time, through two dates, whenever a message is sent.
        stack.enter_context(patch.object(backends, "list_of_moto_modules", _modules(backends.list_of_moto_modules)))
        stack.enter_context(patch.object(queues, "unix_time_millis", lambda: time.time() * 1000))
        yield


def _modules(listed: Any) -> Any:
    found = frozenset(listed())
    return lambda: found


@contextmanager
def quietly() -> Iterator[None]:
    """Suppress the warnings about resources that may be left out. Warnings about other resources stay."""
    log = logging.getLogger("moto")
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message=f"Tried to parse ({'|'.join(SKIPPED)}) ")
        log.addFilter(_not_skipped)
        try:
            yield
        finally:
            log.removeFilter(_not_skipped)


def _not_skipped(record: logging.LogRecord) -> bool:
    return not record.getMessage().endswith(SKIPPED)


class Schedule(Emulated, CloudFormationModel):  # type: ignore[misc]
    """AWS::Scheduler::Schedule, which moto's CloudFormation does not know. Moto's Scheduler never fires it."""

    @staticmethod
    def cloudformation_type() -> str:
        """The type in a template."""
        return "AWS::Scheduler::Schedule"

    @classmethod
    def create_from_cloudformation_json(
        cls, resource_name: str, cloudformation_json: dict[str, Any], account_id: str, region_name: str, **_: Any
    ) -> "Schedule":
        """Make the schedule."""
        properties = cloudformation_json["Properties"]
        made = scheduler_backends[account_id][region_name].create_schedule(
            description=properties.get("Description"),
            end_date=None,
            flexible_time_window=properties["FlexibleTimeWindow"],
            group_name=properties.get("GroupName"),
            kms_key_arn=None,
            name=properties.get("Name", resource_name),
            schedule_expression=properties["ScheduleExpression"],
            schedule_expression_timezone=properties.get("ScheduleExpressionTimezone"),
            start_date=None,
            state=properties.get("State", "ENABLED"),
            target=properties["Target"],
            action_after_completion=None,
        )
        return cls(made.name, {"Arn": made.arn})

    def delete(self, account_id: str, region_name: str) -> None:
        """Delete the schedule."""
        scheduler_backends[account_id][region_name].delete_schedule(None, self.physical_resource_id)


def _state_machine(
    resource_name: str, cloudformation_json: dict[str, Any], account_id: str, region_name: str, **_: Any
) -> Any:
    """Make a state machine that runs, with its substitutions filled in. In moto it is only stored, without them."""
    properties = cloudformation_json["Properties"]
    definition = properties["DefinitionString"]
    for name, value in properties.get("DefinitionSubstitutions", {}).items():
        definition = definition.replace(f"${{{name}}}", str(value))
    name = properties.get("StateMachineName", resource_name)
    return step_functions(account_id, region_name).create_state_machine(name, definition, properties["RoleArn"])


_plain_start_execution = StepFunctionsParserBackend.start_execution


def _start_execution(backend: Any, state_machine_arn: str, name: str | None = None, *args: Any, **options: Any) -> Any:
    """Give an execution a name when its caller gives none, as Step Functions does. Runs are named after executions."""
    return _plain_start_execution(backend, state_machine_arn, name or str(uuid4()), *args, **options)


_plain_bucket = FakeBucket.create_from_cloudformation_json


def _bucket(
    resource_name: str, cloudformation_json: dict[str, Any], account_id: str, region_name: str, **options: Any
) -> Any:
    """Make a bucket with its versioning and its events, which moto leaves out. A bucket that was kept is reused."""
    backend = s3_backends[account_id][get_partition(region_name)]
    bucket = backend.buckets.get(resource_name) or _plain_bucket(
        resource_name, cloudformation_json, account_id, region_name, **options
    )
    properties = cloudformation_json.get("Properties", {})
    if status := properties.get("VersioningConfiguration", {}).get("Status"):
        backend.put_bucket_versioning(resource_name, status)
    events = properties.get("NotificationConfiguration", {}).get("EventBridgeConfiguration")
    if events is not None:
        bucket.set_notification_configuration({"EventBridgeConfiguration": events})
    return bucket


def _name(generate: Any) -> Any:
    """Make physical names that are the same in the next process, which finds the bucket and the indexes by them."""

    def generated(resource_type: str, stack_name: str, logical_id: str) -> str:
        suffix = sha256(f"{stack_name}/{logical_id}".encode()).hexdigest()[:12]
        with patch.object(parsing, "random_suffix", lambda: suffix):
            name: str = generate(resource_type, stack_name, logical_id)
        return name

    return generated
