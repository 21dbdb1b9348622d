"""Either service, or both, for every test of the emulators."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import Any

import pytest

from docferry_emulators import Settings, emulated
from docferry_emulators.clock import VirtualClock
from tests.unit.emulators.emulated_services import SERVICES, KendraService, QBusinessService, Service
from tests.unit.emulators.model_requests import COUNTED

Start = Callable[..., Any]


@pytest.fixture
def start() -> Iterator[Start]:
    """Start a service by name, with settings."""
    with ExitStack() as stack:

        def begin(name: str, **settings: Any) -> Service:
            clock = VirtualClock()
            emulation = stack.enter_context(emulated(clock=clock, settings=Settings(**settings)))
            return SERVICES[name](emulation, clock)

        yield begin


@pytest.fixture(params=sorted(SERVICES))
def service(request: pytest.FixtureRequest, start: Start) -> Service:
    """Either service, with default settings."""
    begun: Service = start(request.param)
    return begun


@pytest.fixture
def kendra(start: Start) -> KendraService:
    """Kendra, with default settings."""
    begun: KendraService = start("kendra")
    return begun


@pytest.fixture
def qbusiness(start: Start) -> QBusinessService:
    """Q Business, with default settings."""
    begun: QBusinessService = start("qbusiness")
    return begun


def pytest_terminal_summary(terminalreporter: Any) -> None:
    """Say how much of the models the conformance test covered."""
    if COUNTED:
        covered = ", ".join(f"{count} {what}" for what, count in sorted(COUNTED.items()))
        terminalreporter.write_line(f"emulator conformance: {covered}")
