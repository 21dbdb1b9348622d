"""The base class of every group of Kendra operations."""

from docferry_emulators.backend import backend_of
from docferry_emulators.kendra.models import KendraBackend, kendra_backends
from docferry_emulators.wire.protocol import ServiceResponse


class KendraOperations(ServiceResponse):
    """A request to Kendra."""

    service = "kendra"
    content_type = "application/x-amz-json-1.1"

    @property
    def backend(self) -> KendraBackend:
        """Kendra's backend in the account and region of the request."""
        backend: KendraBackend = backend_of(kendra_backends, self.current_account, self.region)
        return backend
