"""Starts the emulators: for a server, or in this process."""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

from moto import mock_aws

from docferry_emulators import emulation as running
from docferry_emulators.clock import Clock, WallClock
from docferry_emulators.emulation import Emulation
from docferry_emulators.engine import Engine
from docferry_emulators.faults import Faults
from docferry_emulators.registration import register
from docferry_emulators.s3_objects import read_object
from docferry_emulators.settings import DEFAULTS, Settings


@contextmanager
def opened(
    *, clock: Clock | None = None, database: Path | None = None, settings: Settings = DEFAULTS
) -> Iterator[Emulation]:
    """Open the emulators for a server: register them with moto, but do not start moto.

    ``database`` is the SQLite file that keeps their state; None keeps it in memory. ``clock`` decides when asynchronous
    work is done; None takes the machine's clock.
    """
    register()
    clock = clock or WallClock()
    faults = Faults(clock.now)
    engine = Engine(clock=clock, settings=settings, faults=faults, database=database, read_object=read_object)
    emulation = Emulation(clock, settings, faults, engine)
    running.enter(emulation)
    try:
        yield emulation
    finally:
        running.leave(emulation)
        engine.close()


@contextmanager
def emulated(
    *,
    clock: Clock | None = None,
    database: Path | None = None,
    settings: Settings = DEFAULTS,
    moto_config: dict[str, Any] | None = None,
) -> Iterator[Emulation]:
    """Emulate Kendra, Q Business, Bedrock Knowledge Bases and all of moto in this process.

    ``opened`` has the other arguments. ``moto_config`` is passed to ``mock_aws``. State in memory is lost at the end of
    the block.
    """
    with ExitStack() as stack:
        emulation = stack.enter_context(opened(clock=clock, database=database, settings=settings))
        stack.enter_context(mock_aws(config=moto_config))
        yield emulation
