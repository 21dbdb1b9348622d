"""Query and Retrieve."""

import uuid
from typing import Any

from docferry_emulators.backend import Wire, present
from docferry_emulators.engine.fields import IndexField
from docferry_emulators.engine.resources import Resource
from docferry_emulators.engine.search import RESULTS, Answer, Hit, Question
from docferry_emulators.errors import ValidationFailed
from docferry_emulators.kendra.base import KendraOperations
from docferry_emulators.kendra.identity import asking
from docferry_emulators.kendra.search_mapping import (
    collapse_of,
    collapsed_to_wire,
    facet_of,
    facet_to_wire,
    shown,
    sorts_of,
    text_to_wire,
)

PASSAGE_WORDS = 200
"""Retrieve gives passages of up to 200 words."""


class SearchOperations(KendraOperations):
    """Search. The request names the user, who is not authenticated, as in the real service."""

    def query(self, request: Wire) -> Wire:
        """Search documents: excerpts with highlights, facets, sorting, groups, pages."""
        index = self.backend.standing_index(request["IndexId"])
        fields = self.backend.engine.fields(index)
        facets = [facet_of(facet, fields) for facet in request.get("Facets", [])]
        collapse = collapse_of(request.get("CollapseConfiguration"))
        answer = self._ask(
            index,
            request,
            fields,
            facets=facets,
            sort=sorts_of(request),
            collapse=collapse,
            hide=request.get("QueryResultTypeFilter", "DOCUMENT") != "DOCUMENT",
        )
        query_id = str(uuid.uuid4())

        def document(hit: Hit) -> Wire:
            return present(
                Id=f"{query_id}-{uuid.uuid4()}",
                DocumentId=hit.id,
                DocumentTitle=text_to_wire(hit.title) if hit.title is not None else None,
                DocumentExcerpt=text_to_wire(hit.excerpt),
                DocumentURI=hit.uri,
                DocumentAttributes=shown(hit, fields, request.get("RequestedDocumentAttributes")),
            )

        def item(hit: Hit) -> Wire:
            expanded = [document(member) for member in hit.members]
            return present(
                **document(hit),
                Type="DOCUMENT",
                Format="TEXT",
                AdditionalAttributes=[],
                ScoreAttributes={"ScoreConfidence": hit.confidence},
                FeedbackToken=f"{query_id}.{hit.doc}",
                CollapsedResultDetail=collapsed_to_wire(collapse, hit, expanded, fields) if collapse else None,
            )

        return {
            "QueryId": query_id,
            "ResultItems": [item(hit) for hit in answer.hits],
            "FacetResults": [
                facet_to_wire(facet, counts, fields) for facet, counts in zip(facets, answer.facets, strict=True)
            ],
            "TotalNumberOfResults": answer.total,
        }

    def retrieve(self, request: Wire) -> Wire:
        """Search passages: longer texts, titles as plain strings, no highlights."""
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
                DocumentAttributes=shown(hit, fields, request.get("RequestedDocumentAttributes")),
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
        return self.backend.engine.search.ask([index.id], fields, question)
