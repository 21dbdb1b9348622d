"""The sidecar format: what is read from it, and what refuses it."""

import contextlib
import json
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from docferry.model import Date, Principal
from docferry.sources.describing.sidecar import MAX_BYTES, Sidecar, SidecarError, read

ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=12),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=6,
)
KEYS = st.sampled_from(["DocumentId", "Title", "ContentType", "Attributes", "AccessControlList"])
TEXT = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=20)
PRINCIPALS = st.fixed_dictionaries(
    {"Name": TEXT, "Type": st.sampled_from(["USER", "GROUP"]), "Access": st.sampled_from(["ALLOW", "DENY"])}
)

DATE_IN_ARABIC_DIGITS = "2026-01-31".translate({ord("0") + digit: 0x660 + digit for digit in range(10)})


def attribute(value: Any, name: str = "custom") -> Any:
    """Return what one attribute is read as."""
    return read(json.dumps({"Attributes": {name: value}}).encode()).attributes[name]


def refused(data: bytes | dict[str, Any]) -> str:
    """Return why a sidecar is refused."""
    with pytest.raises(SidecarError) as error:
        read(data if isinstance(data, bytes) else json.dumps(data).encode())
    return str(error.value)


def test_every_member_may_be_left_out() -> None:
    """An empty object says nothing, and so refuses nothing."""
    assert read(b"{}") == Sidecar()


def test_a_byte_order_mark_is_no_mistake() -> None:
    """Editors on Windows write one; nothing is lost by it."""
    assert read(b'\xef\xbb\xbf{"Title": "x"}').title == "x"


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (0, 0),
        (-(2**63), -(2**63)),
        (2**63 - 1, 2**63 - 1),
        ("text", "text"),
        ([], ()),
        (["a", "2026-01-31"], ("a", "2026-01-31")),
        ("2026-01-31", Date(datetime(2026, 1, 31, tzinfo=UTC))),
        ("2026-01-31T10:30", Date(datetime(2026, 1, 31, 10, 30, tzinfo=UTC))),
        ("2026-01-31T10:30:05Z", Date(datetime(2026, 1, 31, 10, 30, 5, tzinfo=UTC))),
        ("2026-01-31T10:30:05.250+02:00", Date(datetime(2026, 1, 31, 8, 30, 5, 250_000, tzinfo=UTC))),
        ("2026-01-31T10:30:05-0530", Date(datetime(2026, 1, 31, 16, 0, 5, tzinfo=UTC))),
        ("2026-02-30", "2026-02-30"),
        ("0001-01-01T00:00:00+01:00", "0001-01-01T00:00:00+01:00"),
        ("20260131", "20260131"),
        ("2026-W05-6", "2026-W05-6"),
        ("since 2026-01-31", "since 2026-01-31"),
        ("2026-01-31\n", "2026-01-31\n"),
        (DATE_IN_ARABIC_DIGITS, DATE_IN_ARABIC_DIGITS),
    ],
)
def test_an_attribute_is_a_text_a_number_a_list_or_a_date(value: Any, expected: Any) -> None:
    """A text is a date only when it is one from its first to its last character and in the calendar."""
    assert attribute(value) == expected


@pytest.mark.parametrize("name", ["_version", "_category", "_source_uri", "_language_code", "_file_type"])
def test_a_reserved_text_stays_a_text(name: str) -> None:
    """A version that looks like a date would otherwise be refused by the index field."""
    assert attribute("2026-01-31", name) == "2026-01-31"


@pytest.mark.parametrize(
    ("name", "value", "wanted"),
    [
        ("_created_at", "31 January", "an ISO 8601 date"),
        ("_created_at", 1_700_000_000, "an ISO 8601 date"),
        ("_last_updated_at", "2026-13-01", "an ISO 8601 date"),
        ("_authors", "Harbour Office", "a list of texts"),
        ("_view_count", "12", "a whole number"),
        ("_category", ["a"], "a text"),
    ],
)
def test_a_reserved_attribute_keeps_its_type(name: str, value: Any, wanted: str) -> None:
    """The index has these fields already, and would refuse the document."""
    assert f"Attributes.{name} must be {wanted}" in refused({"Attributes": {name: value}})


@pytest.mark.parametrize("name", ["_data_source_id", "_document_title", "_document_id", "_document_body"])
def test_an_attribute_that_is_set_elsewhere_is_refused(name: str) -> None:
    """A document that names another data source would be deleted with that one."""
    assert f"Attributes.{name} cannot be given" in refused({"Attributes": {name: "x"}})


@pytest.mark.parametrize(
    ("value", "kind"),
    [
        (1.5, "a number with a point"),
        (1.0, "a number with a point"),
        (True, "true or false"),
        (None, "null"),
        ({"a": 1}, "an object"),
        ("", "an empty text"),
        ([1], "a number"),
        ([""], "an empty text"),
        ([None], "null"),
        (2**63, "64 bits"),
    ],
)
def test_any_other_value_is_refused_by_name(value: Any, kind: str) -> None:
    """The reason names the attribute and what it is."""
    reason = refused({"Attributes": {"rating": value}})
    assert "Attributes.rating" in reason
    assert kind in reason


