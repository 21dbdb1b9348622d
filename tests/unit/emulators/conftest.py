"""Either service, or both, for every test of the emulators."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import Any

import pytest

from docferry_emulators import Settings, emulated
from docferry_emulators.clock import VirtualClock
from tests.unit.emulators.bedrock_service import MANAGED, BedrockService
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
def start_bedrock() -> Iterator[Callable[..., BedrockService]]:
    """Start a knowledge base, with settings and with the kinds of knowledge base and data source that a test wants."""
    with ExitStack() as stack:

        def begin(*, base: dict[str, Any] = MANAGED, source: Any = None, **settings: Any) -> BedrockService:
            clock = VirtualClock()
            emulation = stack.enter_context(emulated(clock=clock, settings=Settings(**settings)))
            return BedrockService(emulation, clock, base=base, source=source)

        yield begin


@pytest.fixture
def bedrock(start_bedrock: Callable[..., BedrockService]) -> BedrockService:
    """A managed knowledge base whose data source has access control, with default settings."""
    return start_bedrock()


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
