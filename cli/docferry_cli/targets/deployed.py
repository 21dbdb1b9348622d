"""A deployed connector, opened in the same way in AWS and on a laptop.

One with a stack of its own is found by the outputs of that stack. One that is part of the stack of somebody's CDK app
is found by its functions, whose names are the same in any stack, and which were told everything.
"""

from typing import Any

import boto3
from botocore.exceptions import ClientError
from msgspec import structs

from docferry.connector import Connector, Part, stack_name
from docferry.errors import ConfigurationError, NotDeployed
from docferry.indexes import service
from docferry.runtime.settings import Settings
from docferry_cli.targets.opened import Startable

NO_STACK = "ValidationError"
"""What DescribeStacks answers: https://docs.aws.amazon.com/AWSCloudFormation/latest/APIReference/API_DescribeStacks.html."""
NO_FUNCTION = frozenset({"ResourceNotFoundException", "AccessDeniedException"})
"""What GetFunctionConfiguration answers where there is no function, or where nobody may know."""
FUNCTION = "crawl"
BEGUN = "_IN_PROGRESS"
"""How the status of a stack ends that is being made, or changed."""


def find(connector: Connector, target: str, interrupted: str) -> Startable:
    """Open a deployed connector, in the account and region that boto3 finds. Raises ConfigurationError.

    ``target`` and ``interrupted`` are those of Startable.
    """
    name = stack_name(connector.name)
    described = stack(name)
    missing = _missing(connector, described) if described is not None else frozenset[str]()
    if described is not None and not missing:
        index, bucket, machine = _of_stack(connector, described)
    elif (described is None or not _is_begun(described)) and (function := _function(name)) is not None:
        settings = _told(function)
        index, bucket, machine = settings.connector.index, settings.state_bucket, _machine(function, name)
    elif described is not None:
        raise ConfigurationError(
            f"the stack {name} is {described['StackStatus']} and has no output {', '.join(sorted(missing))}: wait "
            f"until it is complete, or deploy it again with `docferry deploy {connector.name}`"
        )
    else:
        raise NotDeployed(
            f"{connector.name} is not deployed: there is no stack {name} in this account and region; "
            f"`docferry deploy {connector.name}` deploys it. (In the stack of another app it would be found by its "
            f"function {name}-{FUNCTION}, with the right lambda:GetFunctionConfiguration)"
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
    """A connector as its functions were told, or None when none are seen: connectors.yaml need not know it."""
    function = _function(stack_name(name))
    return None if function is None else structs.replace(_told(function).connector, name=name)


def _outputs(described: dict[str, Any]) -> dict[str, str]:
    return {output["OutputKey"]: output["OutputValue"] for output in described.get("Outputs", [])}


def _missing(connector: Connector, described: dict[str, Any]) -> frozenset[str]:
    """The outputs that a stack lacks: it is not whole, or it is that of another app with the same name."""
    named = service(connector.index.kind).outputs
    return frozenset({"StateMachineArn", "StateBucket", *named.values()} - _outputs(described).keys())


def _is_begun(described: dict[str, Any]) -> bool:
    return str(described["StackStatus"]).endswith(BEGUN)


def _of_stack(connector: Connector, described: dict[str, Any]) -> tuple[Part, str, str]:
    """The index, the state bucket and the state machine of a stack."""
    outputs = _outputs(described)
    ids = {setting: outputs[output] for setting, output in service(connector.index.kind).outputs.items()}
    index = Part(connector.index.kind, {**connector.index.settings, **ids})
    return index, outputs["StateBucket"], outputs["StateMachineArn"]


def _function(name: str) -> dict[str, Any] | None:
    """The configuration of a connector's first function, or None when none is seen."""
    try:
        found: dict[str, Any] = boto3.client("lambda").get_function_configuration(FunctionName=f"{name}-{FUNCTION}")
    except ClientError as error:
        if error.response["Error"]["Code"] not in NO_FUNCTION:
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
