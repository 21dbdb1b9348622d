"""Fixtures to test programs that call Kendra, Q Business or Bedrock Knowledge Bases.

Pytest finds them wherever docferry is installed.

``docferry_emulation`` runs the emulators in the process of the test, ``docferry_emulator`` on a loopback port. To
change how they behave, override ``docferry_settings`` in a test, a module or a conftest.py.
"""

from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from docferry_emulators import Emulation, Settings
    from docferry_emulators.clock import VirtualClock

CREDENTIALS = {
    "AWS_ACCESS_KEY_ID": "testing",
    "AWS_SECRET_ACCESS_KEY": "testing",
    "AWS_DEFAULT_REGION": "us-east-1",
    "AWS_REGION": "us-east-1",
}


@pytest.fixture
def docferry_settings() -> "Settings":
    """How the emulators behave where the services are not documented. By default, in the safe way."""
    from docferry_emulators import Settings  # noqa: PLC0415  # moto takes a second: only for tests that use it

    return Settings()


@pytest.fixture
def docferry_clock() -> "VirtualClock":
    """The clock of the emulators. It stands still until the test calls ``sleep``."""
    from docferry_emulators.clock import VirtualClock  # noqa: PLC0415  # as above

    return VirtualClock()


@pytest.fixture
def docferry_emulation(docferry_settings: "Settings", docferry_clock: "VirtualClock") -> "Iterator[Emulation]":
    """Kendra, Q Business, Bedrock Knowledge Bases and all of moto for the boto3 clients of this process."""
    from docferry_emulators import emulated  # noqa: PLC0415  # as above

    with emulated(clock=docferry_clock, settings=docferry_settings) as emulation:
        yield emulation


@pytest.fixture
def docferry_emulator(
    docferry_settings: "Settings", docferry_clock: "VirtualClock", monkeypatch: pytest.MonkeyPatch
) -> Iterator[str]:
    """The URL of a server for any program. The environment has it as ``AWS_ENDPOINT_URL``, with credentials for it.

    Each test begins with empty services, moto's too: what another fixture has made in this process before is gone.
    """
    from urllib.request import Request, urlopen  # noqa: PLC0415  # as above

    from docferry_emulators.server.application import serving  # noqa: PLC0415  # as above

    with serving(clock=docferry_clock, settings=docferry_settings) as (url, _):
        # moto's other services are those of the process: they have what the test before has made.
        urlopen(Request(f"{url}/moto-api/reset", method="POST")).close()  # noqa: S310  # of this loopback port
        monkeypatch.delenv("AWS_SESSION_TOKEN", raising=False)
        for name, value in {**CREDENTIALS, "AWS_ENDPOINT_URL": url}.items():
            monkeypatch.setenv(name, value)
        yield url
