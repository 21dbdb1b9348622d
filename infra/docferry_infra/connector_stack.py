"""One connector, one stack."""

from typing import Any

from aws_cdk import CfnOutput, Stack
from constructs import Construct
from msgspec import structs

from docferry.config.deployment import Deploy, Described
from docferry.runtime.lambdas import DEPLOYED, FUNCTIONS
from docferry.runtime.settings import Settings
from docferry.workflow.trigger import TriggerSettings
from docferry_infra.bundle import Bundle
from docferry_infra.functions import Functions
from docferry_infra.index import Index
from docferry_infra.monitoring import Monitoring
from docferry_infra.source_access import grant_reader, grant_source
from docferry_infra.state import State
from docferry_infra.triggers import Triggers
from docferry_infra.workflow import Workflow, grant_executions, machine_arn


class ConnectorStack(Stack):
    """Everything that keeps one index data source in step with one source."""

    def __init__(self, scope: Construct, *, described: Described, bundle: Bundle, **options: Any) -> None:
        connector, deploy = described.connector, described.deploy or Deploy()
        super().__init__(scope, f"docferry-{connector.name}", analytics_reporting=False, **options)

        state = State(self, "State", deploy=deploy)
        index = Index(self, "Index", connector=connector.name, part=connector.index, deploy=deploy)
        settings = Settings(state.bucket.bucket_name, structs.replace(connector, index=index.part))
        trigger = TriggerSettings(state.bucket.bucket_name, machine_arn(self, connector.name), connector.name)
        environments = {function.name: settings.to_env() for function in FUNCTIONS} | {"trigger": trigger.to_env()}
        functions = Functions(
            self, "Functions", connector=connector.name, bundle=bundle, environments=environments, deploy=deploy
        )
        workflow = Workflow(
            self, "Workflow", connector=connector.name, arns=functions.arns(), state=state, deploy=deploy
        )
        triggers = Triggers(
            self,
            "Triggers",
            described=described,
            state=state,
            machine=workflow.machine,
            functions=functions,
        )
        Monitoring(
            self,
            "Monitoring",
            described=described,
            machine=workflow.machine,
            functions=functions,
            dead_letters=triggers.dead_letters,
        )

        for function in DEPLOYED:
            role = functions.roles[function.name]
            state.grant(role, function)
            index.grant(role, function.index)
            grant_source(role, connector.source, deploy, function.source)
            grant_executions(role, connector.name, function.executions)
        if index.role:
            grant_reader(index.role, connector.source, deploy, state)

        CfnOutput(self, "StateMachineArn", value=workflow.machine.state_machine_arn)
        CfnOutput(self, "StateBucket", value=state.bucket.bucket_name)
        for name in ("application_id", "index_id", "data_source_id"):
            if name in index.part.settings:
                CfnOutput(self, name.title().replace("_", ""), value=index.part.settings[name])
