"""Lets the workflow wait on a clock of ours. Otherwise moto's interpreter and tenacity would really sleep."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from unittest.mock import patch

import tenacity.nap
from moto.stepfunctions.parser.asl.component.common.retry import retrier_decl
from moto.stepfunctions.parser.asl.component.state.wait.wait_function.wait_function import WaitFunction

from docferry_emulators.clock import Clock


class _Time:
    """Stands in for the ``time`` module where only its ``sleep`` is used."""

    def __init__(self, clock: Clock) -> None:
        self.sleep = clock.sleep


@contextmanager
def waiting_on(clock: Clock) -> Iterator[None]:
    """Let Wait states, Retry intervals and the backoff of service calls pass on ``clock``."""

    def wait(_: WaitFunction, env: Any, wait_seconds: int) -> None:
        if env.is_running():
            clock.sleep(wait_seconds)

    with (
        patch.object(WaitFunction, "_wait_interval", wait),
        patch.object(retrier_decl, "time", _Time(clock)),
        patch.object(tenacity.nap, "time", _Time(clock)),
    ):
        yield
