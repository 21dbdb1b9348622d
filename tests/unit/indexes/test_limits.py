"""Limits: what a service would refuse is skipped with the reason, and what it takes is sent."""

import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import structs

from docferry.indexes import index_class
from docferry.indexes.limits import ADDED_ATTRIBUTES, has_controls, reason_to_skip
from docferry.model import Date, Principal
from tests.unit.fakes import LIMITS, NOON, document


def principals(*names: str) -> dict[str, Any]:
    """Access control that names these users."""
    return {"access_control": tuple(Principal(name, "USER", "ALLOW") for name in names)}


def attributes(values: dict[str, Any]) -> dict[str, Any]:
    """These attributes."""
    return {"attributes": values}


ROOM = LIMITS.attributes - ADDED_ATTRIBUTES

CASES: dict[str, tuple[dict[str, Any], dict[str, Any], str]] = {
    "id": ({"id": "x" * 100}, {"id": "x" * 101}, "id has 101 characters; the index takes 100"),
    "control in the id": ({"id": "a b"}, {"id": "a\nb"}, "id has a control or format character"),
    "format character in the id": ({"id": "é"}, {"id": "a\u200db"}, "id has a control or format character"),
    "size": ({"size": 50_000_000}, {"size": 50_000_001}, "50,000,001 bytes; .* up to 50,000,000"),
    "title": ({"title": "x" * 50}, {"title": "x" * 51}, "title has 51 characters; the index takes 50"),
    "number of attributes": (
        attributes({f"a{n}": 1 for n in range(ROOM)}),
        attributes({f"a{n}": 1 for n in range(ROOM + 1)}),
        "6 attributes; there is room for 5",
    ),
    "length of a name": (attributes({"n" * 30: 1}), attributes({"n" * 31: 1}), "a name has up to 30 characters"),
    "first character of a name": (attributes({"_a-b": 1}), attributes({"-a": 1}), "'-a': .*does not begin with -"),
    "characters of a name": (attributes({"a_1": 1}), attributes({"a b": 1}), "letters, digits, _ and -"),
    "name of other letters": (attributes({"e": 1}), attributes({"é": 1}), "letters, digits, _ and -"),
    "line end after a name": (attributes({"a": 1}), attributes({"a\n": 1}), "letters, digits, _ and -"),
    "string": (
        attributes({"a": "x" * 20}),
        attributes({"a": "x" * 21}),
        "'a': the index takes strings of 1 to 20 characters",
    ),
    "empty string": (attributes({"a": "x"}), attributes({"a": ""}), "strings of 1 to 20 characters"),
    "string in a list": (
        attributes({"a": ("x" * 20,)}),
        attributes({"a": ("x", "x" * 21)}),
        "strings of 1 to 20 characters",
    ),
    "length of a list": (
        attributes({"a": ("x",) * 3}),
        attributes({"a": ("x",) * 4}),
        "'a' lists 4 strings; .* 1 to 3",
    ),
    "empty list": (attributes({"a": ("x",)}), attributes({"a": ()}), "'a' lists 0 strings"),
    "principals": (principals("a", "b"), principals("a", "b", "c"), "3 access control entries; the index takes 2"),
    "name of a principal": (principals("x" * 10), principals("x" * 11), "names of 1 to 10 characters"),
    "principal without a name": (principals("x"), principals(""), "names ''"),
    "control in a principal": (principals("a b"), principals("a\x00b"), "none of them a control character"),
}


@pytest.mark.parametrize(("fits", "too_much", "reason"), CASES.values(), ids=CASES)
def test_a_document_at_a_limit_passes_and_one_beyond_says_why_not(
    fits: dict[str, Any], too_much: dict[str, Any], reason: str
) -> None:
    """The reason names what is wrong, how much of it there is, and what the index takes."""
    assert reason_to_skip(structs.replace(document("d"), **fits), LIMITS) is None

    found = reason_to_skip(structs.replace(document("d"), **too_much), LIMITS)

    assert found is not None
    assert re.search(reason, found)


def test_dates_and_numbers_have_no_length() -> None:
    """Only strings are measured."""
    assert reason_to_skip(document("d", attributes={"a": Date(NOON), "b": 10**12}), LIMITS) is None


def test_controls_in_an_id_are_refused_only_where_the_service_refuses_them() -> None:
    """Kendra takes any character in an id."""
    assert reason_to_skip(document("a\nb"), structs.replace(LIMITS, id_controls=True)) is None


@pytest.mark.parametrize("kind", ["kendra", "qbusiness"])
def test_the_added_attributes_count(kind: str) -> None:
    """A document that fills every attribute leaves none for the adapter's own."""
    limits = index_class(kind).limits
    full = {f"a{number}": number for number in range(limits.attributes - ADDED_ATTRIBUTES)}

    assert reason_to_skip(document("d", attributes=full), limits) is None
    assert reason_to_skip(document("d", attributes={**full, "more": 1}), limits) is not None


@given(st.text())
def test_controls_are_found_wherever_they_stand(text: str) -> None:
    """One such character is enough."""
    assert has_controls(text + "\u0007" + text)
    assert has_controls(text) == any(map(has_controls, text))
