"""What every source promises, as checks that only read: they may run against the real repository.

``docferry sources test`` runs them, and ``docferry.testing.SourceSuite`` makes a test of each.
"""

from collections import Counter
from collections.abc import Callable, Iterator
from itertools import islice

from msgspec import Struct

from docferry.errors import DocferryError
from docferry.model import Document, Listed
from docferry.sources.source import NOTHING, Known, Page, Source

DOCUMENTS = 1_000
"""How much of a source is looked at, unless somebody asks for more."""
OPENED = 10

New = Callable[[], Source]
"""Makes the source anew, as another process would."""


class PromiseBroken(DocferryError):  # noqa: N818  # named after what happened, as docferry.errors are
    """A source does not keep a promise; the text says what it did, and what it should do."""


class _All:
    """Takes every document for known."""

    def holds(self, document: Document) -> bool:  # noqa: ARG002  # the protocol's
        """See Known."""
        return True

    def notes(self) -> Iterator[bytes]:
        """See Known."""
        return iter(())


class Check(Struct, frozen=True):
    """A promise of every source: what it says, and the function that looks. The function returns what it has seen."""

    name: str
    run: Callable[[New, int], str]


def listed(new: New, most: int, known: Known = NOTHING, checkpoint: str | None = None) -> list[Listed]:
    """The first entries of a listing."""
    return list(islice((entry for page in new().pages(checkpoint, known) for entry in page.listed), most))


def lists(new: New, most: int) -> str:
    """Raises PromiseBroken when nothing is listed."""
    found = listed(new, most)
    documents = [entry for entry in found if isinstance(entry, Document)]
    if not documents:
        raise PromiseBroken(f"lists {len(found)} entries, and no document among them: {_first_reason(found)}")
    return f"{len(documents):,} documents, {len(found) - len(documents):,} skipped{_more(found, most)}"


def names_once(new: New, most: int) -> str:
    """Raises PromiseBroken when two documents have one id."""
    counts = Counter(entry.id for entry in listed(new, most) if isinstance(entry, Document))
    twice = [id_ for id_, count in counts.items() if count > 1]
    if twice:
        raise PromiseBroken(f"gives {len(twice):,} ids to more than one document, {twice[0]!r} among them")
    return f"{len(counts):,} ids"


def lists_the_same_again(new: New, most: int) -> str:
    """Raises PromiseBroken when a second listing differs from the first."""
    one, other = listed(new, most), listed(new, most)
    before = {entry.id: entry for entry in one}
    different = [entry.id for entry in other if before.get(entry.id) != entry]
    if different or len(one) != len(other):
        what = repr(different[0]) if different else "their number"
        raise PromiseBroken(
            f"a second listing differs from the first in {what}: every sync would send what has not changed"
        )
    return f"{len(one):,} entries are the same"


def opens(new: New, most: int) -> str:
    """Raises PromiseBroken when the content of a document cannot be read."""
    source, size, count = new(), 0, 0
    for page in source.pages(None):
        carried = {document.id: content for document, content in page.contents}
        for entry in page.listed[:most]:
            if isinstance(entry, Document) and count < OPENED:
                count += 1
                size += _length(source, entry, carried)
        if count >= OPENED:
            break
    return f"{count} contents, {size:,} bytes"


def _length(source: Source, document: Document, carried: dict[str, bytes]) -> int:
    if document.id in carried:
        return len(carried[document.id])
    try:
        opened = source.open(document)
    except DocferryError as error:
        raise PromiseBroken(f"lists {document.id}, whose content cannot be read: {error}") from error
    size = len(opened.content) if isinstance(opened.content, bytes) else opened.content.size
    if opened.version != document.version:
        raise PromiseBroken(f"lists {document.id} with version {document.version}, and opens version {opened.version}")
    return size


def resumes(new: New, most: int) -> str:
    """Raises PromiseBroken when a listing that goes on from its first checkpoint differs from a whole one."""
    if "resumes" not in new().abilities:
        return "not declared: the listing has to fit into one invocation"
    pages: Iterator[Page] = iter(new().pages(None))
    first = next(pages, None)
    if first is None or first.checkpoint is None:
        return "the first page is the last"
    rest = listed(new, most, checkpoint=first.checkpoint)
    wanted = list(islice((entry for page in pages for entry in page.listed), most))
    if [entry.id for entry in rest] != [entry.id for entry in wanted]:
        raise PromiseBroken(
            f"goes on from the checkpoint {first.checkpoint!r} with other documents than those that follow"
        )
    return f"{len(rest):,} entries follow the first checkpoint"


def carries_only_what_is_due(new: New, most: int) -> str:
    """Raises PromiseBroken when content is carried for documents that the index holds as they are."""
    if "carries_content" not in new().abilities:
        return "not declared: the content is read when it is sent"
    found = 0
    for page in new().pages(None, _All()):
        if page.contents:
            raise PromiseBroken(f"carries the content of {page.contents[0][0].id}, which is known to be indexed")
        found += len(page.listed)
        if found >= most:
            break
    return f"no content of {found:,} known entries"


CHECKS = (
    Check("lists documents", lists),
    Check("names each document once", names_once),
    Check("lists the same again", lists_the_same_again),
    Check("gives the content of what it lists", opens),
    Check("goes on from a checkpoint", resumes),
    Check("carries only what is due", carries_only_what_is_due),
)


def _first_reason(found: list[Listed]) -> str:
    return next((f"{entry.id}: {entry.skipped}" for entry in found if not isinstance(entry, Document)), "it is empty")


def _more(found: list[Listed], most: int) -> str:
    return f", and perhaps more: it was looked at {most:,}" if len(found) == most else ""
