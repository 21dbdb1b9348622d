"""Whether a user may see a document: by what is known, and by the word of the index."""

from collections.abc import Callable
from functools import partial

from docferry.errors import ConfigurationError
from docferry.groups import known, readers
from docferry.groups.readers import Verdict
from docferry.indexes import Access, Reader
from docferry.model import Document, Principal
from docferry_cli.targets import Opened
from docferry_cli.why.answer import Reads
from docferry_cli.why.parts import attempt


def reads(opened: Opened, reader: Reader, *, held: Document | None, listed: Document | None) -> Reads:
    """Decide by the access control that the index was given, and by the one that the source has; ask the index."""
    fold = readers.folded if opened.index.service.folds_addresses else readers.same

    def judged(entries: Callable[[], tuple[Principal, ...]]) -> Verdict:
        record = known.read(opened.store)
        reached = readers.reach(reader, known.groups(opened.store, record.value if record else None), fold)
        return readers.judge(entries(), reached, fold)

    def by(entries: Callable[[], tuple[Principal, ...]]) -> Verdict:
        return attempt(lambda: judged(entries), partial(Verdict, "unknown"))

    indexed = by(lambda: opened.index.entries(held)) if held is not None else None
    if held is not None and not held.version:
        indexed = Verdict("unknown", "nobody knows which version of the document the index holds")
    by_source = by(lambda: _as_listed(opened, listed)) if listed is not None else None
    told = Access(allowed=None, reason="it is not known to hold the document")
    about = held or listed
    if about is not None:
        told = attempt(lambda: opened.index.access(about, reader), lambda problem: Access(None, reason=problem))
    return Reads(
        user=reader.user,
        groups=reader.groups,
        indexed=indexed,
        listed=by_source,
        index=told.allowed,
        index_groups=told.groups,
        index_says=told.reason,
    )


def _as_listed(opened: Opened, listed: Document) -> tuple[Principal, ...]:
    """The access control that a put would give the index: who is in the groups now, no run may have kept yet."""
    if listed.members and opened.expansion is not None:
        return opened.expansion.users(listed.access_control)
    return opened.index.entries(listed)


def check(opened: Opened, reader: Reader | None) -> None:
    """Refuse groups where the service takes none. Raises ConfigurationError."""
    if reader is not None and reader.groups and not opened.index.service.names_groups:
        raise ConfigurationError(
            f"--group: {opened.index.service.name} takes no groups with a search; it knows who is in which group from "
            "`groups` of a connector. Leave --group out"
        )
