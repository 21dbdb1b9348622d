"""The statuses of a whole data source, page by page, of a service that cannot be asked by id."""

from collections.abc import Iterator
from typing import Protocol, runtime_checkable

from msgspec import Struct

from docferry.indexes import DocumentStatus, Index


class StatusPage(Struct, frozen=True):
    """Some of what a service says. ``token`` says where to go on; None: it was the last."""

    statuses: list[DocumentStatus]
    token: str | None


@runtime_checkable
class ListsStatuses(Protocol):
    """An index that tells the statuses of its whole data source page by page. An index need not be one."""

    def status_pages(self, token: str | None) -> Iterator[StatusPage]:
        """What it says, from the start or from where a page before has told to go on.

        Raises RequestRefused when the service does not know the token any more, and what Index.statuses raises.
        """
        ...


def lists(index: Index) -> bool:
    """Whether an index tells of all documents of its data source, known to anybody or not."""
    return index.limits.list_page > 0 or not index.limits.statuses_by_id


def status_pages(index: Index, token: str | None) -> Iterator[StatusPage]:
    """What an index says of all its documents. One that does not tell where it goes on says all of it in one go."""
    if isinstance(index, ListsStatuses):
        return index.status_pages(token)
    return (StatusPage([status], None) for status in index.statuses(None, ()))
