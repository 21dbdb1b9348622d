"""Parts of an answer, each of which may fail alone."""

from collections.abc import Callable
from typing import TypeVar

from docferry.errors import DocferryError
from docferry_cli.aws_errors import explain, of_aws

T = TypeVar("T")


def attempt(part: Callable[[], T], failed: Callable[[str], T]) -> T:
    """Do a part, or make of what went wrong what stands for it."""
    try:
        return part()
    except Exception as error:  # noqa: BLE001  # a source may be anybody's code, and the other parts can still be told
        return failed(said(error))


def said(error: Exception) -> str:
    """An error in one sentence."""
    if isinstance(error, DocferryError):
        return str(error)
    if of_aws(error):
        return explain(error)
    if isinstance(error, OSError) and error.filename is not None:
        return f"{error.filename}: {error.strerror}"
    return f"{type(error).__name__}: {error}"
