"""AWS::QBusiness::Application, Index, DataSource and Retriever."""

from typing import Any, Self

from moto.core.common_models import CloudFormationModel

from docferry_emulators.backend import Wire
from docferry_emulators.cloudformation import Emulated, perform, remove, until_active, wire
from docferry_emulators.qbusiness.responses import QBusinessResponse

FIELDS = "documentAttributeConfigurations"


class QBusinessApplication(Emulated, CloudFormationModel):  # type: ignore[misc]
    """An application."""

    @staticmethod
    def cloudformation_type() -> str:
        """The type in a template."""
        return "AWS::QBusiness::Application"

    @classmethod
    def create_from_cloudformation_json(
        cls, resource_name: str, cloudformation_json: Wire, account_id: str, region_name: str, **_: Any
    ) -> Self:
        """Make the application."""
        here, wanted = (QBusinessResponse, account_id, region_name), wire(cloudformation_json["Properties"])
        made = perform(*here, "create_application", **{**wanted, "clientToken": resource_name, "tags": []})
        application = made["applicationId"]
        until_active(*here, "get_application", {"applicationId": application})
        return cls(application, {"ApplicationId": application, "ApplicationArn": made["applicationArn"]})

    def delete(self, account_id: str, region_name: str) -> None:
        """Delete the application and everything in it."""
        here = (QBusinessResponse, account_id, region_name)
        remove(*here, "delete_application", applicationId=self.physical_resource_id)


class QBusinessIndex(Emulated, CloudFormationModel):  # type: ignore[misc]
    """An index with its fields."""

    @staticmethod
    def cloudformation_type() -> str:
        """The type in a template."""
        return "AWS::QBusiness::Index"

    @classmethod
    def create_from_cloudformation_json(
        cls, resource_name: str, cloudformation_json: Wire, account_id: str, region_name: str, **_: Any
    ) -> Self:
        """Make the index, then declare its fields: CreateIndex does not take them."""
        here, wanted = (QBusinessResponse, account_id, region_name), wire(cloudformation_json["Properties"])
        fields = wanted.pop(FIELDS, [])
        made = perform(*here, "create_index", **{**wanted, "clientToken": resource_name, "tags": []})
        ids = {"applicationId": wanted["applicationId"], "indexId": made["indexId"]}
        until_active(*here, "get_index", ids)
        cls._declare(here, ids, fields)
        return cls("|".join(ids.values()), {"IndexId": made["indexId"], "IndexArn": made["indexArn"]})

    @classmethod
    def update_from_cloudformation_json(
        cls, original_resource: Any, cloudformation_json: Wire, account_id: str, region_name: str, **_: Any
    ) -> Any:
        """Declare new fields."""
        here, wanted = (QBusinessResponse, account_id, region_name), wire(cloudformation_json["Properties"])
        cls._declare(here, original_resource.ids(), wanted.get(FIELDS, []))
        return original_resource

    def ids(self) -> dict[str, str]:
        """The ids of the application and of the index."""
        application, index = self.physical_resource_id.split("|")
        return {"applicationId": application, "indexId": index}

    def delete(self, account_id: str, region_name: str) -> None:
        """Delete the index and everything in it."""
        remove(QBusinessResponse, account_id, region_name, "delete_index", **self.ids())

    @staticmethod
    def _declare(here: tuple[type[QBusinessResponse], str, str], ids: dict[str, str], fields: list[Wire]) -> None:
        if fields:
            changes: Wire = {**ids, FIELDS: fields}
            perform(*here, "update_index", **changes)
            until_active(*here, "get_index", ids)


class QBusinessDataSource(Emulated, CloudFormationModel):  # type: ignore[misc]
    """A custom data source."""

    @staticmethod
    def cloudformation_type() -> str:
        """The type in a template."""
        return "AWS::QBusiness::DataSource"

    @classmethod
    def create_from_cloudformation_json(
        cls, resource_name: str, cloudformation_json: Wire, account_id: str, region_name: str, **_: Any
    ) -> Self:
        """Make the data source. The names inside its configuration stay as they are."""
        here, properties = (QBusinessResponse, account_id, region_name), cloudformation_json["Properties"]
        wanted: Wire = wire(properties) | {"configuration": properties["Configuration"]}
        made = perform(*here, "create_data_source", **{**wanted, "clientToken": resource_name, "tags": []})
        ids: dict[str, str] = {name: wanted[name] for name in ("applicationId", "indexId")}
        ids["dataSourceId"] = made["dataSourceId"]
        until_active(*here, "get_data_source", ids)
        attributes = {"DataSourceId": made["dataSourceId"], "DataSourceArn": made["dataSourceArn"]}
        return cls("|".join(ids.values()), attributes)

    def delete(self, account_id: str, region_name: str) -> None:
        """Delete the data source and its documents."""
        application, index, made = self.physical_resource_id.split("|")
        ids = {"applicationId": application, "indexId": index, "dataSourceId": made}
        remove(QBusinessResponse, account_id, region_name, "delete_data_source", **ids)


class QBusinessRetriever(Emulated, CloudFormationModel):  # type: ignore[misc]
    """A retriever."""

    @staticmethod
    def cloudformation_type() -> str:
        """The type in a template."""
        return "AWS::QBusiness::Retriever"

    @classmethod
    def create_from_cloudformation_json(
        cls, resource_name: str, cloudformation_json: Wire, account_id: str, region_name: str, **_: Any
    ) -> Self:
        """Make the retriever."""
        here, wanted = (QBusinessResponse, account_id, region_name), wire(cloudformation_json["Properties"])
        made = perform(*here, "create_retriever", **{**wanted, "clientToken": resource_name, "tags": []})
        ids = {"applicationId": wanted["applicationId"], "retrieverId": made["retrieverId"]}
        until_active(*here, "get_retriever", ids)
        attributes = {"RetrieverId": made["retrieverId"], "RetrieverArn": made["retrieverArn"]}
        return cls("|".join(ids.values()), attributes)

    def delete(self, account_id: str, region_name: str) -> None:
        """Delete the retriever."""
        application, made = self.physical_resource_id.split("|")
        ids = {"applicationId": application, "retrieverId": made}
        remove(QBusinessResponse, account_id, region_name, "delete_retriever", **ids)
