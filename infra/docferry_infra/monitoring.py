"""What a person sees of a connector, and what wakes one: a dashboard and alarms, with a topic if wanted."""

from collections.abc import Iterator, Sequence

from aws_cdk import ArnFormat, Duration, Stack
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_cloudwatch_actions as actions
from aws_cdk import aws_iam as iam
from aws_cdk import aws_logs as logs
from aws_cdk import aws_sns as sns
from aws_cdk import aws_sqs as sqs
from aws_cdk import aws_stepfunctions as sfn
from constructs import Construct

from docferry.config.deployment import Deploy, Described
from docferry.config.due import stale_hours
from docferry.runtime import log_texts, messenger
from docferry.runtime.lambdas import FUNCTIONS
from docferry_infra.functions import Functions

NAMESPACE = "Docferry"
DOCUMENTS = ("DocumentsAdded", "DocumentsModified", "DocumentsDeleted", "DocumentsFailed")
WITHHELD, THROTTLED = "DeletesWithheld", "Throttled"
HOUR, DAY = Duration.hours(1), Duration.days(1)

AGE = "(EPOCH(succeeded) - FILL(IF(succeeded > 0, EPOCH(succeeded)), REPEAT)) / 3600"
"""Hours since a run last succeeded. EPOCH is the time of each data point, which REPEAT carries on from a success."""


