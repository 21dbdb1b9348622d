"""Following a run."""

from typing import Any

import pytest

from docferry.errors import AccessDenied
from docferry.reporting.progress import Phase, Progress
from docferry_cli import running


class Place:
    """A connector whose run has ended, and whose index refuses us."""

    store, answering, look_seconds, interrupted = object(), object(), 1.0, ""

    def running(self, run: str) -> bool:
        """It has ended."""
        return run == "another"


def test_what_keeps_the_index_from_answering_is_not_the_end_of_the_run(monkeypatch: pytest.MonkeyPatch) -> None:
    """Exit code 1 says that the sync has failed; a right to look that is missing does not."""
    asked = []

    def progress(_store: object, index: object, _run: str) -> Progress:
        asked.append(index)
        if index is not None:
            raise AccessDenied("ListDataSourceSyncJobs: AccessDeniedException")
        return Progress(crawl=Phase(3, 3))

    monkeypatch.setattr(running, "progress", progress)
    place: Any = Place()

    running.follow(place, "run-1")

    assert asked == [Place.answering, None]
