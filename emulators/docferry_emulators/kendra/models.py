"""Kendra's part of the state: its indexes and data sources in the engine."""

from moto.core.base_backend import BackendDict

from docferry_emulators.backend import EngineBackend, regions, standing
from docferry_emulators.engine.puts import Rejection, Rules
from docferry_emulators.engine.resources import Resource


class KendraBackend(EngineBackend):
    """Kendra in one account and region."""

    service = "kendra"

    def index(self, index_id: str) -> Resource:
        """Return an index. Raises ResourceMissing."""
        return self.engine.resources.get(self.scope, "index", index_id)

    def active_index(self, index_id: str) -> Resource:
        """Return an index that is ACTIVE. Raises ResourceMissing or Conflicting."""
        return self.engine.resources.active(self.scope, "index", index_id)

    def open_index(self, index_id: str) -> Resource:
        """Return an index that takes documents. Raises ResourceMissing or Conflicting."""
        lenient = self.settings.put_to_inactive_index == "accept"
        return self.index(index_id) if lenient else self.active_index(index_id)

    def standing_index(self, index_id: str) -> Resource:
        """Return an index that is ACTIVE or UPDATING. Raises ResourceMissing or Conflicting."""
        return standing(self.index(index_id))

    def data_source(self, index_id: str, data_source_id: str) -> Resource:
        """Return a data source of an index. Raises ResourceMissing."""
        self.index(index_id)
        return self.engine.resources.get(self.scope, "data_source", data_source_id, parent=index_id)

    def index_arn(self, index_id: str) -> str:
        """Return the ARN of an index."""
        return self.arn(f"index/{index_id}")

    def rules(self, index: Resource) -> Rules:
        """Return the limits of an index, by its edition and units."""
        settings, edition = self.settings, index.body["Edition"]
        units = 1 + index.body.get("CapacityUnits", {}).get("StorageCapacityUnits", 0)
        unknown = Rejection("", "InvalidRequest", "Document can't be deleted because it doesn't exist.")
        return Rules(
            document_bytes=settings.kendra_document_bytes,
            request_bytes=settings.kendra_request_bytes,
            unknown_delete=unknown if settings.kendra_delete_unknown == "reject" else None,
            documents=_times(settings.kendra_documents.get(edition), units),
            principals=settings.principals,
            text_bytes=settings.text_bytes,
            text=_times(settings.kendra_text_bytes.get(edition), units),
        )


def _times(per_unit: int | None, units: int) -> int | None:
    return None if per_unit is None else per_unit * units


kendra_backends = BackendDict(KendraBackend, "kendra", use_boto3_regions=False, additional_regions=regions())
