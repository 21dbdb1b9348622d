"""What readers find in a knowledge base of Amazon Bedrock, and may see of it."""

from functools import cached_property
from typing import Any

from docferry.errors import ConfigurationError, ResourceNotFound
from docferry.indexes import Access, Hit, Reader
from docferry.indexes.bedrock.wire import TITLE, URI
from docferry.indexes.calls import patiently
from docferry.model import Document

SEARCHES = {"MANAGED": "managedSearchConfiguration", "VECTOR": "vectorSearchConfiguration"}
RESULTS = 100
WORDS = 20_000
NO_GROUPS = "Bedrock knows no groups: it is told of their members, document by document"
NOT_HELD = Access(allowed=None, reason="the index does not hold it")


class Reading:
    """Asks a knowledge base as its readers do. It believes the request about who they are."""

    def __init__(self, agent: Any, runtime: Any, source: dict[str, Any]) -> None:
        self._agent = agent
        self._runtime = runtime
        self._source = source
        self._base = {"knowledgeBaseId": source["knowledgeBaseId"]}

    def search(self, words: str, limit: int, reader: Reader | None) -> list[Hit]:
        """See Index.search. Retrieve gives passages, of which the best of each document is kept.

        Without a reader, Retrieve finds nothing in a data source with access control.
        https://docs.aws.amazon.com/bedrock/latest/userguide/kb-test-retrieve-acl.html
        """
        params = {
            **self._base,
            "retrievalQuery": {"text": words[:WORDS]},
            "retrievalConfiguration": {SEARCHES[self._type]: {"numberOfResults": RESULTS}},
            **_user(reader),
        }
        found: dict[str, Hit] = {}
        while True:
            reply = patiently(self._runtime.retrieve, **params)
            for item in reply.get("retrievalResults") or []:
                hit = _hit(item)
                if hit is not None and len(found) < limit:
                    found.setdefault(hit.document_id, hit)
            if len(found) >= limit or not reply.get("nextToken"):
                return list(found.values())
            params["nextToken"] = reply["nextToken"]

    def access(self, document: Document, reader: Reader) -> Access:
        """See Index.access."""
        check = self._runtime.check_ingested_document_acl
        try:
            reply = patiently(check, **self._source, documentId=document.id, **_user(reader))
        except ResourceNotFound:
            return NOT_HELD
        return Access(bool(reply.get("hasAccess", False)))

    @cached_property
    def _type(self) -> str:
        """The type of the knowledge base, which decides how it is searched."""
        found = patiently(self._agent.get_knowledge_base, **self._base)["knowledgeBase"]
        return str(found["knowledgeBaseConfiguration"]["type"])


def _user(reader: Reader | None) -> dict[str, Any]:
    if reader is not None and reader.groups:
        raise ConfigurationError(NO_GROUPS)
    return {"userContext": {"userId": reader.user}} if reader is not None else {}


def _hit(item: dict[str, Any]) -> Hit | None:
    """A passage as a result; None for one that names no document."""
    location = (item.get("location") or {}).get("customDocumentLocation") or {}
    id_ = location.get("id") or item.get("documentId")
    if not id_:
        return None
    metadata = item.get("metadata") or {}
    return Hit(
        document_id=id_,
        title=str(metadata.get(TITLE) or id_),
        excerpt=item["content"].get("text", ""),
        uri=str(metadata.get(URI, "")),
    )
