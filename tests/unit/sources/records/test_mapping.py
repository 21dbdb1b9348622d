"""From rows to records: every part by its expression, and who may see it never guessed."""

from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from docferry.model import Principal
from docferry.sources import Record, Skip
from docferry.sources.records import mapping
from docferry.sources.records.mapping import DocumentMapping


def mapped(row: dict[str, Any], **parts: Any) -> Record | Skip:
    """What becomes of a row."""
    return mapping.record(
        msgspec.convert({"id": "id", "content": "body", "content_type": "PLAIN_TEXT", **parts}, DocumentMapping),
        {"id": 1, "body": "text", **row},
    )


def record(row: dict[str, Any], **parts: Any) -> Record:
    """The record of a row."""
    made = mapped(row, **parts)
    assert isinstance(made, Record), made
    return made


def test_every_part_has_an_expression() -> None:
    """Columns, members of members, functions, constants."""
    made = record(
        {"n": {"name": "Tides"}, "changed": 7, "at": "2026-01-31T10:30:00+02:00", "dept": "nav", "tags": ["a", "b"]},
        title="n.name",
        version="changed",
        uri="join('', ['https://example.com/', to_string(id)])",
        updated_at="at",
        attributes={"department": "dept", "tags": "tags", "missing": "nothing"},
    )

    assert (made.id, made.title, made.version, made.uri) == ("1", "Tides", "7", "https://example.com/1")
    assert made.content == b"text"
    assert made.updated_at == datetime(2026, 1, 31, 8, 30, tzinfo=UTC)
    assert made.attributes == {"department": "nav", "tags": ["a", "b"], "missing": None}


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (Decimal("7.00"), "7"),
        (Decimal("7.5"), "7.5"),
        (UUID(int=1), "00000000-0000-0000-0000-000000000001"),
        (date(2026, 1, 31), "2026-01-31"),
        (datetime(2026, 1, 31, 10, tzinfo=UTC), "2026-01-31T10:00:00+00:00"),
        (None, ""),
    ],
)
def test_values_of_databases_are_texts_in_one_way(value: object, text: str) -> None:
    """A version that reads otherwise in the next run would send the document again."""
    assert record({"v": value}, version="v").version == text


@pytest.mark.parametrize("value", ["2026-01-31", date(2026, 1, 31), datetime(2026, 1, 31, tzinfo=UTC), 1769817600])
def test_a_moment_is_a_date_a_text_or_seconds(value: object) -> None:
    """All of them the same moment; a text without a zone is in UTC later on."""
    moment = record({"at": value}, updated_at="at").updated_at
    assert moment is not None
    assert moment.replace(tzinfo=UTC) == datetime(2026, 1, 31, tzinfo=UTC)


@pytest.mark.parametrize("value", [None, "", True, 1.5, ["a"], {}])
def test_a_row_without_an_id_makes_the_crawl_incomplete(value: object) -> None:
    """Any document may be this row."""
    made = mapped({"id": value})
    assert isinstance(made, Skip)
    assert made.incomplete
    assert "an id is a text or a whole number" in made.reason


@pytest.mark.parametrize(
    "value", [None, "", " ", 7, True, ["crew", None], ["crew", ""], [["crew"]], {"name": "crew"}, []]
)
@pytest.mark.parametrize("part", ["allow_users", "allow_groups"])
def test_whoever_may_see_it_is_not_guessed(part: str, value: object) -> None:
    """Anything but names keeps the document back: without access control everybody would see it."""
    made = mapped({"who": value}, **{part: "who"})
    assert isinstance(made, Skip), made
    assert made.id == "1"
    assert f"document.{part}" in made.reason
    assert "kept back" in made.reason


def test_an_expression_that_fails_keeps_the_document_back() -> None:
    """Here a function of texts on a number."""
    made = mapped({"who": 7}, deny_users="join(',', who)")
    assert isinstance(made, Skip)
    assert made.reason.startswith("document.deny_users: \"join(',', who)\" fails: ")


def test_names_are_a_text_or_a_list() -> None:
    """Of users and groups, allowed and denied; nobody denied is nobody denied."""
    made = record(
        {"u": "ann", "g": ["crew", "officers"], "d": []},
        allow_users="u",
        allow_groups="g",
        deny_users="d",
        deny_groups="['contractors']" and "g[:1]",
    )
    assert made.access_control == (
        Principal("ann", "USER", "ALLOW"),
        Principal("crew", "GROUP", "ALLOW"),
        Principal("officers", "GROUP", "ALLOW"),
        Principal("crew", "GROUP", "DENY"),
    )


def test_what_is_no_expression_is_told_with_its_place() -> None:
    """Before anything is read."""
    with pytest.raises(msgspec.ValidationError, match=r"document\.attributes\.dept: 'a\.\.b' is not a JMESPath"):
        mapped({}, attributes={"dept": "a..b"})


@pytest.mark.parametrize(
    ("expression", "wanted"),
    [
        ("body", {"body"}),
        ("a.b.c", {"a"}),
        ("a[0].b | c", {"a"}),
        ("a[?x == `1`].b", {"a"}),
        ("a || b", {"a", "b"}),
        ("join('', [a, to_string(b)])", {"a", "b"}),
        ("{x: a, y: b}", {"a", "b"}),
        ("`1`", set()),
        ("@", {"*"}),
        ("keys(@)", {"*"}),
        ("*.x", {"*"}),
    ],
)
def test_the_columns_that_an_expression_looks_at(expression: str, wanted: set[str]) -> None:
    """A content column is not read as long as no other part looks at it."""
    assert mapping.fields(expression) == wanted


NAMES = st.sampled_from(["a", "b", "c"])
EXPRESSIONS = st.recursive(
    NAMES,
    lambda inner: st.one_of(
        st.builds("{}.{}".format, inner, NAMES),
        st.builds("({} || {})".format, inner, inner),
        st.builds("({} && {})".format, inner, inner),
        st.builds("[{}, {}]".format, inner, inner).map(lambda text: f"{text}[0]"),
        st.builds("not_null({}, {})".format, inner, inner),
    ),
    max_leaves=4,
)


@given(EXPRESSIONS, st.dictionaries(NAMES, st.one_of(st.none(), st.text(), st.dictionaries(NAMES, st.text()))))
def test_an_expression_looks_at_no_other_column(expression: str, row: dict[str, Any]) -> None:
    """With only its columns, a row gives the same value."""
    columns = mapping.fields(expression)
    fewer = row if "*" in columns else {name: value for name, value in row.items() if name in columns}

    assert mapping.found(expression, fewer) == mapping.found(expression, row)
