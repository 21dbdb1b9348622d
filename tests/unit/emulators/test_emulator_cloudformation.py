"""Indexes, knowledge bases, data sources, applications and retrievers as resources of a CloudFormation stack."""

import json
from collections.abc import Iterator
from typing import Any

import boto3
import pytest

from docferry_emulators import emulated
from docferry_emulators.clock import VirtualClock

KENDRA: dict[str, Any] = {
    "Index": {
        "Type": "AWS::Kendra::Index",
        "Properties": {
            "Name": "handbook",
            "Edition": "DEVELOPER_EDITION",
            "RoleArn": "arn:aws:iam::123456789012:role/index",
            "DocumentMetadataConfigurations": [
                {"Name": "department", "Type": "STRING_VALUE", "Search": {"Facetable": True}}
            ],
        },
    },
    "Source": {
        "Type": "AWS::Kendra::DataSource",
        "Properties": {"Name": "handbook", "Type": "CUSTOM", "IndexId": {"Fn::GetAtt": ["Index", "Id"]}},
    },
}
QBUSINESS: dict[str, Any] = {
    "Application": {
        "Type": "AWS::QBusiness::Application",
        "Properties": {"DisplayName": "handbook", "IdentityType": "AWS_IAM_IDC"},
    },
    "Index": {
        "Type": "AWS::QBusiness::Index",
        "Properties": {
            "ApplicationId": {"Fn::GetAtt": ["Application", "ApplicationId"]},
            "DisplayName": "handbook",
            "Type": "STARTER",
            "DocumentAttributeConfigurations": [{"Name": "department", "Type": "STRING", "Search": "ENABLED"}],
        },
    },
    "Retriever": {
        "Type": "AWS::QBusiness::Retriever",
        "Properties": {
            "ApplicationId": {"Fn::GetAtt": ["Application", "ApplicationId"]},
            "DisplayName": "handbook",
            "Type": "NATIVE_INDEX",
            "Configuration": {"NativeIndexConfiguration": {"IndexId": {"Fn::GetAtt": ["Index", "IndexId"]}}},
        },
    },
    "Source": {
        "Type": "AWS::QBusiness::DataSource",
        "Properties": {
            "ApplicationId": {"Fn::GetAtt": ["Application", "ApplicationId"]},
            "IndexId": {"Fn::GetAtt": ["Index", "IndexId"]},
            "DisplayName": "handbook",
            "Configuration": {"type": "CUSTOM", "version": "1.0.0"},
        },
    },
}

BEDROCK: dict[str, Any] = {
    "Base": {
        "Type": "AWS::Bedrock::KnowledgeBase",
        "Properties": {
            "Name": "handbook",
            "RoleArn": "arn:aws:iam::123456789012:role/base",
            "KnowledgeBaseConfiguration": {
                "Type": "MANAGED",
                "ManagedKnowledgeBaseConfiguration": {"EmbeddingModelType": "MANAGED"},
            },
            "Tags": {"Team": "red"},
        },
    },
    "Source": {
        "Type": "AWS::Bedrock::DataSource",
        "Properties": {
            "Name": "handbook",
            "KnowledgeBaseId": {"Ref": "Base"},
            "DataSourceConfiguration": {
                "Type": "MANAGED_KNOWLEDGE_BASE_CONNECTOR",
                "ManagedKnowledgeBaseConnectorConfiguration": {
                    "ConnectorParameters": {"type": "CUSTOM", "version": "1", "aclEnabled": True}
                },
            },
        },
    },
}


class Cloud:
    """CloudFormation, beside the services."""

    def __init__(self) -> None:
        self.cloudformation: Any = boto3.client("cloudformation", region_name="us-east-1")
        self.kendra: Any = boto3.client("kendra", region_name="us-east-1")
        self.qbusiness: Any = boto3.client("qbusiness", region_name="us-east-1")
        self.bedrock: Any = boto3.client("bedrock-agent", region_name="us-east-1")

    def create(self, resources: dict[str, Any], **outputs: list[str]) -> dict[str, str]:
        """Make a stack; return its outputs, which are attributes of its resources."""
        self.cloudformation.create_stack(StackName="handbook", TemplateBody=template(resources, outputs))
        (described,) = self.cloudformation.describe_stacks(StackName="handbook")["Stacks"]
        return {one["OutputKey"]: one["OutputValue"] for one in described["Outputs"]}


def template(resources: dict[str, Any], outputs: dict[str, list[str]]) -> str:
    """A template."""
    given = {name: {"Value": {"Fn::GetAtt": attribute}} for name, attribute in outputs.items()}
    return json.dumps({"Resources": resources, "Outputs": given})


@pytest.fixture
def cloud() -> Iterator[Cloud]:
    """An empty account on virtual time: a resource takes a second to be there."""
    with emulated(clock=VirtualClock()):
        yield Cloud()


