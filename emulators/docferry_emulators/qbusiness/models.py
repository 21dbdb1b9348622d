"""The part of Q Business in the state: its applications, indexes and data sources in the engine."""

from moto.core.base_backend import BackendDict

from docferry_emulators.backend import EngineBackend, Wire, regions
from docferry_emulators.engine.puts import Rejection, Rules
from docferry_emulators.engine.resources import Resource


class QBusinessBackend(EngineBackend):
    """Q Business in one account and region."""

    service = "qbusiness"

    def application(self, request: Wire) -> Resource:
        """Return the application that a request names. Raises ResourceMissing."""
        return self.engine.resources.get(self.scope, "application", request["applicationId"])

    def index(self, request: Wire) -> Resource:
        """Return the index that a request names. Raises ResourceMissing."""
        self.application(request)
        return self.engine.resources.get(self.scope, "index", request["indexId"], parent=request["applicationId"])

    def active_index(self, request: Wire) -> Resource:
        """Return an index that is ACTIVE. Raises ResourceMissing or Conflicting."""
        self.application(request)
        return self.engine.resources.active(self.scope, "index", request["indexId"], parent=request["applicationId"])

    def open_index(self, request: Wire) -> Resource:
        """Return an index that takes documents. Raises ResourceMissing or Conflicting."""
        lenient = self.settings.put_to_inactive_index == "accept"
        return self.index(request) if lenient else self.active_index(request)

    def data_source(self, request: Wire) -> Resource:
        """Return the data source that a request names. Raises ResourceMissing."""
        index = self.index(request)
        return self.engine.resources.get(self.scope, "data_source", request["dataSourceId"], parent=index.id)

    def arn_of(self, *ids: str) -> str:
        """Return the ARN of an application, of an index in it, or of a data source in that index."""
        kinds = ("application", "index", "data-source")
        return self.arn("/".join(f"{kind}/{name}" for kind, name in zip(kinds, ids, strict=False)))

    def rules(self, index: Resource) -> Rules:
        """Return the limits of an index."""
        settings = self.settings
        unknown = Rejection("", "ResourceNotFound", "Document can't be deleted because it doesn't exist.")
        units = index.body.get("capacityConfiguration", {}).get("units", 1)
        return Rules(
            document_bytes=settings.qbusiness_document_bytes,
            request_bytes=settings.qbusiness_request_bytes,
            unknown_delete=unknown if settings.qbusiness_delete_unknown == "reject" else None,
            documents=None if settings.qbusiness_documents is None else settings.qbusiness_documents * units,
            attributes=settings.qbusiness_attributes,
            principals=settings.principals,
            text_bytes=settings.text_bytes,
        )


qbusiness_backends = BackendDict(QBusinessBackend, "qbusiness", use_boto3_regions=False, additional_regions=regions())