class Monitoring(Construct):
    """The alarms and the dashboard of a connector."""

    def __init__(
        self,
        scope: Construct,
        name: str,
        *,
        described: Described,
        machine: sfn.StateMachine,
        functions: Functions,
        dead_letters: sqs.Queue,
    ) -> None:
        super().__init__(scope, name)
        deploy = described.deploy or Deploy()
        self._connector = described.connector.name
        self._machine = machine
        self._functions = functions.functions
        self._dead_letters = dead_letters
        self.topic = self._topic() if deploy.alarms_topic else None
        self._count_in_logs(functions.logs)
        due = described.schedule and (deploy.stale_hours or stale_hours(described.schedule))
        self.alarms = list(self._alarms(due))
        cloudwatch.Dashboard(self, "Dashboard", dashboard_name=f"docferry-{self._connector}", widgets=self._widgets())

    def _topic(self) -> sns.Topic:
        topic = sns.Topic(self, "Topic", display_name=f"Docferry {self._connector}", enforce_ssl=True)
        topic.grant_publish(iam.ServicePrincipal("cloudwatch.amazonaws.com"))
        return topic

    def _count_in_logs(self, function_logs: dict[str, logs.LogGroup]) -> None:
        """Count what only the functions' logs tell, under the dimensions that their own metrics have."""
        withheld = logs.FilterPattern.literal(f'{{ $.message = "{log_texts.DONE}" && $.result.held_back > 0 }}')
        self._filter(function_logs["commit"], WITHHELD, withheld, "$.result.held_back", "state")
        throttled = logs.FilterPattern.literal(f'{{ $.message = "{log_texts.THROTTLED}" }}')
        for function in FUNCTIONS:
            if function.index:
                self._filter(function_logs[function.name], THROTTLED, throttled, "1")

    def _filter(
        self, log: logs.LogGroup, metric: str, pattern: logs.IFilterPattern, value: str, *more_dimensions: str
    ) -> None:
        log.add_metric_filter(
            metric,
            filter_pattern=pattern,
            metric_namespace=NAMESPACE,
            metric_name=metric,
            metric_value=value,
            dimensions={name: f"$.{name}" for name in ("service", *more_dimensions)},
        )

    def _alarms(self, stale_hours: int | None) -> Iterator[cloudwatch.Alarm]:
        for kind in ("failed", "timed_out", "aborted"):
            metric: cloudwatch.Metric = getattr(self._machine, f"metric_{kind}")(period=Duration.minutes(5))
            yield self._alarm(
                f"Run{kind.title().replace('_', '')}", metric, "A run did not succeed; its report says why."
            )
        yield self._alarm(
            "DocumentsFailed", self._metric("DocumentsFailed", "commit"), "The index did not take some documents."
        )
        yield self._alarm(
            "DeletesWithheld",
            self._metric(WITHHELD, "commit"),
            "Deletes, or documents that lost their access control, wait for `docferry approve`; the report says why.",
        )
        yield self._alarm("Throttled", self._metric(THROTTLED), "The index asks for fewer calls for a long time.")
        unsent = self._metric(messenger.UNSENT, messenger.STATE)
        yield self._alarm(
            "MessagesUnsent", unsent, "Messages could not be sent. They wait for the next run; the log says why."
        )
        letters = self._dead_letters.metric_approximate_number_of_messages_visible(period=Duration.minutes(5))
        yield self._alarm("DeadLetters", letters, "Events did not reach the trigger, the janitor or the schedule.")
        for name in ("janitor", "trigger"):
            errors = self._functions[name].metric_errors(period=Duration.minutes(5))
            yield self._alarm(f"{name.title()}Errors", errors, f"The {name} function failed; its log says why.")
        if stale_hours:
            yield self._alarm(
                "Stale",
                self._machine.metric_succeeded(period=HOUR, statistic="Sum"),
                f"No run has succeeded for {stale_hours} hours.",
                below=True,
                periods=stale_hours,
            )

    def _alarm(
        self, title: str, metric: cloudwatch.IMetric, description: str, *, below: bool = False, periods: int = 1
    ) -> cloudwatch.Alarm:
        less, more = (
            cloudwatch.ComparisonOperator.LESS_THAN_THRESHOLD,
            (cloudwatch.ComparisonOperator.GREATER_THAN_OR_EQUAL_TO_THRESHOLD),
        )
        silent, loud = cloudwatch.TreatMissingData.NOT_BREACHING, cloudwatch.TreatMissingData.BREACHING
        alarm = cloudwatch.Alarm(
            self,
            title,
            alarm_name=self._alarm_name(title),
            alarm_description=description,
            metric=metric,
            threshold=1,
            evaluation_periods=periods,
            comparison_operator=less if below else more,
            treat_missing_data=loud if below else silent,
        )
        if self.topic:
            alarm.add_alarm_action(actions.SnsAction(self.topic))
        return alarm

    def _by_name(self, alarm: cloudwatch.Alarm) -> cloudwatch.IAlarm:
        """The alarm as its name tells: the dashboard can be made where alarms cannot, as on a laptop."""
        arn = Stack.of(self).format_arn(
            service="cloudwatch",
            resource="alarm",
            resource_name=self._alarm_name(alarm.node.id),
            arn_format=ArnFormat.COLON_RESOURCE_NAME,
        )
        return cloudwatch.Alarm.from_alarm_arn(self, f"{alarm.node.id}ByName", arn)

    def _alarm_name(self, name: str) -> str:
        return f"docferry-{self._connector}-{name}"

    def _metric(self, name: str, state: str | None = None, period: Duration | None = None) -> cloudwatch.Metric:
        return cloudwatch.Metric(
            namespace=NAMESPACE,
            metric_name=name,
            dimensions_map={"service": self._connector, **({"state": state} if state else {})},
            statistic="Sum",
            period=period or Duration.minutes(5),
        )

    def _widgets(self) -> list[list[cloudwatch.IWidget]]:
        documents = [self._metric(name, "commit", HOUR) for name in DOCUMENTS]
        age = cloudwatch.MathExpression(
            expression=AGE,
            using_metrics={"succeeded": self._machine.metric_succeeded(period=HOUR, statistic="Sum")},
            label="hours since a run succeeded",
            period=HOUR,
        )
        lambdas = [function.metric_throttles(period=HOUR) for function in self._functions.values()]
        runs = [
            getattr(self._machine, f"metric_{kind}")(period=HOUR)
            for kind in ("succeeded", "failed", "timed_out", "aborted")
        ]
        return [
            [_graph("Documents", documents), _graph("Runs", runs)],
            [
                _graph("Run duration", [self._machine.metric_time(period=HOUR, statistic="Maximum")]),
                _graph("Age of the last success", [age]),
            ],
            [
                _graph("Throttles", [self._metric(THROTTLED, period=HOUR), *lambdas]),
                _graph("Withheld deletes", [self._metric(WITHHELD, "commit", DAY)]),
            ],
            [cloudwatch.AlarmStatusWidget(title="Alarms", alarms=list(map(self._by_name, self.alarms)), width=24)],
        ]


def _graph(title: str, metrics: Sequence[cloudwatch.IMetric]) -> cloudwatch.GraphWidget:
    return cloudwatch.GraphWidget(title=title, left=list(metrics), width=12)
