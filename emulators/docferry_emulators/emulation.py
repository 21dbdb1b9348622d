"""The running emulation: what the backends find when moto hands them a request."""

from msgspec import Struct

from docferry_emulators.clock import Clock
from docferry_emulators.engine import Engine
from docferry_emulators.faults import Faults
from docferry_emulators.settings import Settings


class Emulation(Struct, frozen=True):
    """One emulation, and the handles a test or a person turns."""

    clock: Clock
    settings: Settings
    faults: Faults
    engine: Engine


# moto's backends are per process, so is this; the last one entered answers. No ContextVar: a server answers from
# threads that did not inherit one.
_running: list[Emulation] = []


def enter(emulation: Emulation) -> None:
    """Let an emulation answer from now on."""
    _running.append(emulation)


def leave(emulation: Emulation) -> None:
    """Let the emulation before it answer again."""
    _running.remove(emulation)


def current() -> Emulation:
    """Return the emulation that answers. Raises RuntimeError when none is entered."""
    if not _running:
        raise RuntimeError("Kendra and Q Business are emulated only inside `with docferry_emulators.emulated():`")
    return _running[-1]