@pytest.mark.parametrize(
    ("members", "reason"),
    [
        ({"title": "x"}, "has the unknown key 'title'; allowed: DocumentId, Title, ContentType, Attributes, Access"),
        ({"Acl": []}, "has the unknown key 'Acl'"),
        ({"Title": 5}, "Title must be a text, not a number"),
        ({"Title": ""}, "Title must be a text, not an empty text"),
        ({"DocumentId": None}, "DocumentId must be a text, not null"),
        ({"ContentType": "text/html"}, "ContentType must be one of CSV, HTML"),
        ({"ContentType": ["MD"]}, 'not ["MD"]'),
        ({"Attributes": []}, "Attributes must be an object, not a list"),
        ({"Attributes": {"": "x"}}, "a name in Attributes must be a text, not an empty text"),
        ({"AccessControlList": {}}, "AccessControlList must be a list, not an object"),
        ({"AccessControlList": []}, "AccessControlList is empty"),
        ({"AccessControlList": ["crew"]}, "AccessControlList[0] must be an object, not a text"),
        (
            {"AccessControlList": [{"Name": "a", "Type": "USER", "Access": "ALLOW"}, {"Name": "b"}]},
            "AccessControlList[1].Type must be one of USER, GROUP, not null",
        ),
        (
            {"AccessControlList": [{"Name": "a", "Type": "USER", "Access": "allow"}]},
            'AccessControlList[0].Access must be one of ALLOW, DENY, not "allow"',
        ),
        (
            {"AccessControlList": [{"Name": "", "Type": "USER", "Access": "ALLOW"}]},
            "AccessControlList[0].Name must be a text, not an empty text",
        ),
        (
            {"AccessControlList": [{"Name": "a", "Type": "USER", "Acess": "DENY"}]},
            "AccessControlList[0] has the unknown key 'Acess'; allowed: Name, Type, Access",
        ),
    ],
)
def test_what_is_not_understood_refuses_the_sidecar(members: dict[str, Any], reason: str) -> None:
    """The text says what is wrong, and where."""
    assert reason in refused(members)


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"", "is not JSON: Expecting value in line 1, column 1"),
        (b'{"Title": "x",}', "is not JSON"),
        (b'{"Title": "x"} {}', "is not JSON: Extra data"),
        (b"[]", "must be an object, not a list"),
        (b"null", "must be an object, not null"),
        (b'{"Attributes": {"n": NaN}}', "is not JSON: NaN"),
        (b'{"Title": "\xff"}', "is not UTF-8 at byte 11"),
        ('{"Title": "x"}'.encode("utf-16"), "is not UTF-8"),
        (b'{"Title": "\\ud800"}', "Title holds half a character"),
        (b'{"Attributes": {"a\\udfff": 1}}', "holds half a character"),
        (b'{"Title": "x", "Title": "y"}', "gives 'Title' twice"),
        (b'{"Attributes": {"a": 1, "a": 2}}', "gives 'a' twice"),
        (b'{"Attributes": {"n": ' + b"9" * 5000 + b"}}", "cannot be parsed"),
        (b'{"Attributes": ' + b"[" * 100_000, "cannot be parsed"),
        (b" " * (MAX_BYTES + 1), "is larger than 1,000,000 bytes"),
    ],
)
def test_what_is_not_clean_json_refuses_the_sidecar(data: bytes, reason: str) -> None:
    """Truncated, doubled, foreign or hostile: never half understood."""
    assert reason in refused(data)


@given(st.binary(max_size=200))
def test_any_bytes_are_read_or_refused(data: bytes) -> None:
    """Nothing in a repository can end a crawl with another error."""
    with contextlib.suppress(SidecarError):
        read(data)


@given(st.dictionaries(KEYS, ANYTHING, max_size=3))
def test_any_members_are_read_or_refused(members: dict[str, Any]) -> None:
    """An access control is read in full, or not at all."""
    try:
        said = read(json.dumps(members).encode())
    except SidecarError:
        return
    assert len(said.access_control) == len(members.get("AccessControlList", []))
    assert set(said.attributes) == set(members.get("Attributes", {}))


@given(st.lists(PRINCIPALS, min_size=1, max_size=5))
def test_an_access_control_arrives_entry_by_entry(entries: list[dict[str, Any]]) -> None:
    """Order, names, types and accesses stay what they were."""
    said = read(json.dumps({"AccessControlList": entries}).encode())
    assert said.access_control == tuple(Principal(entry["Name"], entry["Type"], entry["Access"]) for entry in entries)


@given(st.datetimes(min_value=datetime(1970, 1, 1), timezones=st.timezones()))  # noqa: DTZ001 - given its zone by st
def test_any_moment_arrives_as_the_same_moment(moment: datetime) -> None:
    """Only its zone becomes UTC."""
    read_back = attribute(moment.isoformat())
    if moment.utcoffset().total_seconds() % 60 == 0:  # type: ignore[union-attr] # aware
        assert read_back == Date(moment.astimezone(UTC))
        assert read_back.date.tzinfo is UTC
