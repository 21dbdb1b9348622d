"""What a connector tells of itself: events on the default bus, and a topic of SNS if wanted."""

from aws_cdk import ArnFormat, Stack
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_sns as sns
from aws_cdk import aws_sns_subscriptions as subscriptions
from constructs import Construct
from msgspec import structs

from docferry.config.deployment import Deploy
from docferry.messages.message import SOURCE
from docferry.runtime.lambdas import Function
from docferry.runtime.settings import Settings
from docferry_infra.grants import allow


class Messages(Construct):
    """The topic of a connector. ``topic`` is None when the stack has none of its own."""

    def __init__(self, scope: Construct, name: str, *, connector: str, deploy: Deploy, key: kms.IKey | None) -> None:
        super().__init__(scope, name)
        wanted = deploy.messages
        self.topic: sns.Topic | None = None
        self._arn = wanted.topic if wanted else ""
        if wanted and wanted.topic == "own":
            # The key of SNS lets every role publish that may. With a key of one's own the functions that send have the
            # rights to it already, for the state bucket.
            encryption = key or kms.Alias.from_alias_name(self, "Key", "alias/aws/sns")
            self.topic = sns.Topic(
                self, "Topic", display_name=f"Docferry {connector}", enforce_ssl=True, master_key=encryption
            )
            self._arn = self.topic.topic_arn
            if wanted.email:
                self.topic.add_subscription(subscriptions.EmailSubscription(wanted.email))

    def settings(self, settings: Settings, function: Function) -> Settings:
        """The settings of a function, with the topic when it sends messages."""
        return structs.replace(settings, topic=self._arn) if function.messages else settings

    def grant(self, role: iam.Role, function: Function) -> None:
        """Allow a function that sends messages to put events of this source onto the bus, and to publish."""
        if not function.messages:
            return
        bus = Stack.of(self).format_arn(
            service="events", resource="event-bus", resource_name="default", arn_format=ArnFormat.SLASH_RESOURCE_NAME
        )
        # https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-use-conditions.html
        allow(role, ["events:PutEvents"], [bus], conditions={"StringEquals": {"events:source": SOURCE}})
        if self._arn:
            allow(role, ["sns:Publish"], [self._arn])
