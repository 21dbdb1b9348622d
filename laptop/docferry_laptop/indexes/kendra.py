"""A Kendra index, and its data source."""

from typing import Any

import boto3

from docferry.indexes import service
from docferry_emulators.clock import Clock
from docferry_laptop.indexes import INDEX, ROLE, id_of, until_active

# Units of storage: an emulated index may hold as much as the laptop can.
UNITS = 1_000


def provide(name: str, settings: dict[str, Any], clock: Clock) -> dict[str, str]:
    """Find or make the data source with this name, and its index. Return their ids."""
    kendra = boto3.client("kendra")
    index_name = f"{INDEX}-{settings.get('index_id') or 'index'}"
    index_id = id_of(kendra.list_indices()["IndexConfigurationSummaryItems"], "Name", "Id", index_name)
    if index_id is None:
        index_id = kendra.create_index(Name=index_name, RoleArn=ROLE)["Id"]
        until_active(clock, kendra.describe_index, "Status", Id=index_id)
        kendra.update_index(Id=index_id, CapacityUnits={"StorageCapacityUnits": UNITS, "QueryCapacityUnits": 0})
    declared = until_active(clock, kendra.describe_index, "Status", Id=index_id)["DocumentMetadataConfigurations"]
    missing = set(settings.get("fields", {})) - {field["Name"] for field in declared}
    if missing:
        kendra.update_index(
            Id=index_id,
            DocumentMetadataConfigurationUpdates=[
                {
                    "Name": field,
                    "Type": service("kendra").field_types[settings["fields"][field]],
                    "Search": {"Displayable": True},
                }
                for field in sorted(missing)
            ],
        )
    until_active(clock, kendra.describe_index, "Status", Id=index_id)
    sources = kendra.list_data_sources(IndexId=index_id, MaxResults=100)["SummaryItems"]
    data_source_id = id_of(sources, "Name", "Id", name)
    if data_source_id is None:
        data_source_id = kendra.create_data_source(IndexId=index_id, Name=name, Type="CUSTOM")["Id"]
    until_active(clock, kendra.describe_data_source, "Status", IndexId=index_id, Id=data_source_id)
    return {"index_id": index_id, "data_source_id": str(data_source_id)}
