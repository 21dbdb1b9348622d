"""One connector, one stack."""

from typing import Any

from aws_cdk import CfnOutput, Stack
from constructs import Construct

from docferry.config.deployment import Described
from docferry.connector import stack_name
from docferry.indexes import service
from docferry.runtime.fingerprint import fingerprint
from docferry_infra.bundle import Bundle
from docferry_infra.connector import DescribedConnector


class ConnectorStack(Stack):
    """A connector in a stack of its own, whose outputs the docferry command reads."""

    def __init__(self, scope: Construct, *, described: Described, bundle: Bundle, **options: Any) -> None:
        super().__init__(scope, stack_name(described.connector.name), analytics_reporting=False, **options)
        # CDK leaves this id out of the logical ids of what is below it.
        connector = DescribedConnector(self, "Default", described=described, bundle=bundle)
        CfnOutput(self, "StateMachineArn", value=connector.state_machine.state_machine_arn)
        CfnOutput(self, "StateBucket", value=connector.state_bucket.bucket_name)
        CfnOutput(self, "DeadLetters", value=connector.dead_letters.queue_url)
        CfnOutput(self, "Code", value=fingerprint())
        for setting, output in service(connector.index.kind).outputs.items():
            CfnOutput(self, output, value=connector.index.settings[setting])
