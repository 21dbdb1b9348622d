"""Looks at a listing while it is read: one that goes in circles, or that leaves something out, must not look whole."""

from collections.abc import Sequence
from hashlib import sha256
from typing import Any

import msgspec
from dlt.common import jsonpath
from requests import Response

from docferry.errors import DocumentError, SourceInvalid, SourceUnavailable
from docferry.sources.records import mapping
from docferry.sources.records.http import HttpSettings
from docferry.sources.records.http_options import Cursor, Offset, PageNumber, Paginator


class Watch:
    """What is known of a listing so far. ``name`` is how it is called in messages."""

    def __init__(self, settings: HttpSettings, paginator: Paginator, name: str) -> None:
        self._settings = settings
        self._paginator = paginator
        self._name = name
        self._addresses: dict[bytes, int] = {}
        self._pages: dict[bytes, int] = {}
        self._number = 0
        self._listed = paginator.offset if isinstance(paginator, Offset) else 0
        self._total: int | None = None
        self._short: int | None = None
        self._last: Any = None

    def look_at(self, rows: Sequence[Any], response: Response) -> None:
        """Look at a page. Raises SourceInvalid for a listing that does not end, or has gaps; SourceUnavailable."""
        self._number += 1
        self._listed += len(rows)
        self._refuse_circle("asks again for", self._addresses, (response.request.url or "").encode())
        if rows:
            self._refuse_circle("gives again", self._pages, msgspec.json.encode([self._key(row) for row in rows]))
        if self._number > self._settings.max_pages:
            raise SourceInvalid(f"{self._name} has more pages than max_pages, {self._settings.max_pages:,}")
        self._refuse_gap(len(rows))
        self._last = response.json()
        self._note_total(self._last)

    def finish(self) -> None:
        """Compare what was listed with what the API says that there is. Raises SourceUnavailable."""
        if self._number < self._stated_pages() or self._says_more():
            raise SourceUnavailable(
                f"{self._name} ends after page {self._number:,}, and says that there is more: nothing is concluded "
                "from a listing with a part missing"
            )
        if self._total is not None and self._listed < self._total:
            raise SourceUnavailable(
                f"{self._name} lists {self._listed:,} records, and says that there are {self._total:,}: "
                "nothing is concluded from a listing with a part missing"
            )

    def _refuse_circle(self, does: str, seen: dict[bytes, int], what: bytes) -> None:
        before = seen.setdefault(sha256(what).digest(), self._number)
        if before != self._number:
            raise SourceInvalid(
                f"the listing of {self._name} does not end: page {self._number:,} {does} page {before:,}; "
                "check the paginator"
            )

    def _refuse_gap(self, length: int) -> None:
        """Offsets go on by ``limit``: an API that gives fewer at once would leave out the rest."""
        if not isinstance(self._paginator, Offset):
            return
        if self._short is not None and length:
            raise SourceInvalid(
                f"paginator.limit: {self._name} gives {self._short} records at once, not {self._paginator.limit}: "
                f"those between would be left out; write limit: {self._short}"
            )
        if length < self._paginator.limit:
            self._short = length

    def _says_more(self) -> bool:
        """Whether the last reply promises another page. A page without records, or without a cursor, ends a listing."""
        paginator = self._paginator
        path = paginator.has_more_path if isinstance(paginator, Cursor | Offset | PageNumber) else None
        found = jsonpath.find_values(path, self._last) if path is not None else []
        return bool(found) and str(found[0]).lower() == "true"

    def _stated_pages(self) -> int:
        """How many pages the API says that there are."""
        paginator = self._paginator
        if not isinstance(paginator, PageNumber) or paginator.total_path is None:
            return 0
        found = jsonpath.find_values(paginator.total_path, self._last)
        first = paginator.base_page if paginator.page is None else paginator.page
        return int(found[0]) + paginator.base_page - first if found else 0

    def _note_total(self, reply: Any) -> None:
        total = self._stated(reply)
        if total is None:
            return
        if self._total is not None and total < self._total:
            # What follows has moved up, and some of it perhaps to a page that was read before.
            raise SourceUnavailable(f"{self._name}: records were removed while it was listed; the next run tries again")
        self._total = total

    def _stated(self, reply: Any) -> int | None:
        """How many records the API says that there are."""
        if self._settings.total is not None:
            try:
                total = mapping.found(self._settings.total, reply)
            except DocumentError as error:
                raise SourceInvalid(f"total: {error}") from error
            if isinstance(total, bool) or not isinstance(total, int):
                raise SourceInvalid(f"total: {self._settings.total!r} finds {total!r:.80}, which is no whole number")
            return total
        if isinstance(self._paginator, Offset) and self._paginator.total_path is not None:
            found = jsonpath.find_values(self._paginator.total_path, reply)
            if not found:
                raise SourceInvalid(f"paginator.total_path: {self._paginator.total_path!r} finds nothing in a reply")
            return int(found[0])
        return None

    def _key(self, row: Any) -> Any:
        """The id of a row, or the whole row where it has none."""
        try:
            id_ = mapping.found(self._settings.document.id, row)
        except DocumentError:
            return row
        return row if id_ is None else id_
