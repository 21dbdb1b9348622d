"""boto3, with nothing but the environment."""

from collections.abc import Callable
from typing import Any

import boto3
import pytest
from botocore import xform_name

from tests.clients import full_sync


@pytest.mark.parametrize("service", ["kendra", "qbusiness"])
def test_a_full_sync(
    service: str, environment: dict[str, str], wait: Callable[[], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Both jobs succeed, and search shows what they did."""
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    make: Any = boto3.session.Session().client  # its stubs know each service by a literal
    client = make(service)

    def call(operation: str, **request: Any) -> dict[str, Any]:
        reply: dict[str, Any] = getattr(client, xform_name(operation))(**request)
        return reply

    getattr(full_sync, service)(call, wait)
