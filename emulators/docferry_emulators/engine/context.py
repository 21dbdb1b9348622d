"""The objects that every part of the engine uses."""

from collections.abc import Callable

from msgspec import Struct

from docferry_emulators.clock import Clock
from docferry_emulators.engine.store import Store
from docferry_emulators.faults import Faults
from docferry_emulators.settings import Settings

ReadObject = Callable[[str, str, str], bytes | None]
"""Takes (account, bucket, key). Returns the content of that object on S3, or None when there is no such object."""


class Context(Struct, frozen=True):
    """The objects that the parts of the engine share. They share nothing else."""

    store: Store
    clock: Clock
    settings: Settings
    faults: Faults
    read_object: ReadObject
    ahead: float = 0.0
    """How many seconds the state in the file is ahead of the clock: a virtual clock may have run ahead of real time."""

    def now(self) -> float:
        """Return the time in epoch seconds, rounded to milliseconds as in the services."""
        return round(self.clock.now().timestamp() + self.ahead, 3)