def test_kendra(cloud: Cloud) -> None:
    """Made in order, with its fields, and gone with the stack."""
    ids = cloud.create(KENDRA, index=["Index", "Id"], source=["Source", "Id"])

    index = cloud.kendra.describe_index(Id=ids["index"])
    source = cloud.kendra.describe_data_source(IndexId=ids["index"], Id=ids["source"])
    fields = {one["Name"]: one for one in index["DocumentMetadataConfigurations"]}
    assert (index["Status"], index["Edition"], source["Type"]) == ("ACTIVE", "DEVELOPER_EDITION", "CUSTOM")
    assert fields["department"]["Search"]["Facetable"] is True

    cloud.cloudformation.delete_stack(StackName="handbook")
    left = [one["Status"] for one in cloud.kendra.list_indices()["IndexConfigurationSummaryItems"]]
    assert set(left) <= {"DELETING"}


def test_qbusiness(cloud: Cloud) -> None:
    """Made in order, with its fields, and gone with the stack."""
    ids = cloud.create(
        QBUSINESS,
        applicationId=["Application", "ApplicationId"],
        indexId=["Index", "IndexId"],
        dataSourceId=["Source", "DataSourceId"],
    )

    application = ids["applicationId"]
    index = cloud.qbusiness.get_index(applicationId=application, indexId=ids["indexId"])
    fields = {one["name"]: one["type"] for one in index["documentAttributeConfigurations"]}
    (retriever,) = cloud.qbusiness.list_retrievers(applicationId=application)["retrievers"]
    assert (index["status"], index["type"], fields["department"]) == ("ACTIVE", "STARTER", "STRING")
    assert retriever["type"] == "NATIVE_INDEX"
    assert cloud.qbusiness.get_data_source(**ids)["status"] == "ACTIVE"

    cloud.cloudformation.delete_stack(StackName="handbook")
    left = [one["status"] for one in cloud.qbusiness.list_applications()["applications"]]
    assert set(left) <= {"DELETING"}


def test_bedrock(cloud: Cloud) -> None:
    """Made in order, with tags and the parameters of the connector as they are, changed, and gone with the stack."""
    ids = cloud.create(
        BEDROCK,
        base=["Base", "KnowledgeBaseId"],
        arn=["Base", "KnowledgeBaseArn"],
        source=["Source", "DataSourceId"],
        status=["Source", "DataSourceStatus"],
    )
    at = {"knowledgeBaseId": ids["base"], "dataSourceId": ids["source"]}
    base = cloud.bedrock.get_knowledge_base(knowledgeBaseId=ids["base"])["knowledgeBase"]
    source = cloud.bedrock.get_data_source(**at)["dataSource"]
    connector = source["dataSourceConfiguration"]["managedKnowledgeBaseConnectorConfiguration"]
    described = cloud.cloudformation.describe_stack_resources(StackName="handbook")["StackResources"]
    made = {one["LogicalResourceId"]: one["PhysicalResourceId"] for one in described}

    assert (base["status"], base["knowledgeBaseArn"], base["name"]) == ("ACTIVE", ids["arn"], "handbook")
    assert (source["status"], ids["status"]) == ("AVAILABLE", "AVAILABLE")
    assert connector["connectorParameters"] == {"type": "CUSTOM", "version": "1", "aclEnabled": True}
    assert cloud.bedrock.list_tags_for_resource(resourceArn=ids["arn"])["tags"] == {"Team": "red"}
    assert made == {"Base": ids["base"], "Source": f"{ids['base']}|{ids['source']}"}

    changed = json.loads(json.dumps(BEDROCK))
    changed["Source"]["Properties"]["Description"] = "The handbook."
    cloud.cloudformation.update_stack(StackName="handbook", TemplateBody=template(changed, {}))
    assert cloud.bedrock.get_data_source(**at)["dataSource"]["description"] == "The handbook."

    cloud.cloudformation.delete_stack(StackName="handbook")
    left = [one["status"] for one in cloud.bedrock.list_knowledge_bases()["knowledgeBaseSummaries"]]
    assert set(left) <= {"DELETING"}


def test_fields_that_are_new_are_declared_by_an_update(cloud: Cloud) -> None:
    """The index stays the same one."""
    ids = cloud.create(KENDRA, index=["Index", "Id"])
    changed = json.loads(json.dumps(KENDRA))
    changed["Index"]["Properties"]["DocumentMetadataConfigurations"].append({"Name": "revision", "Type": "LONG_VALUE"})

    cloud.cloudformation.update_stack(StackName="handbook", TemplateBody=template(changed, {"index": ["Index", "Id"]}))

    index = cloud.kendra.describe_index(Id=ids["index"])
    assert {"department", "revision"} <= {one["Name"] for one in index["DocumentMetadataConfigurations"]}
