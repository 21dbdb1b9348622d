"""Invocations whose time is over soon: what Crawl and Commit do is done in many of them, each from a checkpoint."""

from collections.abc import Iterator
from contextlib import contextmanager
from unittest.mock import patch

from docferry_laptop.moto.lambda_runtime import LambdaContext

STEPS = {"crawl": 3, "commit": 0}
"""How often each function is told, in one invocation, that there is time. It asks up to twice before its first step."""


class Pieces:
    """Whether invocations are short, from now on."""

    def __init__(self) -> None:
        self.short = False

    @contextmanager
    def installed(self) -> Iterator[None]:
        """Let functions ask these instead of the clock."""
        real = LambdaContext.get_remaining_time_in_millis
        asked: dict[str, int] = {}

        def remaining(context: LambdaContext) -> int:
            steps = next((steps for name, steps in STEPS.items() if context.function_name.endswith(f"-{name}")), None)
            if not self.short or steps is None:
                return real(context)
            asked[context.aws_request_id] = asked.get(context.aws_request_id, 0) + 1
            return real(context) if asked[context.aws_request_id] <= steps else 0

        with patch.object(LambdaContext, "get_remaining_time_in_millis", remaining):
            yield
