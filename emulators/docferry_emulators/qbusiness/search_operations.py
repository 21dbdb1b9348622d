"""SearchRelevantContent."""

from docferry_emulators.backend import Wire, present
from docferry_emulators.engine.access import NOBODY, Identity
from docferry_emulators.engine.paging import place_of, token_of
from docferry_emulators.engine.resources import Resource
from docferry_emulators.engine.search import RESULTS, Question
from docferry_emulators.errors import AccessDenied, OperationNotImplemented, ValidationFailed
from docferry_emulators.qbusiness.base import QBusinessOperations
from docferry_emulators.qbusiness.identity import identity_of
from docferry_emulators.qbusiness.mapping import attributes_to_wire, filter_of

PASSAGE_WORDS = 200
CARRIES_USER = "user:"


class SearchOperations(QBusinessOperations):
    """Search. The user is the caller of the API, never a parameter."""

    def search_relevant_content(self, request: Wire) -> Wire:
        """Search passages of an index, through a retriever."""
        backend = self.backend
        application = backend.application(request)
        name = request["contentSource"]["retriever"]["retrieverId"]
        retriever = backend.engine.resources.get(backend.scope, "retriever", name, parent=application.id)
        if retriever.status != "ACTIVE":  # the model of the operation has no ConflictException
            raise ValidationFailed(f"Retriever '{name}' is {retriever.status}, not ACTIVE.")
        native = retriever.body["configuration"].get("nativeIndexConfiguration")
        if native is None:
            raise OperationNotImplemented("Only retrievers of type NATIVE_INDEX are emulated for search.")
        index = backend.index({"applicationId": application.id, "indexId": native["indexId"]})
        fields = backend.engine.fields(index)
        listing = f"search/{index.id}/{request['queryText']}"
        offset = place_of(listing, request.get("nextToken")) or 0
        limit = request.get("maxResults", 10)
        answer = backend.engine.search.ask(
            [index.id],
            fields,
            Question(
                text=request["queryText"],
                condition=filter_of(request["attributeFilter"]) if "attributeFilter" in request else None,
                identity=self._caller(application, index),
                offset=offset,
                limit=limit,
                passage=PASSAGE_WORDS,
            ),
        )
        items = [
            present(
                content=hit.excerpt.text or None,
                documentId=hit.id,
                documentTitle=hit.title.text if hit.title is not None else None,
                documentUri=hit.uri,
                documentAttributes=attributes_to_wire(hit.attributes, fields) or None,
                scoreAttributes={"scoreConfidence": hit.confidence},
            )
            for hit in answer.hits
        ]
        more = offset + len(items) < min(answer.total, RESULTS) and items
        return present(relevantContent=items, nextToken=token_of(listing, offset + limit) if more else None)

    def _caller(self, application: Resource, index: Resource) -> Identity | None:
        """Find out who calls.

        The real service needs identity-aware credentials. Here a session token ``user:somebody@example.com`` stands for
        them. Other credentials carry no user.
        """
        token = self.headers.get("X-Amz-Security-Token", "")
        if token.startswith(CARRIES_USER):
            return identity_of(self.backend, application.id, index.id, token.removeprefix(CARRIES_USER))
        without = self.backend.settings.qbusiness_search_without_user
        if without == "deny":
            raise AccessDenied("The credentials carry no user; SearchRelevantContent needs identity-aware credentials.")
        return NOBODY if without == "public" else None
