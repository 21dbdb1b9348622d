"""Retrieve."""

from hashlib import sha256
from typing import Any, Literal

import msgspec

from docferry_emulators.backend import Wire, present
from docferry_emulators.bedrock.base import BedrockOperations
from docferry_emulators.bedrock.identity import identity_of
from docferry_emulators.engine.filters import Combine, Filter
from docferry_emulators.engine.matching import Match
from docferry_emulators.engine.paging import place_of, token_of
from docferry_emulators.engine.resources import Resource
from docferry_emulators.engine.search import RESULTS, Hit, Question
from docferry_emulators.errors import OperationNotImplemented, ValidationFailed
from docferry_emulators.wire.validation import pattern

PASSAGE_WORDS = 200
SHOWN = 5
"""How many results a request gets that does not say how many."""
CONFIGURATIONS = {"VECTOR": "vectorSearchConfiguration", "MANAGED": "managedSearchConfiguration"}
COMBINATIONS: dict[str, Literal["and", "or"]] = {"andAll": "and", "orAll": "or"}
DOCUMENT_ID, LONGEST_ID = r"\P{C}*", 1825


class SearchOperations(BedrockOperations):
    """Search. The request names the user, who is not authenticated, as in the real service."""

    def retrieve(self, request: Wire) -> Wire:
        """Search passages of the documents in all data sources of a knowledge base."""
        backend = self.backend
        base = backend.open_base(request)
        configuration = _configuration(request, base)
        sources = [one for one in backend.engine.resources.children(base) if one.status != "DELETING"]
        listing = f"retrieve/{base.id}/{_digest(request)}"
        offset = place_of(listing, request.get("nextToken")) or 0
        limit = configuration.get("numberOfResults", SHOWN)
        if not _text(request).strip():
            return {"retrievalResults": []}
        answer = backend.engine.search.ask(
            [source.id for source in sources],
            None,
            Question(
                text=_text(request),
                condition=filter_of(configuration["filter"]) if "filter" in configuration else None,
                identity=identity_of(request),
                offset=offset,
                limit=limit,
                passage=PASSAGE_WORDS,
            ),
        )
        more = answer.hits and offset + len(answer.hits) < min(answer.total, RESULTS)
        return present(
            retrievalResults=[_hit_to_wire(hit) for hit in answer.hits],
            nextToken=token_of(listing, offset + limit) if more else None,
        )


def filter_of(wire: Wire) -> Filter:
    """Read a filter. The model ensures that it has exactly one operator."""
    operator: Any
    operator, operand = next(iter(wire.items()))
    if operator in COMBINATIONS:
        return Combine(COMBINATIONS[operator], tuple(filter_of(part) for part in operand))
    return Match(operator, operand["key"], operand["value"])


def _configuration(request: Wire, base: Resource) -> Wire:
    """Return the part of the request for the type of the knowledge base.

    Raises ValidationFailed if it has the part for another type, and OperationNotImplemented for what is not emulated.
    """
    wanted = CONFIGURATIONS[base.body["knowledgeBaseConfiguration"]["type"]]
    given: Wire = request.get("retrievalConfiguration", {})
    for other in set(given) - {wanted}:
        raise ValidationFailed.of(f"retrievalConfiguration.{other}", f"The knowledge base is searched by {wanted}.")
    configuration: Wire = given.get(wanted, {})
    if "guardrailConfiguration" in request or "implicitFilterConfiguration" in configuration:
        raise OperationNotImplemented("Guardrails and implicit filters are not emulated.")
    if request["retrievalQuery"].get("type", "TEXT") != "TEXT":
        raise OperationNotImplemented("Only queries of type TEXT are emulated.")
    return configuration


def _text(request: Wire) -> str:
    text: str | None = request["retrievalQuery"].get("text")
    if text is None:
        raise ValidationFailed.of("retrievalQuery.text", "A query of type TEXT needs a text.")
    return text


def _digest(request: Wire) -> str:
    asked = {name: value for name, value in request.items() if name != "nextToken"}
    return sha256(msgspec.json.encode(asked, order="sorted")).hexdigest()


def _hit_to_wire(hit: Hit) -> Wire:
    named = len(hit.id) <= LONGEST_ID and pattern(DOCUMENT_ID).fullmatch(hit.id)
    return present(
        content={"type": "TEXT", "text": hit.excerpt.text},
        location={"type": "CUSTOM", "customDocumentLocation": {"id": hit.id}},
        documentId=hit.id if named else None,
        metadata={"x-amz-bedrock-kb-data-source-id": hit.index_id, **hit.attributes},
        score=round(hit.score / (1 + hit.score), 6),
    )
