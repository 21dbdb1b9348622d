"""What is done again and again."""

import logging
import threading

import pytest

from docferry_laptop.repeating import repeated


def test_what_fails_once_is_done_again(caplog: pytest.LogCaptureFixture) -> None:
    """A queue that is gone must not end the delivery to all others, while the server looks healthy."""
    done, times = threading.Event(), []

    def work() -> None:
        times.append(1)
        if len(times) == 1:
            raise RuntimeError("the queue is gone")
        done.set()

    with caplog.at_level(logging.ERROR), repeated(work, "queues", every=0.001):
        assert done.wait(60)

    assert "queues: this time it failed" in caplog.text
