"""Query and Retrieve."""

import uuid
from typing import Any

from local.emulator.backend import Wire, present
from local.emulator.engine.fields import IndexField, Value
from local.emulator.engine.resources import Resource
from local.emulator.engine.search import RESULTS, Answer, Hit, Marked, Question, Sort
from local.emulator.errors import OperationNotImplemented, ValidationFailed
from local.emulator.kendra.base import KendraOperations
from local.emulator.kendra.identity import asking
from local.emulator.kendra.mapping import MEMBER_OF, TYPE_OF, attributes_to_wire

PASSAGE_WORDS = 200
"""Retrieve gives passages of up to 200 words."""
FACET_VALUES = 10


class SearchOperations(KendraOperations):
    """Search. The user comes in the request, unauthenticated, as in the real service."""

    def query(self, request: Wire) -> Wire:
        """Search documents: excerpts with highlights, facets, sorting, pages."""
        index = self.backend.standing_index(request["IndexId"])
        fields = self.backend.engine.fields(index)
        if "CollapseConfiguration" in request:
            raise OperationNotImplemented("CollapseConfiguration is not emulated.")
        facets = [_facet_of(facet, fields) for facet in request.get("Facets", [])]
        answer = self._ask(
            index,
            request,
            fields,
            facets=facets,
            sort=_sorts_of(request),
            hide=request.get("QueryResultTypeFilter", "DOCUMENT") != "DOCUMENT",
        )
        query_id = str(uuid.uuid4())
        items = [
            present(
                Id=f"{query_id}-{uuid.uuid4()}",
                Type="DOCUMENT",
                Format="TEXT",
                AdditionalAttributes=[],
                DocumentId=hit.id,
                DocumentTitle=_marked(hit.title) if hit.title is not None else None,
                DocumentExcerpt=_marked(hit.excerpt),
                DocumentURI=hit.uri,
                DocumentAttributes=_shown(hit, fields, request.get("RequestedDocumentAttributes")),
                ScoreAttributes={"ScoreConfidence": hit.confidence},
                FeedbackToken=f"{query_id}.{hit.doc}",
            )
            for hit in answer.hits
        ]
        return {
            "QueryId": query_id,
            "ResultItems": items,
            "FacetResults": [
                _facet_to_wire(name, fields[name], counts)
                for (name, _), counts in zip(facets, answer.facets, strict=True)
            ],
            "TotalNumberOfResults": answer.total,
        }

    def retrieve(self, request: Wire) -> Wire:
        """Search passages: longer texts, the title a plain string, no highlights."""
        index = self.backend.standing_index(request["IndexId"])
        fields = self.backend.engine.fields(index)
        answer = self._ask(index, request, fields, passage=PASSAGE_WORDS)
        query_id = str(uuid.uuid4())
        items = [
            present(
                Id=f"{query_id}-{uuid.uuid4()}",
                DocumentId=hit.id,
                DocumentTitle=hit.title.text if hit.title is not None else None,
                Content=hit.excerpt.text,
                DocumentURI=hit.uri,
                DocumentAttributes=_shown(hit, fields, request.get("RequestedDocumentAttributes")),
                ScoreAttributes={"ScoreConfidence": hit.confidence},
            )
            for hit in answer.hits
        ]
        return {"QueryId": query_id, "ResultItems": items}

    def _ask(
        self, index: Resource, request: Wire, fields: dict[str, IndexField], *, hide: bool = False, **how: Any
    ) -> Answer:
        identity, condition = asking(self.backend, index, request)
        size = min(request.get("PageSize", 10), RESULTS)
        page = request.get("PageNumber", 1)
        if size < 0 or page < 1:
            raise ValidationFailed.of("pageNumber", "PageNumber starts at 1 and PageSize at 0.")
        if hide:
            # There are no FAQs and no extracted answers here, only documents.
            return Answer([], 0, [[] for _ in how["facets"]])
        question = Question(
            text=request.get("QueryText"),
            condition=condition,
            identity=identity,
            offset=(page - 1) * size,
            limit=size,
            **how,
        )
        return self.backend.engine.search.ask(index.id, fields, question)


def _facet_of(facet: Wire, fields: dict[str, IndexField]) -> tuple[str, int]:
    name = facet.get("DocumentAttributeKey")
    if name is None or name not in fields:
        raise ValidationFailed.of("facets", f"The index has no field {name}.")
    if "Facets" in facet:
        raise OperationNotImplemented("Facets inside facets are not emulated.")
    return name, facet.get("MaxResults", FACET_VALUES)


def _sorts_of(request: Wire) -> list[Sort]:
    if "SortingConfiguration" in request and "SortingConfigurations" in request:
        raise ValidationFailed.of(
            "sortingConfigurations", "Give either SortingConfiguration or SortingConfigurations, not both."
        )
    wire = request.get("SortingConfigurations") or [request[n] for n in ("SortingConfiguration",) if n in request]
    return [Sort(sort["DocumentAttributeKey"], sort["SortOrder"] == "DESC") for sort in wire]


def _marked(text: Marked) -> Wire:
    highlights = [{"BeginOffset": begin, "EndOffset": end, "TopAnswer": False} for begin, end in text.spans]
    return {"Text": text.text, "Highlights": highlights}


def _shown(hit: Hit, fields: dict[str, IndexField], wanted: list[str] | None) -> list[Wire]:
    """Only displayable fields come back, and of these the requested ones if any are named."""
    names = {name for name, field in fields.items() if field.displayable or name in (wanted or ())}
    chosen = {
        name: value for name, value in hit.attributes.items() if name in names and (wanted is None or name in wanted)
    }
    return attributes_to_wire(chosen, fields)


def _facet_to_wire(name: str, field: IndexField, counts: Any) -> Wire:
    kind: Value = Value("STRING" if field.kind == "STRING_LIST" else field.kind, None)
    return {
        "DocumentAttributeKey": name,
        "DocumentAttributeValueType": TYPE_OF[field.kind],
        "DocumentAttributeValueCountPairs": [
            {"DocumentAttributeValue": {MEMBER_OF[kind.kind]: count.value}, "Count": count.count} for count in counts
        ],
    }
