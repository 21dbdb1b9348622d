"""Does something again and again in a thread."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager


@contextmanager
def repeated(work: Callable[[], object], name: str, every: float) -> Iterator[None]:
    """Do the work in a thread with this name, each ``every`` seconds, until the block ends."""
    over = threading.Event()

    def again() -> None:
        while not over.wait(every):
            work()

    thread = threading.Thread(target=again, name=name, daemon=True)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()
