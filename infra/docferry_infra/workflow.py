"""The state machine: the text of statemachine/sync.asl.json, with the stack's names in it."""

from collections.abc import Mapping

from aws_cdk import ArnFormat, Stack
from aws_cdk import aws_iam as iam
from aws_cdk import aws_stepfunctions as sfn
from constructs import Construct, IConstruct

from docferry.config.deployment import Deploy
from docferry.runtime.assets import DEFINITION
from docferry.runtime.lambdas import ExecutionCall
from docferry.state import keys
from docferry_infra.functions import log_group
from docferry_infra.grants import acknowledge, allow, service_role
from docferry_infra.state import StateBucket

RUNS = "Executions of this connector's own state machine; they have no names before they are started."
LOGGING = "Step Functions' log deliveries and X-Ray's Put actions have no smaller resource."


class Workflow(Construct):
    """The state machine of a connector, its log and its role."""

    def __init__(
        self,
        scope: Construct,
        name: str,
        *,
        connector: str,
        arns: Mapping[str, str],
        state: StateBucket,
        deploy: Deploy,
    ) -> None:
        super().__init__(scope, name)
        role = service_role(self, "Role", "states.amazonaws.com")
        self.machine = sfn.StateMachine(
            self,
            "StateMachine",
            state_machine_name=f"docferry-{connector}",
            definition_body=sfn.DefinitionBody.from_string(DEFINITION.read_text(encoding="utf-8")),
            definition_substitutions={
                **arns,
                "StateBucket": state.bucket.bucket_name,
                "Partition": Stack.of(self).partition,
            },
            role=role,
            tracing_enabled=True,
            logs=sfn.LogOptions(
                # Names under /aws/vendedlogs do not count towards the size limit of CloudWatch's resource policies.
                destination=log_group(self, "Log", f"/aws/vendedlogs/states/docferry-{connector}", deploy),
                level=sfn.LogLevel.ALL,
                include_execution_data=True,
            ),
        )
        acknowledge(role, "AwsSolutions-IAM5[Resource::*]", LOGGING)
        # A Distributed Map starts executions of its own machine, and reads its items from the run's batches.json.
        allow(role, ["states:StartExecution"], [machine_arn(self, connector)])
        children = [execution_arn(self, connector, "/*:*")]
        allow(role, ["states:DescribeExecution", "states:StopExecution"], children, because=RUNS)
        allow(
            role,
            ["s3:GetObject"],
            [state.bucket.arn_for_objects(f"{keys.RUNS}*/{keys.BATCHES}")],
            because="One object of each run; the run is not known before it is started.",
        )
        if state.key:
            allow(role, ["kms:Decrypt"], [state.key.key_arn])
        allow(role, ["lambda:InvokeFunction"], list(arns.values()))


def grant_executions(role: iam.Role, connector: str, calls: tuple[ExecutionCall, ...]) -> None:
    """Allow a function to look at the connector's executions, or to start one."""
    machine = [machine_arn(role, connector)]
    if "describe" in calls:
        allow(role, ["states:DescribeExecution"], [execution_arn(role, connector, ":*")], because=RUNS)
    if "list" in calls:
        allow(role, ["states:ListExecutions"], machine)
    if "start" in calls:
        allow(role, ["states:StartExecution"], machine)


def machine_arn(scope: IConstruct, connector: str) -> str:
    """The ARN of the state machine, spelled out: the functions that it calls can hold it without a circle."""
    return _arn(scope, "stateMachine", f"docferry-{connector}")


def execution_arn(scope: IConstruct, connector: str, which: str) -> str:
    """The ARN of executions of the state machine."""
    return _arn(scope, "execution", f"docferry-{connector}{which}")


def _arn(scope: IConstruct, resource: str, name: str) -> str:
    return Stack.of(scope).format_arn(
        service="states", resource=resource, resource_name=name, arn_format=ArnFormat.COLON_RESOURCE_NAME
    )
