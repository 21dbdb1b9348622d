"""Full-text search: words, filters, access control, ranking, facets, sorting and pages."""

import re
from collections.abc import Sequence
from typing import Any, Literal

import msgspec
from msgspec import Struct
from msgspec.structs import replace

from docferry_emulators.engine import access
from docferry_emulators.engine.access import Identity, Tree
from docferry_emulators.engine.collapse import Collapse, collapse, members
from docferry_emulators.engine.context import Context
from docferry_emulators.engine.facets import Facet, FacetCount, count
from docferry_emulators.engine.fields import IndexField
from docferry_emulators.engine.filters import Filter, compile_filter
from docferry_emulators.engine.ordering import Sort, order_by

# The services cut a query off at 30 words.
WORDS = 30
RESULTS = 100
"""The most results of one query, over all its pages."""
BEGIN, END, GAP = "\x02", "\x03", "…"
EXCERPT = 2000
_STOP = frozenset(
    re.findall(
        r"\w+",
        "a an and are as at be by can do does for from has have how i in is it of on or our that the their there this"
        " to was we what when where which who why will with you your",
    )
)

Confidence = Literal["VERY_HIGH", "HIGH", "MEDIUM", "LOW", "NOT_AVAILABLE"]


class Marked(Struct, frozen=True):
    """A text, and the spans in it that match the query."""

    text: str
    spans: tuple[tuple[int, int], ...] = ()


class Hit(Struct, frozen=True):
    """One found document."""

    doc: int
    id: str
    title: Marked | None
    excerpt: Marked
    uri: str | None
    attributes: dict[str, Any]
    confidence: Confidence
    score: float = 0.0
    index_id: str = ""
    members: tuple["Hit", ...] = ()
    """The other documents of its group, if the group is expanded."""


class Question(Struct, frozen=True, kw_only=True):
    """A search. ``identity`` None sees every document. ``passage`` asks for long excerpts of this many words."""

    text: str | None
    condition: Filter | None = None
    identity: Identity | None = None
    facets: Sequence[Facet] = ()
    sort: Sequence[Sort] = ()
    collapse: Collapse | None = None
    offset: int = 0
    limit: int = 10
    passage: int | None = None


class Answer(Struct, frozen=True):
    """One page of hits, the number of all hits, and the facets."""

    hits: list[Hit]
    total: int
    facets: list[list[FacetCount]]


