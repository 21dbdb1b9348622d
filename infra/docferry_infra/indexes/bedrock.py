"""A managed knowledge base of Bedrock and its custom data source. See IndexResources.

https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-bedrock-knowledgebase.html
"""

from collections.abc import Iterator, Mapping
from typing import Any

from aws_cdk import Stack
from aws_cdk import aws_bedrock as bedrock
from aws_cdk import aws_iam as iam
from constructs import Construct

from docferry.config.deployment import Deploy
from docferry.connector import Part
from docferry.indexes import service
from docferry.indexes.bedrock.source import MANAGED
from docferry_infra.grants import service_role

BEDROCK = service("bedrock")
ROLE = "KnowledgeBaseRole"


def arns(scope: Construct, ids: dict[str, str]) -> list[str]:
    """See IndexResources.arns. IAM knows no data sources of knowledge bases."""
    base = ids["knowledge_base_id"]
    return [Stack.of(scope).format_arn(service="bedrock", resource="knowledge-base", resource_name=base)]


def make(scope: Construct, name: str, part: Part, deploy: Deploy) -> dict[str, str]:  # noqa: ARG001  # there are no editions
    """See IndexResources.make."""
    settings = part.settings
    base = settings.get("knowledge_base_id") or _knowledge_base(scope, name)
    source = settings.get("data_source_id")
    if source is None:
        parameters = {"type": "CUSTOM", "version": "1", "aclEnabled": bool(settings.get("acl", False))}
        source = bedrock.CfnDataSource(
            scope,
            "DataSource",
            knowledge_base_id=base,
            name=name,
            # What the documents were is known to the connector alone, so they go with their data source.
            data_deletion_policy="DELETE",
            data_source_configuration=bedrock.CfnDataSource.DataSourceConfigurationProperty(
                type=MANAGED,
                managed_knowledge_base_connector_configuration=(
                    bedrock.CfnDataSource.ManagedKnowledgeBaseConnectorConfigurationProperty(
                        connector_parameters=parameters
                    )
                ),
            ),
        ).attr_data_source_id
    return {"knowledge_base_id": base, "data_source_id": source}


def reader(scope: Construct, ids: dict[str, str]) -> iam.Role | None:  # noqa: ARG001  # the role was made with the base
    """See IndexResources.reader. A knowledge base reads with its own role, which no request can name."""
    found = scope.node.try_find_child(ROLE)
    return found if isinstance(found, iam.Role) else None


def problems(given: Mapping[str, Any], deploy: Deploy) -> Iterator[str]:
    """See IndexResources.problems. A data source of a knowledge base with a vector store is made by hand."""
    if deploy.create and given["knowledge_base_id"] and given["data_source_id"] is None:
        yield (
            "index.data_source_id: is required with index.knowledge_base_id: create a custom data source in it, by "
            "hand, because only you know whether it is a managed knowledge base or one with a vector store"
        )


def _knowledge_base(scope: Construct, name: str) -> str:
    stack = Stack.of(scope)
    role = service_role(
        scope,
        ROLE,
        BEDROCK.principal,
        {
            "StringEquals": {"aws:SourceAccount": stack.account},
            "ArnLike": {
                "aws:SourceArn": stack.format_arn(service="bedrock", resource="knowledge-base", resource_name="*")
            },
        },
    )
    base = bedrock.CfnKnowledgeBase(
        scope,
        "KnowledgeBase",
        name=name,
        role_arn=role.role_arn,
        knowledge_base_configuration=bedrock.CfnKnowledgeBase.KnowledgeBaseConfigurationProperty(
            type="MANAGED",
            managed_knowledge_base_configuration=(
                bedrock.CfnKnowledgeBase.ManagedKnowledgeBaseConfigurationProperty(embedding_model_type="MANAGED")
            ),
        ),
    )
    base.node.add_dependency(role)
    return base.attr_knowledge_base_id
