"""Does something again and again in a thread."""

import logging
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

log = logging.getLogger(__name__)


@contextmanager
def repeated(work: Callable[[], object], name: str, every: float) -> Iterator[None]:
    """Do the work in a thread with this name, each ``every`` seconds, until the block ends.

    What goes wrong is logged, and does not keep it from the next time.
    """
    over = threading.Event()

    def again() -> None:
        while not over.wait(every):
            try:
                work()
            except Exception:
                log.exception("%s: this time it failed", name)

    thread = threading.Thread(target=again, name=name, daemon=True)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()
