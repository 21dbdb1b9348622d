"""A deployed stack, used through its CloudFormation outputs, in the same way in AWS and on a laptop."""

from typing import Any

import boto3
from botocore.exceptions import ClientError
from msgspec import Struct

from docferry.connector import Connector, Part, stack_name
from docferry.errors import ConfigurationError
from docferry.indexes import Index, service
from docferry.runtime import wiring
from docferry.state.store import Store
from docferry_laptop import executions
from docferry_laptop.executions import Execution


class Stack(Struct, frozen=True):
    """The stack of a connector: its state machine, its state bucket, and the ids of its index."""

    connector: str
    state_machine: str
    state_bucket: str
    index: Part

    def start(self, **inputs: object) -> Execution:
        """Start an execution, as a person or a program would."""
        return executions.start(self.state_machine, **inputs)

    def store(self) -> Store:
        """The state bucket."""
        return Store(self.state_bucket, wiring.client("s3"), self.data_source().data_source)

    def data_source(self) -> Index:
        """The index data source, to look at its sync jobs."""
        return wiring.index(self.connector, self.index)


def find(connector: Connector) -> Stack:
    """Return the stack of a connector, in the account and region that boto3 finds. Raises ConfigurationError."""
    name = stack_name(connector.name)
    try:
        described: Any = boto3.client("cloudformation").describe_stacks(StackName=name)
    except ClientError as error:
        if (
            error.response["Error"]["Code"] != "ValidationError"
        ):  # https://docs.aws.amazon.com/AWSCloudFormation/latest/APIReference/API_DescribeStacks.html
            raise
        raise ConfigurationError(
            f"{connector.name} is not deployed: there is no stack {name} in this account and region; "
            f"`docferry deploy {connector.name}` deploys it"
        ) from error
    stack = described["Stacks"][0]
    outputs = {output["OutputKey"]: output["OutputValue"] for output in stack.get("Outputs", [])}
    named = service(connector.index.kind).outputs
    if missing := {"StateMachineArn", "StateBucket", *named.values()} - outputs.keys():
        raise ConfigurationError(
            f"the stack {name} is {stack['StackStatus']} and has no output {', '.join(sorted(missing))}: wait until it "
            f"is complete, or deploy it again with `docferry deploy {connector.name}`"
        )
    ids = {setting: outputs[output] for setting, output in named.items()}
    index = Part(connector.index.kind, {**connector.index.settings, **ids})
    return Stack(connector.name, outputs["StateMachineArn"], outputs["StateBucket"], index)
