"""AWS::Kendra::Index and AWS::Kendra::DataSource."""

from typing import Any, Self

from moto.core.common_models import CloudFormationModel

from docferry_emulators.backend import Wire
from docferry_emulators.cloudformation import Emulated, given, perform, remove, until_active
from docferry_emulators.kendra.models import kendra_backends
from docferry_emulators.kendra.responses import KendraResponse


class KendraIndex(Emulated, CloudFormationModel):  # type: ignore[misc]
    """An index with its fields."""

    @staticmethod
    def cloudformation_type() -> str:
        """The type in a template."""
        return "AWS::Kendra::Index"

    @classmethod
    def create_from_cloudformation_json(
        cls, resource_name: str, cloudformation_json: Wire, account_id: str, region_name: str, **_: Any
    ) -> Self:
        """Make the index, then declare its fields: CreateIndex does not take them."""
        here, properties = (KendraResponse, account_id, region_name), cloudformation_json["Properties"]
        wanted = given(properties, "Name", "Edition", "RoleArn", "Description")
        index = perform(*here, "create_index", ClientToken=resource_name, **wanted)["Id"]
        until_active(*here, "describe_index", {"Id": index})
        cls._configure(here, index, properties)
        return cls(index, {"Id": index, "Arn": kendra_backends[account_id][region_name].index_arn(index)})

    @classmethod
    def update_from_cloudformation_json(
        cls, original_resource: Any, cloudformation_json: Wire, account_id: str, region_name: str, **_: Any
    ) -> Any:
        """Declare new fields, and change the capacity."""
        here = (KendraResponse, account_id, region_name)
        cls._configure(here, original_resource.physical_resource_id, cloudformation_json["Properties"])
        return original_resource

    def delete(self, account_id: str, region_name: str) -> None:
        """Delete the index and everything in it."""
        remove(KendraResponse, account_id, region_name, "delete_index", Id=self.physical_resource_id)

    @staticmethod
    def _configure(here: tuple[type[KendraResponse], str, str], index: str, properties: Wire) -> None:
        changes = given(properties, "CapacityUnits")
        if fields := properties.get("DocumentMetadataConfigurations"):
            changes["DocumentMetadataConfigurationUpdates"] = fields
        if changes:
            perform(*here, "update_index", Id=index, **changes)
            until_active(*here, "describe_index", {"Id": index})


class KendraDataSource(Emulated, CloudFormationModel):  # type: ignore[misc]
    """A data source of type CUSTOM."""

    @staticmethod
    def cloudformation_type() -> str:
        """The type in a template."""
        return "AWS::Kendra::DataSource"

    @classmethod
    def create_from_cloudformation_json(
        cls, resource_name: str, cloudformation_json: Wire, account_id: str, region_name: str, **_: Any
    ) -> Self:
        """Make the data source."""
        here, properties = (KendraResponse, account_id, region_name), cloudformation_json["Properties"]
        index = properties["IndexId"]
        wanted = given(properties, "Name", "Type", "Description", "IndexId", "Configuration", "RoleArn", "Schedule")
        made = perform(*here, "create_data_source", ClientToken=resource_name, **wanted)["Id"]
        until_active(*here, "describe_data_source", {"IndexId": index, "Id": made})
        arn = kendra_backends[account_id][region_name].index_arn(index)
        return cls(f"{made}|{index}", {"Id": made, "Arn": f"{arn}/data-source/{made}"})

    def delete(self, account_id: str, region_name: str) -> None:
        """Delete the data source and its documents."""
        made, index = self.physical_resource_id.split("|")
        remove(KendraResponse, account_id, region_name, "delete_data_source", IndexId=index, Id=made)
