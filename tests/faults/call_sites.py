"""Call sites: where the code changes something, found in its text, and where it did in a run, noted by a tracer."""

import ast
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any
from unittest.mock import patch

from docferry.indexes import Index
from docferry.runtime.assets import PACKAGE as ROOT
from docferry.state.store import Store

STORE = (
    "write",
    "create",
    "replace",
    "swap",
    "delete",
    "delete_prefix",
    "put_content",
    "writing",
    "rewriting",
    "part_writer",
)
INDEX = ("start", "stop", "put", "delete", "set_group", "remove_group")

Site = tuple[str, int]
"""A file of docferry, and a line in it."""


def written() -> Iterator[tuple[str, range, str]]:
    """Every call of a method that changes the bucket or the index: file, lines, and the call as it is written."""
    for file in sorted(ROOT.rglob("*.py")):
        for node in ast.walk(ast.parse(file.read_text("utf-8"))):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and changes(node.func):
                lines = range(node.lineno, (node.end_lineno or node.lineno) + 1)
                yield file.relative_to(ROOT).as_posix(), lines, ast.unparse(node)


def changes(called: ast.Attribute) -> bool:
    """Whether this is a method of a store or of an index, going by the receiver's name, that changes something."""
    receiver = ast.unparse(called.value).rpartition(".")[2].lstrip("_")
    return (receiver == "store" and called.attr in STORE) or (receiver == "index" and called.attr in INDEX)


@contextmanager
def traced(index: type[Index], seen: set[Site]) -> Iterator[None]:
    """Note the lines that call such a method."""
    with ExitStack() as stack:
        for owner, names in ((Store, STORE), (index, INDEX)):
            for name in names:
                stack.enter_context(patch.object(owner, name, noting(getattr(owner, name), seen)))
        yield


def noting(method: Callable[..., Any], seen: set[Site]) -> Callable[..., Any]:
    """The method, which notes who calls it."""

    def call(*args: Any, **kwargs: Any) -> Any:
        caller = sys._getframe(1)
        file = Path(caller.f_code.co_filename)
        if file.is_relative_to(ROOT):
            seen.add((file.relative_to(ROOT).as_posix(), caller.f_lineno))
        return method(*args, **kwargs)

    return call
