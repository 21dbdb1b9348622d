"""For the tests of a source of your own: the promises that every source keeps.

class TestLetters(docferry.testing.SourceSuite):
def source(self):
return docferry.testing.source("letters:Letters", count=3)
"""

from typing import Any

import msgspec

from docferry.registry import Clients
from docferry.sources import checks, source_class
from docferry.sources.source import Source


def source(kind: str, *, clients: Clients | None = None, **settings: Any) -> Source:
    """A source of a kind, with settings as connectors.yaml writes them, for a connector named ``demo``.

    Raises ConfigurationError for an unknown kind, and msgspec.ValidationError for wrong settings.
    """
    found = source_class(kind)
    return found(connector="demo", settings=msgspec.convert(settings, found.Settings), clients=clients or _no_clients)


class SourceSuite:
    """Inherit, and override ``source``: it gives the source of a repository that holds some documents."""

    most = checks.DOCUMENTS

    def source(self) -> Any:
        """The source, made anew with each call.

        It is Any because type checkers do not take a class with Settings of its own for a Source.
        """
        raise NotImplementedError

    def test_it_lists_documents(self) -> None:
        """At least one, and to the end."""
        checks.lists(self.source, self.most)

    def test_it_names_each_document_once(self) -> None:
        """Of two documents with one id only one can be indexed."""
        checks.names_once(self.source, self.most)

    def test_it_lists_the_same_again(self) -> None:
        """What differs is sent again by every sync."""
        checks.lists_the_same_again(self.source, self.most)

    def test_it_gives_the_content_of_what_it_lists(self) -> None:
        """In the version that it lists."""
        checks.opens(self.source, self.most)

    def test_it_goes_on_from_a_checkpoint(self) -> None:
        """When it says that it does: as if the listing had not been broken off."""
        checks.resumes(self.source, self.most)

    def test_it_carries_only_what_is_due(self) -> None:
        """Content that no run needs is not kept."""
        checks.carries_only_what_is_due(self.source, self.most)


def _no_clients(service: str) -> Any:
    raise LookupError(f"the test gives no client of {service}: docferry.testing.source(..., clients=...)")
