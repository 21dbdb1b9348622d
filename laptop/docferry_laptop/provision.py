"""Emulated indexes and data sources for connectors: what a person has made in the console already."""

from collections.abc import Callable
from typing import Any

import boto3
from msgspec import structs

from docferry.connector import Connector, Part
from docferry_emulators.clock import Clock

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


def provision(connector: Connector, clock: Clock) -> Connector:
    """Find or make the index and the data source of a connector; return it with their ids.

    Connectors that name the same index share an emulated one; so do those that name none.
    """
    part = connector.index
    ids = PROVISION[part.kind](connector.name, part.settings, clock)
    # The emulated index takes the place of the one that is named, so its ids take the place of those.
    return structs.replace(connector, index=Part(part.kind, {**part.settings, **ids, "role_arn": ROLE}))


def _kendra(name: str, settings: dict[str, Any], clock: Clock) -> dict[str, str]:
    kendra = boto3.client("kendra")
    index_name = f"{INDEX}-{settings.get('index_id') or 'index'}"
    index_id = _id_of(kendra.list_indices()["IndexConfigurationSummaryItems"], "Name", "Id", index_name)
    if index_id is None:
        index_id = kendra.create_index(Name=index_name, RoleArn=ROLE)["Id"]
        _until_active(clock, kendra.describe_index, "Status", Id=index_id)
        kendra.update_index(Id=index_id, CapacityUnits={"StorageCapacityUnits": UNITS, "QueryCapacityUnits": 0})
    declared = _until_active(clock, kendra.describe_index, "Status", Id=index_id)["DocumentMetadataConfigurations"]
    missing = set(settings.get("fields", {})) - {field["Name"] for field in declared}
    if missing:
        kendra.update_index(
            Id=index_id,
            DocumentMetadataConfigurationUpdates=[
                {"Name": field, "Type": KENDRA_TYPES[settings["fields"][field]], "Search": {"Displayable": True}}
                for field in sorted(missing)
            ],
        )
    _until_active(clock, kendra.describe_index, "Status", Id=index_id)
    sources = kendra.list_data_sources(IndexId=index_id, MaxResults=100)["SummaryItems"]
    data_source_id = _id_of(sources, "Name", "Id", name)
    if data_source_id is None:
        data_source_id = kendra.create_data_source(IndexId=index_id, Name=name, Type="CUSTOM")["Id"]
    _until_active(clock, kendra.describe_data_source, "Status", IndexId=index_id, Id=data_source_id)
    return {"index_id": index_id, "data_source_id": str(data_source_id)}


def _qbusiness(name: str, settings: dict[str, Any], clock: Clock) -> dict[str, str]:
    qbusiness = boto3.client("qbusiness")
    application_name = f"{INDEX}-{settings.get('application_id') or 'application'}"
    index_name = f"{INDEX}-{settings.get('index_id') or 'index'}"
    application = _id_of(
        qbusiness.list_applications()["applications"], "displayName", "applicationId", application_name
    )
    if application is None:
        application = qbusiness.create_application(displayName=application_name)["applicationId"]
    _until_active(clock, qbusiness.get_application, "status", applicationId=application)
    index = _id_of(qbusiness.list_indices(applicationId=application)["indices"], "displayName", "indexId", index_name)
    if index is None:
        index = qbusiness.create_index(applicationId=application, displayName=index_name)["indexId"]
    ids = {"applicationId": application, "indexId": index}
    declared = _until_active(clock, qbusiness.get_index, "status", **ids).get("documentAttributeConfigurations", [])
    missing = set(settings.get("fields", {})) - {field["name"] for field in declared}
    if missing:
        fields = [{"name": field, "type": settings["fields"][field], "search": "ENABLED"} for field in sorted(missing)]
        qbusiness.update_index(**ids, documentAttributeConfigurations=fields)
    _until_active(clock, qbusiness.get_index, "status", **ids)
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
    _until_active(clock, qbusiness.get_data_source, "status", **ids, dataSourceId=data_source)
    return {
        "application_id": application,
        "index_id": index,
        "data_source_id": data_source,
        "retriever_id": str(retriever),
    }


def _until_active(clock: Clock, describe: Callable[..., dict[str, Any]], status: str, **ids: Any) -> dict[str, Any]:
    while (described := describe(**ids))[status] != "ACTIVE":
        clock.sleep(1)
    return described


def _id_of(items: list[dict[str, Any]], name_key: str, id_key: str, name: str) -> str | None:
    return next((item[id_key] for item in items if item[name_key] == name), None)


PROVISION: dict[str, Callable[[str, dict[str, Any], Clock], dict[str, str]]] = {
    "kendra": _kendra,
    "qbusiness": _qbusiness,
}
