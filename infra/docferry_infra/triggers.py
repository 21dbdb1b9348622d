"""What starts a run: a schedule, uploads, and the end of the run before; and what cleans up after one that died."""

from typing import Any

from aws_cdk import Duration, Stack
from aws_cdk import aws_events as events
from aws_cdk import aws_events_targets as targets
from aws_cdk import aws_iam as iam
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_scheduler as scheduler
from aws_cdk import aws_sqs as sqs
from aws_cdk import aws_stepfunctions as sfn
from constructs import Construct

from docferry.config.deployment import Deploy, Described, Schedule
from docferry.connector import Part
from docferry.runtime.lambdas import TRIGGER
from docferry.state.keys import INBOX
from docferry_infra.functions import Functions
from docferry_infra.grants import acknowledge, allow, service_role
from docferry_infra.source_access import event_prefixes
from docferry_infra.state import StateBucket
from docferry_infra.uploads import Uploads

ENDED = ("SUCCEEDED", "FAILED", "TIMED_OUT", "ABORTED")
DIED = ("FAILED", "TIMED_OUT", "ABORTED")
MESSAGES = 1_000
WINDOW_SECONDS = 5
RECEIVES = 5


class Triggers(Construct):
    """The rules, queues and schedule of a connector."""

    def __init__(
        self,
        scope: Construct,
        name: str,
        *,
        described: Described,
        state: StateBucket,
        machine: sfn.StateMachine,
        functions: Functions,
    ) -> None:
        super().__init__(scope, name)
        self._machine = machine
        self.dead_letters = queue(self, "DeadLetters", retention_period=Duration.days(14))
        acknowledge(self.dead_letters, "AwsSolutions-SQS3", "It is the dead-letter queue.")
        self.events = queue(
            self,
            "Events",
            # Six times the timeout of the function, as Lambda asks for, and the time that a batch is collected.
            visibility_timeout=Duration.seconds(6 * TRIGGER.timeout + WINDOW_SECONDS),
            retention_period=Duration.days(14),
            dead_letter_queue=sqs.DeadLetterQueue(queue=self.dead_letters, max_receive_count=RECEIVES),
        )
        self._consume(functions.functions["trigger"], functions.roles["trigger"])
        deploy = described.deploy or Deploy()
        self._uploads(described.connector.source, state, turn_on=deploy.uploads)
        self._rule("Ended", self._status(ENDED), targets.SqsQueue(self.events, dead_letter_queue=self.dead_letters))
        self._rule("Died", self._status(DIED), self._clean_up(functions.functions["janitor"]))
        if described.schedule:
            self._schedule(described.connector.name, described.schedule)

    def _consume(self, trigger: lambda_.Function, role: iam.Role) -> None:
        """Collect messages for some seconds, and hand them to at most two invocations at a time: Lambda's minimum."""
        lambda_.EventSourceMapping(
            self,
            "Consumer",
            target=trigger,
            event_source_arn=self.events.queue_arn,
            batch_size=MESSAGES,
            max_batching_window=Duration.seconds(WINDOW_SECONDS),
            max_concurrency=2,
        )
        polled = ["sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:GetQueueAttributes"]
        allow(role, polled, [self.events.queue_arn])

    def _uploads(self, source: Part, state: StateBucket, *, turn_on: bool) -> None:
        target = targets.SqsQueue(self.events, dead_letter_queue=self.dead_letters)
        # Created only: the crawl deletes what it has taken from the inbox.
        self._rule("Inbox", _objects(state.bucket.bucket_name, [INBOX], "Object Created"), target)
        if source.kind == "s3":
            bucket, prefixes = source.settings["bucket"], event_prefixes(source)
            self._rule("Uploads", _objects(bucket, prefixes, "Object Created", "Object Deleted"), target)
            if turn_on:
                Uploads(self, "Source", bucket=bucket)

    def _status(self, statuses: tuple[str, ...]) -> events.EventPattern:
        return events.EventPattern(
            source=["aws.states"],
            detail_type=["Step Functions Execution Status Change"],
            detail={"stateMachineArn": [self._machine.state_machine_arn], "status": list(statuses)},
        )

    def _clean_up(self, janitor: lambda_.Function) -> targets.LambdaFunction:
        died = {
            "run": events.EventField.from_path("$.detail.name"),
            "execution": events.EventField.from_path("$.detail.executionArn"),
        }
        return targets.LambdaFunction(
            janitor, event=events.RuleTargetInput.from_object(died), dead_letter_queue=self.dead_letters
        )

    def _rule(self, name: str, pattern: events.EventPattern, target: events.IRuleTarget) -> None:
        events.Rule(self, name, event_pattern=pattern, targets=[target])

    def _schedule(self, connector: str, schedule: Schedule) -> None:
        role = service_role(
            self,
            "ScheduleRole",
            "scheduler.amazonaws.com",
            {"StringEquals": {"aws:SourceAccount": Stack.of(self).account}},
        )
        allow(role, ["states:StartExecution"], [self._machine.state_machine_arn])
        allow(role, ["sqs:SendMessage"], [self.dead_letters.queue_arn])
        scheduler.CfnSchedule(
            self,
            "Schedule",
            name=f"docferry-{connector}",
            schedule_expression=schedule.expression,
            schedule_expression_timezone=schedule.timezone,
            flexible_time_window=scheduler.CfnSchedule.FlexibleTimeWindowProperty(mode="OFF"),
            target=scheduler.CfnSchedule.TargetProperty(
                arn=self._machine.state_machine_arn,
                role_arn=role.role_arn,
                input='{"trigger": "schedule"}',
                retry_policy=scheduler.CfnSchedule.RetryPolicyProperty(
                    maximum_event_age_in_seconds=3600, maximum_retry_attempts=10
                ),
                dead_letter_config=scheduler.CfnSchedule.DeadLetterConfigProperty(arn=self.dead_letters.queue_arn),
            ),
        )


def queue(scope: Construct, name: str, **properties: Any) -> sqs.Queue:
    """A queue, encrypted with SQS's own key: EventBridge could not send through one of ours without a policy on it."""
    return sqs.Queue(scope, name, encryption=sqs.QueueEncryption.SQS_MANAGED, enforce_ssl=True, **properties)


def _objects(bucket: str, prefixes: list[str], *kinds: str) -> events.EventPattern:
    keys = {} if "" in prefixes else {"object": {"key": [{"prefix": prefix} for prefix in prefixes]}}
    return events.EventPattern(
        source=["aws.s3"], detail_type=list(kinds), detail={"bucket": {"name": [bucket]}, **keys}
    )
