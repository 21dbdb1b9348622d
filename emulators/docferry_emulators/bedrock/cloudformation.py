"""AWS::Bedrock::KnowledgeBase and AWS::Bedrock::DataSource."""

from typing import Any, Self

from moto.core.common_models import CloudFormationModel

from docferry_emulators.backend import Wire
from docferry_emulators.bedrock.responses import BedrockAgentResponse
from docferry_emulators.cloudformation import Emulated, perform, remove, until_active, wire

CONNECTOR = ("managedKnowledgeBaseConnectorConfiguration", "connectorParameters")


class BedrockKnowledgeBase(Emulated, CloudFormationModel):  # type: ignore[misc]
    """A knowledge base. ``Ref`` is its id.

    https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-bedrock-knowledgebase.html
    """

    @staticmethod
    def cloudformation_type() -> str:
        """The type in a template."""
        return "AWS::Bedrock::KnowledgeBase"

    @classmethod
    def create_from_cloudformation_json(
        cls, resource_name: str, cloudformation_json: Wire, account_id: str, region_name: str, **_: Any
    ) -> Self:
        """Make the knowledge base. The names of its tags stay as they are."""
        here, properties = (BedrockAgentResponse, account_id, region_name), cloudformation_json["Properties"]
        wanted = {**wire(properties), "tags": properties.get("Tags", {}), "clientToken": resource_name}
        made = perform(*here, "create_knowledge_base", **wanted)["knowledgeBase"]["knowledgeBaseId"]
        described = until_active(*here, "get_knowledge_base", {"knowledgeBaseId": made})["knowledgeBase"]
        attributes = {"KnowledgeBaseId": "knowledgeBaseId", "KnowledgeBaseArn": "knowledgeBaseArn", **TIMES}
        return cls(made, {"Status": "ACTIVE"} | {name: described[member] for name, member in attributes.items()})

    def delete(self, account_id: str, region_name: str) -> None:
        """Delete the knowledge base and everything in it."""
        here = (BedrockAgentResponse, account_id, region_name)
        remove(*here, "delete_knowledge_base", knowledgeBaseId=self.physical_resource_id)


class BedrockDataSource(Emulated, CloudFormationModel):  # type: ignore[misc]
    """A data source. ``Ref`` is the id of its knowledge base and its own, with ``|`` between them.

    https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-bedrock-datasource.html
    """

    @staticmethod
    def cloudformation_type() -> str:
        """The type in a template."""
        return "AWS::Bedrock::DataSource"

    @classmethod
    def create_from_cloudformation_json(
        cls, resource_name: str, cloudformation_json: Wire, account_id: str, region_name: str, **_: Any
    ) -> Self:
        """Make the data source. The names in the parameters of its connector stay as they are."""
        here, properties = (BedrockAgentResponse, account_id, region_name), cloudformation_json["Properties"]
        made = perform(*here, "create_data_source", **{**_request(properties), "clientToken": resource_name})
        ids = {name: made["dataSource"][name] for name in ("knowledgeBaseId", "dataSourceId")}
        described = until_active(*here, "get_data_source", ids)["dataSource"]
        attributes = {"DataSourceId": "dataSourceId", "DataSourceStatus": "status", **TIMES}
        return cls("|".join(ids.values()), {name: described[member] for name, member in attributes.items()})

    @classmethod
    def update_from_cloudformation_json(
        cls, original_resource: Any, cloudformation_json: Wire, account_id: str, region_name: str, **_: Any
    ) -> Any:
        """Change the name, the description and the settings of the data source."""
        here, ids = (BedrockAgentResponse, account_id, region_name), original_resource.ids()
        perform(*here, "update_data_source", **{**_request(cloudformation_json["Properties"]), **ids})
        until_active(*here, "get_data_source", ids)
        return original_resource

    def ids(self) -> dict[str, str]:
        """The ids of the knowledge base and of the data source."""
        base, made = self.physical_resource_id.split("|")
        return {"knowledgeBaseId": base, "dataSourceId": made}

    def delete(self, account_id: str, region_name: str) -> None:
        """Delete the data source and its documents."""
        remove(BedrockAgentResponse, account_id, region_name, "delete_data_source", **self.ids())


TIMES = {"CreatedAt": "createdAt", "UpdatedAt": "updatedAt"}


def _request(properties: Wire) -> Wire:
    request: Wire = wire(properties)
    connector, parameters = CONNECTOR
    managed = request["dataSourceConfiguration"].get(connector)
    if managed is not None and parameters in managed:
        given = properties["DataSourceConfiguration"]
        managed[parameters] = given[connector[0].upper() + connector[1:]][parameters[0].upper() + parameters[1:]]
    return request
