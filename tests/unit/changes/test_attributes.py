"""Attributes are compared with the fields of the index: what is missing and what has another type is named."""

from typing import Any

import pytest

from docferry.changes import attributes
from docferry.changes.attributes import Attributes
from docferry.model import Date
from tests.unit.fakes import NOON, document


def of(**documents: dict[str, Any]) -> Attributes:
    """The attributes of some documents, by their ids."""
    found = Attributes()
    for id_, its in documents.items():
        found.add(document(id_, attributes=its))
    return found


def test_each_name_and_type_is_noted_once_with_a_document() -> None:
    """However many documents have it."""
    found = of(a={"audience": "crew", "tags": ("x",)}, b={"audience": "all", "revision": 7, "seen": Date(NOON)})

    assert found.used == {
        ("audience", "STRING"): "a",
        ("tags", "STRING_LIST"): "a",
        ("revision", "NUMBER"): "b",
        ("seen", "DATE"): "b",
    }


def test_what_the_index_lacks_is_missing() -> None:
    """With the type that the first document gives it."""
    found = of(a={"zone": 3, "audience": "crew"}, b={"zone": "north"})

    assert found.missing({"audience": "STRING"}) == {"zone": "NUMBER"}
    assert list(found.misfits({"audience": "STRING"})) == []
    (misfit,) = found.misfits({"audience": "STRING", "zone": "NUMBER"})
    assert misfit == "zone is a NUMBER in the index, and a STRING in b"


def test_what_adapters_add_themselves_is_not_looked_for() -> None:
    """One of these is declared in no index, and yet may be sent; nor is what every index has."""
    assert of(a={"_data_source_id": "x", "_data_source_sync_job_execution_id": "y", "_category": "z"}).used == {}
    assert of(a={"_category": 7}).used == {("_category", "NUMBER"): "a"}


def test_memory_has_a_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    """More names than an index could have are not kept."""
    monkeypatch.setattr(attributes, "REMEMBERED", 3)

    assert len(of(a={f"name-{number}": "x" for number in range(10)}).used) == 3
