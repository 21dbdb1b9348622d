"""Emulated indexes and data sources for connectors: what a person has made in the console already."""

from collections.abc import Callable
from typing import Any

import boto3
from msgspec import structs

from docferry.connector import Connector, Part

INDEX = "docferry"
ROLE = "arn:aws:iam::123456789012:role/docferry-data-source"
# Of storage: an emulated index holds what the laptop holds.
UNITS = 1_000

RESERVED = "_"
KENDRA_TYPES = {
    "STRING": "STRING_VALUE",
    "STRING_LIST": "STRING_LIST_VALUE",
    "NUMBER": "LONG_VALUE",
    "DATE": "DATE_VALUE",
}


def provision(connector: Connector) -> Connector:
    """Find or make the index and the data source of a connector; return it with their ids.

    Connectors that name the same index share an emulated one; so do those that name none.
    """
    part = connector.index
    ids = PROVISION[part.kind](connector.name, part.settings)
    # The emulated index takes the place of the one that is named, so its ids take the place of those.
    return structs.replace(connector, index=Part(part.kind, {**part.settings, **ids, "role_arn": ROLE}))


def _kendra(name: str, settings: dict[str, Any]) -> dict[str, str]:
    kendra = boto3.client("kendra")
    index_name = f"{INDEX}-{settings.get('index_id') or 'index'}"
    index_id = _id_of(kendra.list_indices()["IndexConfigurationSummaryItems"], "Name", "Id", index_name)
    if index_id is None:
        index_id = kendra.create_index(Name=index_name, RoleArn=ROLE)["Id"]
        kendra.update_index(Id=index_id, CapacityUnits={"StorageCapacityUnits": UNITS, "QueryCapacityUnits": 0})
    declared = kendra.describe_index(Id=index_id)["DocumentMetadataConfigurations"]
    missing = set(settings.get("fields", {})) - {field["Name"] for field in declared}
    if missing:
        kendra.update_index(
            Id=index_id,
            DocumentMetadataConfigurationUpdates=[
                {"Name": field, "Type": KENDRA_TYPES[settings["fields"][field]], "Search": {"Displayable": True}}
                for field in sorted(missing)
            ],
        )
    sources = kendra.list_data_sources(IndexId=index_id, MaxResults=100)["SummaryItems"]
    data_source_id = _id_of(sources, "Name", "Id", name)
    if data_source_id is None:
        data_source_id = kendra.create_data_source(IndexId=index_id, Name=name, Type="CUSTOM")["Id"]
    return {"index_id": index_id, "data_source_id": str(data_source_id)}


def _qbusiness(name: str, settings: dict[str, Any]) -> dict[str, str]:
    qbusiness = boto3.client("qbusiness")
    application_name = f"{INDEX}-{settings.get('application_id') or 'application'}"
    index_name = f"{INDEX}-{settings.get('index_id') or 'index'}"
    application = _id_of(
        qbusiness.list_applications()["applications"], "displayName", "applicationId", application_name
    )
    if application is None:
        application = qbusiness.create_application(displayName=application_name)["applicationId"]
    index = _id_of(qbusiness.list_indices(applicationId=application)["indices"], "displayName", "indexId", index_name)
    if index is None:
        index = qbusiness.create_index(applicationId=application, displayName=index_name)["indexId"]
    ids = {"applicationId": application, "indexId": index}
    declared = qbusiness.get_index(**ids).get("documentAttributeConfigurations", [])
    missing = set(settings.get("fields", {})) - {field["name"] for field in declared}
    if missing:
        fields = [{"name": field, "type": settings["fields"][field], "search": "ENABLED"} for field in sorted(missing)]
        qbusiness.update_index(**ids, documentAttributeConfigurations=fields)
    retrievers = qbusiness.list_retrievers(applicationId=application)["retrievers"]
    retriever = _id_of(retrievers, "displayName", "retrieverId", index_name)
    if retriever is None:
        retriever = qbusiness.create_retriever(
            applicationId=application,
            type="NATIVE_INDEX",
            displayName=index_name,
            configuration={"nativeIndexConfiguration": {"indexId": index}},
        )["retrieverId"]
    sources = [
        source
        for page in qbusiness.get_paginator("list_data_sources").paginate(**ids)
        for source in page["dataSources"]
    ]
    data_source = _id_of(sources, "displayName", "dataSourceId", name)
    if data_source is None:
        data_source = qbusiness.create_data_source(
            **ids, displayName=name, configuration={"type": "CUSTOM", "version": "1.0.0"}
        )["dataSourceId"]
    return {
        "application_id": application,
        "index_id": index,
        "data_source_id": data_source,
        "retriever_id": str(retriever),
    }


def _id_of(items: list[dict[str, Any]], name_key: str, id_key: str, name: str) -> str | None:
    return next((item[id_key] for item in items if item[name_key] == name), None)


PROVISION: dict[str, Callable[[str, dict[str, Any]], dict[str, str]]] = {"kendra": _kendra, "qbusiness": _qbusiness}
