"""Tells of every state that the interpreter enters, those of the children of a Map among them.

The history of an execution does not have its children, and moto keeps none of theirs.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any
from unittest.mock import patch

from moto.stepfunctions.parser.asl.component.state.state import CommonStateField


@contextmanager
def telling_states(entered: Callable[[str], None]) -> Iterator[None]:
    """Call ``entered`` with the name of each state, in the thread that runs it."""
    real: Callable[[Any, Any], None] = CommonStateField._eval_body  # noqa: SLF001  # nothing public sees every state

    def enter(state: Any, env: Any) -> None:
        entered(state.name)
        real(state, env)

    with patch.object(CommonStateField, "_eval_body", enter):
        yield
