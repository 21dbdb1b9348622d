"""The running emulation, where the backends find it when moto hands them a request."""

from msgspec import Struct

from docferry_emulators.clock import Clock
from docferry_emulators.engine import Engine
from docferry_emulators.faults import Faults
from docferry_emulators.settings import Settings


class Emulation(Struct, frozen=True):
    """One emulation: the parts that a test or a person can control."""

    clock: Clock
    settings: Settings
    faults: Faults
    engine: Engine


# One list per process, because moto's backends are per process too. The emulation that was entered last answers.
# Not a ContextVar: a server answers in threads that did not inherit it.
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
        raise RuntimeError("The services are emulated only inside `with docferry_emulators.emulated():`")
    return _running[-1]
