"""A Q Business application, its index and its data source. See IndexResources."""

from collections.abc import Iterator, Mapping
from typing import Any

from aws_cdk import Stack
from aws_cdk import aws_iam as iam
from aws_cdk import aws_qbusiness as qbusiness
from constructs import Construct

from docferry.config.deployment import Deploy
from docferry.connector import Part
from docferry.indexes import service
from docferry_infra.indexes import content_role

QBUSINESS = service("qbusiness")


def arns(scope: Construct, ids: dict[str, str]) -> list[str]:
    """See IndexResources.arns."""
    stack = Stack.of(scope)
    application = stack.format_arn(service="qbusiness", resource="application", resource_name=ids["application_id"])
    return [application, f"{application}/index/{ids['index_id']}"]


def make(scope: Construct, name: str, part: Part, deploy: Deploy) -> dict[str, str]:
    """See IndexResources.make."""
    settings = part.settings
    application_id = settings.get("application_id")
    if application_id is None:
        application_id = qbusiness.CfnApplication(
            scope,
            "Application",
            display_name=name,
            identity_type="AWS_IAM_IDC",
            identity_center_instance_arn=deploy.identity_center,
        ).attr_application_id
    index_id = settings.get("index_id") or _index(scope, name, application_id, settings.get("fields", {}), deploy)
    data_source_id = settings.get("data_source_id")
    if data_source_id is None:
        data_source_id = qbusiness.CfnDataSource(
            scope,
            "DataSource",
            application_id=application_id,
            index_id=index_id,
            display_name=name,
            configuration={"type": "CUSTOM", "version": "1.0.0"},
        ).attr_data_source_id
    return {"application_id": application_id, "index_id": index_id, "data_source_id": data_source_id}


def reader(scope: Construct, ids: dict[str, str]) -> iam.Role:
    """See IndexResources.reader."""
    return content_role(scope, QBUSINESS.principal, arns(scope, ids)[0])


def problems(given: Mapping[str, Any], deploy: Deploy) -> Iterator[str]:
    """See IndexResources.problems."""
    if deploy.create and given["application_id"] is None and given["index_id"] is None and not deploy.identity_center:
        yield "deploy.identity_center: is required to make an application: its users come from there"


def _index(scope: Construct, name: str, application_id: str, fields: dict[str, str], deploy: Deploy) -> str:
    types: dict[Any, str] = QBUSINESS.field_types
    index = qbusiness.CfnIndex(
        scope,
        "Index",
        application_id=application_id,
        display_name=name,
        type=deploy.edition or QBUSINESS.editions[0],
        document_attribute_configurations=[
            qbusiness.CfnIndex.DocumentAttributeConfigurationProperty(name=field, type=types[kind], search="ENABLED")
            for field, kind in sorted(fields.items())
        ],
    )
    qbusiness.CfnRetriever(
        scope,
        "Retriever",
        application_id=application_id,
        display_name=name,
        type="NATIVE_INDEX",
        configuration=qbusiness.CfnRetriever.RetrieverConfigurationProperty(
            native_index_configuration=qbusiness.CfnRetriever.NativeIndexConfigurationProperty(
                index_id=index.attr_index_id
            )
        ),
    )
    return index.attr_index_id
