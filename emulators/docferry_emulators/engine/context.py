"""What every part of the engine works with."""

from collections.abc import Callable

from msgspec import Struct

from docferry_emulators.clock import Clock
from docferry_emulators.engine.store import Store
from docferry_emulators.faults import Faults
from docferry_emulators.settings import Settings

ReadObject = Callable[[str, str, str], bytes | None]
"""(account, bucket, key) to the content of an object on S3, None when there is none."""


class Context(Struct, frozen=True):
    """The parts of the engine share these, and nothing else."""

    store: Store
    clock: Clock
    settings: Settings
    faults: Faults
    read_object: ReadObject
    ahead: float = 0.0
    """How far the state in the file is ahead of the clock: a virtual clock may have run ahead of the time."""

    def now(self) -> float:
        """Return the time in epoch seconds, in whole milliseconds as the services have it."""
        return round(self.clock.now().timestamp() + self.ahead, 3)
