"""A deployed stack, opened through its CloudFormation outputs, in the same way in AWS and on a laptop."""

from typing import Any

import boto3
from botocore.exceptions import ClientError

from docferry.connector import Connector, Part, stack_name
from docferry.errors import ConfigurationError
from docferry.indexes import service
from docferry_cli.targets.opened import Startable

NO_STACK = "ValidationError"
"""What DescribeStacks answers: https://docs.aws.amazon.com/AWSCloudFormation/latest/APIReference/API_DescribeStacks.html."""


def find(connector: Connector, target: str, interrupted: str) -> Startable:
    """Open the stack of a connector, in the account and region that boto3 finds. Raises ConfigurationError.

    ``target`` and ``interrupted`` are those of Startable.
    """
    name = stack_name(connector.name)
    try:
        described: Any = boto3.client("cloudformation").describe_stacks(StackName=name)
    except ClientError as error:
        if error.response["Error"]["Code"] != NO_STACK:
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
    return Startable(
        target,
        connector,
        index,
        outputs["StateBucket"],
        state_machine=outputs["StateMachineArn"],
        interrupted=interrupted,
    )
