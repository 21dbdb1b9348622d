"""A deployed connector, opened in the same way in AWS and on a laptop.

One with a stack of its own is found by the outputs of that stack. One that is part of the stack of somebody's CDK app
is found by its functions, whose names are the same in any stack, and which were told everything.
"""

from typing import Any

import boto3
from botocore.exceptions import ClientError
from msgspec import structs

from docferry.connector import Connector, Part, stack_name
from docferry.errors import ConfigurationError
from docferry.indexes import service
from docferry.runtime.settings import Settings
from docferry_cli.targets.opened import Startable

NO_STACK = "ValidationError"
"""What DescribeStacks answers: https://docs.aws.amazon.com/AWSCloudFormation/latest/APIReference/API_DescribeStacks.html."""
NO_FUNCTION = "ResourceNotFoundException"
"""What GetFunctionConfiguration answers."""
FUNCTION = "crawl"


def find(connector: Connector, target: str, interrupted: str) -> Startable:
    """Open a deployed connector, in the account and region that boto3 finds. Raises ConfigurationError.

    ``target`` and ``interrupted`` are those of Startable.
    """
    name = stack_name(connector.name)
    if (described := stack(name)) is not None:
        index, bucket, machine = _of_stack(connector, described)
    elif (function := _function(name)) is not None:
        settings = _told(function)
        index, bucket, machine = settings.connector.index, settings.state_bucket, _machine(function, name)
    else:
        raise ConfigurationError(
            f"{connector.name} is not deployed: there is no stack {name} in this account and region, and no function "
            f"{name}-{FUNCTION} in a stack of another name; `docferry deploy {connector.name}` deploys it"
        )
    return Startable(target, connector, index, bucket, state_machine=machine, interrupted=interrupted)


def stack(name: str) -> dict[str, Any] | None:
    """A stack as DescribeStacks says, or None when there is none of this name."""
    try:
        found: dict[str, Any] = boto3.client("cloudformation").describe_stacks(StackName=name)["Stacks"][0]
    except ClientError as error:
        if error.response["Error"]["Code"] != NO_STACK:
            raise
        return None
    return found


def told(name: str) -> Connector | None:
    """A connector as its functions were told, or None when there are none: connectors.yaml need not know it."""
    function = _function(stack_name(name))
    return None if function is None else structs.replace(_told(function).connector, name=name)


def _of_stack(connector: Connector, described: dict[str, Any]) -> tuple[Part, str, str]:
    """The index, the state bucket and the state machine of a stack. Raises ConfigurationError."""
    outputs = {output["OutputKey"]: output["OutputValue"] for output in described.get("Outputs", [])}
    named = service(connector.index.kind).outputs
    if missing := {"StateMachineArn", "StateBucket", *named.values()} - outputs.keys():
        raise ConfigurationError(
            f"the stack {described['StackName']} is {described['StackStatus']} and has no output "
            f"{', '.join(sorted(missing))}: wait until it is complete, or deploy it again with "
            f"`docferry deploy {connector.name}`"
        )
    ids = {setting: outputs[output] for setting, output in named.items()}
    index = Part(connector.index.kind, {**connector.index.settings, **ids})
    return index, outputs["StateBucket"], outputs["StateMachineArn"]


def _function(name: str) -> dict[str, Any] | None:
    """The configuration of a connector's first function, or None when there is none."""
    try:
        found: dict[str, Any] = boto3.client("lambda").get_function_configuration(FunctionName=f"{name}-{FUNCTION}")
    except ClientError as error:
        if error.response["Error"]["Code"] != NO_FUNCTION:
            raise
        return None
    return found


def _told(function: dict[str, Any]) -> Settings:
    """What a function was told. Raises ConfigurationError when it is none of Docferry's."""
    return Settings.from_env(function.get("Environment", {}).get("Variables", {}))


def _machine(function: dict[str, Any], name: str) -> str:
    """The ARN of the state machine beside a function."""
    head = str(function["FunctionArn"]).split(":function:")[0].replace(":lambda:", ":states:")
    return f"{head}:stateMachine:{name}"
