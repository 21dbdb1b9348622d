"""The base class of every group of Q Business operations."""

from docferry_emulators.backend import backend_of
from docferry_emulators.qbusiness.models import QBusinessBackend, qbusiness_backends
from docferry_emulators.wire.rest_json import RestJsonResponse


class QBusinessOperations(RestJsonResponse):
    """A request to Q Business."""

    service = "qbusiness"

    @property
    def backend(self) -> QBusinessBackend:
        """The backend of Q Business in the account and region of the request."""
        backend: QBusinessBackend = backend_of(qbusiness_backends, self.current_account, self.region)
        return backend