class Search:
    """Searches indexes. Runs inside a transaction, under the lock of the store."""

    def __init__(self, context: Context) -> None:
        self._store = context.store
        self._identity: Identity | None = None
        self._trees: dict[str, Tree | None] = {}
        self._store.db.create_function("visible", 2, self._visible)

    def ask(self, index_ids: Sequence[str], fields: dict[str, IndexField] | None, question: Question) -> Answer:
        """Answer a question from one index, or from several together. ``fields`` None: they take any attribute.

        Raises ValidationFailed for a filter, facet or order that the fields do not allow.
        """
        words = match_expression(question.text) if question.text else None
        if question.text and words is None:
            return Answer([], 0, [[] for _ in question.facets])
        declared = fields or {}
        order, values = order_by(question.sort, declared)
        self._find(index_ids, fields, question, words)
        facets = [count(self._store, facet, declared) for facet in question.facets]
        if question.collapse is not None:
            collapse(self._store, question.collapse, declared)
        row = self._store.one("SELECT count(*) AS found, max(score) AS best FROM hits")
        assert row is not None
        rows = self._store.all(
            "SELECT d.*, h.score FROM hits h JOIN documents d USING (doc)"  # noqa: S608 - from constants
            f" ORDER BY {order} LIMIT ? OFFSET ?",
            *values,
            max(0, min(question.limit, RESULTS - question.offset)),
            question.offset,
        )

        def hit(found: Any, others: Sequence[Any] = ()) -> Hit:
            alone = self._hit(found, words, question.passage, row["best"])
            return replace(alone, members=tuple(hit(other) for other in others)) if others else alone

        hits = [
            hit(found, members(self._store, question.collapse, found["doc"], place))
            for place, found in enumerate(rows, question.offset)
        ]
        return Answer(hits, row["found"], facets)

    def _find(
        self,
        index_ids: Sequence[str],
        fields: dict[str, IndexField] | None,
        question: Question,
        words: str | None,
    ) -> None:
        marks = ", ".join("?" * len(index_ids))
        conditions, values = [f"d.index_id IN ({marks})", "d.present = 1"], [*index_ids]
        if question.condition is not None:
            sql, more = compile_filter(question.condition, fields)
            conditions.append(sql)
            values += more
        if question.identity is not None:
            conditions.append("(d.acl IS NULL OR visible(d.acl, d.data_source))")
        self._identity, self._trees = question.identity, {}
        self._store.run("DELETE FROM hits")
        where = " AND ".join(conditions)
        if words is None:
            self._store.run(f"INSERT INTO hits SELECT d.doc, 0.0 FROM documents d WHERE {where}", *values)  # noqa: S608
        else:
            # A word in the title weighs as much as four in the body. CROSS JOIN makes SQLite begin with the full-text
            # index. Otherwise it may go through the documents and ask that index about each.
            self._store.run(
                "INSERT INTO hits SELECT d.doc, -bm25(texts, 4.0, 1.0) FROM texts CROSS JOIN documents d"  # noqa: S608
                f" ON d.doc = texts.rowid WHERE texts MATCH ? AND {where}",
                words,
                *values,
            )

    def _visible(self, acl: str, data_source: str | None) -> bool:
        # Most documents share a few access control lists, so each list is read once per search.
        if acl not in self._trees:
            self._trees[acl] = access.decode(acl)
        assert self._identity is not None
        return access.visible(self._trees[acl], self._identity, data_source)

    def _hit(self, row: Any, words: str | None, passage: int | None, best: float) -> Hit:
        title, excerpt = row["title"] or "", Marked("")
        if words is not None:
            found = self._store.one(
                "SELECT highlight(texts, 0, ?, ?) AS title, snippet(texts, 1, ?, ?, ?, 40) AS excerpt"
                " FROM texts WHERE texts MATCH ? AND rowid = ?",
                *(BEGIN, END, BEGIN, END, GAP, words, row["doc"]),
            )
            if found is not None:
                title, excerpt = found["title"], unmark(found["excerpt"])
        if passage is not None or words is None:
            body = self._store.one("SELECT body FROM texts WHERE rowid = ?", row["doc"])
            text = body["body"] if body is not None else ""
            excerpt = Marked(_around(text, excerpt.text, passage)) if passage else Marked(text[:300])
        return Hit(
            doc=row["doc"],
            id=row["id"],
            title=unmark(title) if row["title"] else None,
            excerpt=excerpt,
            uri=row["uri"],
            attributes=msgspec.json.decode(row["attributes"]),
            confidence=_confidence(row["score"], best) if words is not None else "NOT_AVAILABLE",
            score=row["score"],
            index_id=row["index_id"],
        )


def match_expression(text: str) -> str | None:
    """Turn the text that a person typed into an FTS5 expression. Returns None when it contains no word.

    A document matches if it has any of the words; more of them rank higher. It must have every phrase in double
    quotes as it is. Every word is quoted in the expression, so that none of its characters counts as syntax.
    """
    phrases = [" ".join(re.findall(r"\w+", phrase)) for phrase in re.findall(r'"([^"]+)"', text)]
    words = re.findall(r"\w+", re.sub(r'"[^"]*"', " ", text))[:WORDS]
    words = [word for word in words if word.lower() not in _STOP] or words
    required = " AND ".join(f'"{phrase}"' for phrase in phrases if phrase)
    optional = " OR ".join(f'"{word}"' for word in dict.fromkeys(words))
    if required and optional:
        return f"({required}) OR ({required} AND ({optional}))"
    return required or optional or None


def unmark(text: str) -> Marked:
    """Remove the marks of the highlighter, and return the spans between them."""
    spans, parts, length, begin = [], [], 0, 0
    for part in re.split(f"([{BEGIN}{END}])", text):
        if part == BEGIN:
            begin = length
        elif part == END:
            spans.append((begin, length))
        else:
            parts.append(part)
            length += len(part)
    whole = "".join(parts)[:EXCERPT]
    return Marked(whole, tuple((start, stop) for start, stop in spans if stop <= len(whole)))


def _around(body: str, excerpt: str, words: int | None) -> str:
    core = excerpt.strip(GAP)
    start = max(0, body.find(core))
    before = body[:start].rsplit(" ", 20)
    start = len(before[0]) if len(before) > 1 else 0
    tokens = body[start : start + EXCERPT].split()
    return " ".join(tokens[:words])


def _confidence(score: float, best: float) -> Confidence:
    share = score / best if best > 0 else 1.0
    levels: tuple[tuple[float, Confidence], ...] = ((0.9, "VERY_HIGH"), (0.7, "HIGH"), (0.4, "MEDIUM"))
    return next((name for least, name in levels if share >= least), "LOW")
