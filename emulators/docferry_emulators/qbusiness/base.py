"""The base class of every group of Q Business operations."""

from docferry_emulators.backend import backend_of
from docferry_emulators.qbusiness.models import QBusinessBackend, qbusiness_backends
from docferry_emulators.wire.protocol import ServiceResponse


class QBusinessOperations(ServiceResponse):
    """A request to Q Business."""

    service = "qbusiness"
    content_type = "application/json"

    @property
    def backend(self) -> QBusinessBackend:
        """The backend of Q Business in the account and region of the request."""
        backend: QBusinessBackend = backend_of(qbusiness_backends, self.current_account, self.region)
        return backend
