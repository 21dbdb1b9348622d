"""Whether a reader may see a document of Amazon Kendra. It has no call that says so, so the document is searched for.

https://docs.aws.amazon.com/kendra/latest/dg/user-context-filter.html: without a user, Query finds every document; with
one, those that the user may see.
"""

from collections.abc import Callable
from typing import Any

from docferry.indexes import Access, Reader
from docferry.model import Document

RESULTS = 100
"""The most that Query gives."""
WORDS = 1000
VALUE = 2048
NOT_FOUND = "a search for its title does not bring it up among the first 100 results"


def user_context(reader: Reader | None) -> dict[str, Any]:
    """The parameters of Query that say who searches. Kendra believes them."""
    if reader is None:
        return {}
    groups = {"Groups": list(reader.groups)} if reader.groups else {}
    return {"UserContext": {"UserId": reader.user, **groups}}


def found_by(query: Callable[..., dict[str, Any]], document: Document, reader: Reader) -> Access:
    """Search for the document as the reader; when the reader does not find it, look whether anybody would.

    Its address narrows the search down to it, where it has one: `_source_uri` is a field of every index.
    """
    uri = document.attributes.get("_source_uri")
    if isinstance(uri, str) and 0 < len(uri) <= VALUE:
        which: dict[str, Any] = {"AttributeFilter": {"EqualsTo": {"Key": "_source_uri", "Value": {"StringValue": uri}}}}
    else:
        which = {"QueryText": (document.title or document.id)[:WORDS]}

    def found(who: Reader | None) -> bool:
        reply = query(**which, **user_context(who), PageSize=RESULTS)
        return any(item["DocumentId"] == document.id for item in reply.get("ResultItems") or [])

    if found(reader):
        return Access(allowed=True)
    return Access(allowed=False) if found(None) else Access(allowed=None, reason=NOT_FOUND)
