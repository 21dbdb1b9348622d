"""A Q Business application with its index and retriever, and its data source."""

from typing import Any

import boto3

from docferry_emulators.clock import Clock
from docferry_laptop.indexes import INDEX, id_of, until_active


def provide(name: str, settings: dict[str, Any], clock: Clock) -> dict[str, str]:
    """Find or make the data source with this name, and its application, index and retriever. Return their ids."""
    qbusiness = boto3.client("qbusiness")
    application_name = f"{INDEX}-{settings.get('application_id') or 'application'}"
    index_name = f"{INDEX}-{settings.get('index_id') or 'index'}"
    application = id_of(qbusiness.list_applications()["applications"], "displayName", "applicationId", application_name)
    if application is None:
        application = qbusiness.create_application(displayName=application_name)["applicationId"]
    until_active(clock, qbusiness.get_application, "status", applicationId=application)
    index = id_of(qbusiness.list_indices(applicationId=application)["indices"], "displayName", "indexId", index_name)
    if index is None:
        index = qbusiness.create_index(applicationId=application, displayName=index_name)["indexId"]
    ids = {"applicationId": application, "indexId": index}
    declared = until_active(clock, qbusiness.get_index, "status", **ids).get("documentAttributeConfigurations", [])
    missing = set(settings.get("fields", {})) - {field["name"] for field in declared}
    if missing:
        fields = [{"name": field, "type": settings["fields"][field], "search": "ENABLED"} for field in sorted(missing)]
        qbusiness.update_index(**ids, documentAttributeConfigurations=fields)
    until_active(clock, qbusiness.get_index, "status", **ids)
    retrievers = qbusiness.list_retrievers(applicationId=application)["retrievers"]
    retriever = id_of(retrievers, "displayName", "retrieverId", index_name)
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
    data_source = id_of(sources, "displayName", "dataSourceId", name)
    if data_source is None:
        data_source = qbusiness.create_data_source(
            **ids, displayName=name, configuration={"type": "CUSTOM", "version": "1.0.0"}
        )["dataSourceId"]
    until_active(clock, qbusiness.get_data_source, "status", **ids, dataSourceId=data_source)
    return {
        "application_id": application,
        "index_id": index,
        "data_source_id": data_source,
        "retriever_id": str(retriever),
    }
