"""What every group of operations of Kendra starts from."""

from local.emulator.backend import backend_of
from local.emulator.kendra.models import KendraBackend, kendra_backends
from local.emulator.wire import ServiceResponse


class KendraOperations(ServiceResponse):
    """A request to Kendra."""

    service = "kendra"
    content_type = "application/x-amz-json-1.1"

    @property
    def backend(self) -> KendraBackend:
        """Kendra in the account and region of the request."""
        backend: KendraBackend = backend_of(kendra_backends, self.current_account, self.region)
        return backend
