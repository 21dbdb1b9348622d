"""A Kendra index and its data source. See IndexResources."""

from collections.abc import Iterator, Mapping
from typing import Any

from aws_cdk import Stack
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kendra as kendra
from constructs import Construct

from docferry.config.deployment import Deploy
from docferry.connector import Part
from docferry.indexes import service
from docferry_infra.grants import allow, service_role
from docferry_infra.indexes import content_role

KENDRA = service("kendra")


def arns(scope: Construct, ids: dict[str, str]) -> list[str]:
    """See IndexResources.arns."""
    return [Stack.of(scope).format_arn(service="kendra", resource="index", resource_name=ids["index_id"])]


def make(scope: Construct, name: str, part: Part, deploy: Deploy) -> dict[str, str]:
    """See IndexResources.make."""
    settings = part.settings
    index_id = settings.get("index_id") or _index(scope, name, settings.get("fields", {}), deploy)
    data_source_id = settings.get("data_source_id")
    if data_source_id is None:
        data_source_id = kendra.CfnDataSource(scope, "DataSource", index_id=index_id, name=name, type="CUSTOM").attr_id
    return {"index_id": index_id, "data_source_id": data_source_id}


def reader(scope: Construct, ids: dict[str, str]) -> iam.Role:
    """See IndexResources.reader."""
    return content_role(scope, KENDRA.principal, arns(scope, ids)[0])


def problems(given: Mapping[str, Any], deploy: Deploy) -> Iterator[str]:
    """See IndexResources.problems."""
    del given, deploy
    return iter(())


def _index(scope: Construct, name: str, fields: dict[str, str], deploy: Deploy) -> str:
    stack = Stack.of(scope)
    role = service_role(
        scope,
        "IndexRole",
        KENDRA.principal,
        {
            "StringEquals": {"aws:SourceAccount": stack.account},
            "ArnLike": {"aws:SourceArn": stack.format_arn(service="kendra", resource="index", resource_name="*")},
        },
    )
    _monitored(role, "AWS/Kendra", "/aws/kendra/*")
    types: dict[Any, str] = KENDRA.field_types
    index = kendra.CfnIndex(
        scope,
        "Index",
        name=name,
        edition=deploy.edition or KENDRA.editions[0],
        role_arn=role.role_arn,
        document_metadata_configurations=[
            kendra.CfnIndex.DocumentMetadataConfigurationProperty(
                name=field,
                type=types[kind],
                search=kendra.CfnIndex.SearchProperty(displayable=True, facetable=True, searchable=kind != "DATE"),
            )
            for field, kind in sorted(fields.items())
        ],
    )
    index.node.add_dependency(role)
    return index.attr_id


def _monitored(role: iam.Role, namespace: str, log_groups: str) -> None:
    """Allow an index its metrics and its log, as the service's guide asks for it."""
    stack = Stack.of(role)
    allow(
        role,
        ["cloudwatch:PutMetricData"],
        ["*"],
        because="PutMetricData has no resources; the condition names the one namespace.",
        conditions={"StringEquals": {"cloudwatch:namespace": namespace}},
    )
    groups = f"arn:{stack.partition}:logs:{stack.region}:{stack.account}:log-group:{log_groups}"
    allow(
        role,
        ["logs:DescribeLogGroups"],
        ["*"],
        because="DescribeLogGroups lists: it has no smaller resource.",
    )
    allow(
        role,
        ["logs:CreateLogGroup", "logs:DescribeLogStreams", "logs:CreateLogStream", "logs:PutLogEvents"],
        [groups],
        because="The service names its log groups after the id of the index, which does not exist yet.",
    )
