"""Finding things: words, highlights, filters, facets, order, pages, and whatever a person may type."""

from typing import Any

import pytest
from botocore.exceptions import ClientError
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from docferry_emulators.engine.search import match_expression, unmark
from tests.unit.emulators.emulated_services import KendraService, QBusinessService, code_of


def city(name: str, people: int, day: float, *tags: str) -> list[dict[str, Any]]:
    """Attributes of every type."""
    return [
        {"Key": "city", "Value": {"StringValue": name}},
        {"Key": "people", "Value": {"LongValue": people}},
        {"Key": "_created_at", "Value": {"DateValue": day}},
        *([{"Key": "tags", "Value": {"StringListValue": list(tags)}}] if tags else []),
    ]


@pytest.fixture
def cities(kendra: KendraService) -> KendraService:
    """Four documents with attributes."""
    kendra.declare(city="STRING_VALUE", people="LONG_VALUE", tags="STRING_LIST_VALUE")
    kendra.sync(
        kendra.document("bern", "a city on the river Aare", Title="Bern", Attributes=city("Bern", 134, 1.5, "a", "b")),
        kendra.document("basel", "a city on the river Rhine", Title="Basel", Attributes=city("Basel", 177, 2.5, "b")),
        kendra.document("chur", "an old city", Title="Chur and its river", Attributes=city("Chur", 38, 3.5)),
        kendra.document("sea", "no town at all"),
    )
    return kendra


def query(service: KendraService, **request: Any) -> Any:
    """Query."""
    return service.client.query(IndexId=service.index, **request)


def ids(reply: Any) -> list[str]:
    """The ids found, in order."""
    return [item["DocumentId"] for item in reply["ResultItems"]]


def test_words_rank_documents(cities: KendraService) -> None:
    """More of the words is better, in the title better still; endings and accents do not matter."""
    assert set(ids(query(cities, QueryText="rivers"))) == {"bern", "basel", "chur"}
    assert ids(query(cities, QueryText="what is the river Aare"))[0] == "bern"
    assert ids(query(cities, QueryText="river"))[0] == "chur"
    assert ids(query(cities, QueryText="elephant")) == []


def test_a_phrase_has_to_be_there(cities: KendraService) -> None:
    """What is in double quotes; the rest only ranks."""
    assert ids(query(cities, QueryText='"river Rhine" Aare')) == ["basel"]


def test_highlights_are_offsets_into_the_text(cities: KendraService) -> None:
    """Of the excerpt and of the title."""
    item = query(cities, QueryText="river Bern")["ResultItems"][0]
    for text, words in ((item["DocumentExcerpt"], ["river"]), (item["DocumentTitle"], ["Bern"])):
        marked = [text["Text"][mark["BeginOffset"] : mark["EndOffset"]] for mark in text["Highlights"]]
        assert marked == words
    assert item["ScoreAttributes"]["ScoreConfidence"] == "VERY_HIGH"


@pytest.mark.parametrize(
    ("condition", "found"),
    [
        ({"EqualsTo": {"Key": "city", "Value": {"StringValue": "Bern"}}}, {"bern"}),
        ({"EqualsTo": {"Key": "tags", "Value": {"StringListValue": ["b"]}}}, {"basel"}),
        ({"ContainsAll": {"Key": "tags", "Value": {"StringListValue": ["a", "b"]}}}, {"bern"}),
        ({"ContainsAny": {"Key": "tags", "Value": {"StringListValue": ["a", "b"]}}}, {"bern", "basel"}),
        ({"GreaterThan": {"Key": "people", "Value": {"LongValue": 134}}}, {"basel"}),
        ({"GreaterThanOrEquals": {"Key": "people", "Value": {"LongValue": 134}}}, {"bern", "basel"}),
        ({"LessThan": {"Key": "_created_at", "Value": {"DateValue": 2.5}}}, {"bern"}),
        ({"LessThanOrEquals": {"Key": "_created_at", "Value": {"DateValue": 2.5}}}, {"bern", "basel"}),
        ({"NotFilter": {"EqualsTo": {"Key": "city", "Value": {"StringValue": "Bern"}}}}, {"basel", "chur", "sea"}),
        ({"OrAllFilters": []}, set()),
        ({"AndAllFilters": []}, {"bern", "basel", "chur", "sea"}),
    ],
)
def test_attribute_filters(cities: KendraService, condition: dict[str, Any], found: set[str]) -> None:
    """Every operator; without words everything that passes is found."""
    assert set(ids(query(cities, AttributeFilter=condition))) == found
    both = {"AndAllFilters": [condition, {"NotFilter": {"NotFilter": condition}}]}
    assert set(ids(query(cities, AttributeFilter=both))) == found


@pytest.mark.parametrize(
    "condition",
    [
        {"EqualsTo": {"Key": "nofield", "Value": {"StringValue": "x"}}},
        {"EqualsTo": {"Key": "people", "Value": {"StringValue": "x"}}},
        {"GreaterThan": {"Key": "city", "Value": {"StringValue": "x"}}},
        {"ContainsAny": {"Key": "city", "Value": {"StringListValue": ["x"]}}},
        {"EqualsTo": {"Key": "city", "Value": {}}},
        {},
    ],
)
def test_filters_that_do_not_suit_the_fields(cities: KendraService, condition: dict[str, Any]) -> None:
    """Are refused, not ignored. An empty filter is none."""
    if not condition:
        assert len(ids(query(cities, AttributeFilter=condition))) == 4
        return
    with pytest.raises(ClientError) as error:
        query(cities, AttributeFilter=condition)
    assert code_of(error) == "ValidationException"


def test_facets_count_what_is_found(cities: KendraService) -> None:
    """By value, the most frequent first; only of facetable fields."""
    reply = query(
        cities, QueryText="river", Facets=[{"DocumentAttributeKey": "tags"}, {"DocumentAttributeKey": "city"}]
    )
    tags, places = reply["FacetResults"]
    counts = {
        pair["DocumentAttributeValue"]["StringValue"]: pair["Count"]
        for pair in tags["DocumentAttributeValueCountPairs"]
    }
    assert counts == {"b": 2, "a": 1}
    assert tags["DocumentAttributeValueType"] == "STRING_LIST_VALUE"
    assert len(places["DocumentAttributeValueCountPairs"]) == 3
    with pytest.raises(ClientError) as error:
        query(cities, Facets=[{"DocumentAttributeKey": "_version"}])
    assert code_of(error) == "ValidationException"


def test_sorting(cities: KendraService) -> None:
    """Either way, documents without the attribute last; only by sortable fields."""
    order = {"DocumentAttributeKey": "people", "SortOrder": "DESC"}
    assert ids(query(cities, SortingConfiguration=order)) == ["basel", "bern", "chur", "sea"]
    order["SortOrder"] = "ASC"
    assert ids(query(cities, SortingConfigurations=[order])) == ["chur", "bern", "basel", "sea"]
    with pytest.raises(ClientError) as error:
        query(cities, SortingConfiguration={**order, "DocumentAttributeKey": "_authors"})
    assert code_of(error) == "ValidationException"


def test_pages_end_at_a_hundred_results(kendra: KendraService) -> None:
    """The total says how many there are, but no page goes beyond a hundred."""
    job = kendra.start()
    for batch in range(12):
        kendra.put(*[kendra.document(f"d{batch}-{number}", "giraffe") for number in range(10)], job=job)
    kendra.settle()
    seen: list[str] = []
    for page in range(1, 6):
        reply = query(kendra, QueryText="giraffe", PageNumber=page, PageSize=30)
        assert reply["TotalNumberOfResults"] == 120
        seen += ids(reply)
    assert len(seen) == len(set(seen)) == 100


def test_attributes_come_back_if_displayable_and_asked_for(cities: KendraService) -> None:
    """With their types."""
    item = query(cities, QueryText="Aare")["ResultItems"][0]
    values = {attribute["Key"]: attribute["Value"] for attribute in item["DocumentAttributes"]}
    assert values["people"] == {"LongValue": 134}
    assert "_data_source_id" not in values
    item = query(cities, QueryText="Aare", RequestedDocumentAttributes=["_created_at", "_data_source_id"])[
        "ResultItems"
    ][0]
    assert {attribute["Key"] for attribute in item["DocumentAttributes"]} == {"_created_at", "_data_source_id"}


def test_retrieve_gives_passages(kendra: KendraService) -> None:
    """Longer texts around the words, the title a plain string."""
    text = " ".join(["before"] * 1000 + ["giraffe"] + ["after"] * 1000)
    kendra.sync(kendra.document("a", text, Title="T"))
    item = kendra.client.retrieve(IndexId=kendra.index, QueryText="giraffe")["ResultItems"][0]
    assert item["DocumentTitle"] == "T"
    assert "giraffe" in item["Content"]
    assert 50 < len(item["Content"].split()) <= 200


def test_answers_and_faqs_are_not_made_up(cities: KendraService) -> None:
    """There are documents only."""
    assert ids(query(cities, QueryText="river", QueryResultTypeFilter="ANSWER")) == []


def test_relevant_content_is_paged(qbusiness: QBusinessService) -> None:
    """By tokens, in the order of relevance."""
    qbusiness.sync(*[qbusiness.document(f"d{number}", "giraffe", title=f"T{number}") for number in range(5)])
    request = {
        "applicationId": qbusiness.application,
        "queryText": "giraffe",
        "contentSource": {"retriever": {"retrieverId": qbusiness.retriever}},
        "maxResults": 2,
    }
    seen, token = [], None
    for _ in range(3):
        reply = qbusiness.client.search_relevant_content(**request, **({"nextToken": token} if token else {}))
        seen += [item["documentTitle"] for item in reply["relevantContent"]]
        token = reply.get("nextToken")
    assert sorted(seen) == [f"T{number}" for number in range(5)]
    assert token is None
    condition = {"equalsTo": {"name": "_data_source_id", "value": {"stringValue": "elsewhere"}}}
    assert qbusiness.search("giraffe", attributeFilter=condition) == []


@pytest.mark.parametrize(
    "text",
    [
        '"',
        '""',
        '"unclosed',
        "AND OR NOT",
        "a* NEAR(b c)",
        "title:x",
        "^x",
        "x - y",
        "(",
        "😀",
        "\x00",
        "'; DROP TABLE",
        "{a b}",
    ],
)
def test_hostile_queries(cities: KendraService, text: str) -> None:
    """Nothing a person types is syntax of the engine."""
    assert query(cities, QueryText=text)["TotalNumberOfResults"] >= 0


@settings(max_examples=200, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(text=st.text(max_size=60))
def test_any_query_is_answered(text: str) -> None:
    """Whatever it is made of, it becomes words in quotes or nothing."""
    expression = match_expression(text)
    assert expression is None or expression.count('"') % 2 == 0


def test_marks_become_offsets() -> None:
    """Also of several words, and of none."""
    assert unmark("a \x02b\x03 c \x02d\x03").spans == ((2, 3), (6, 7))
    assert unmark("plain").spans == ()


def test_ids_of_any_shape(kendra: KendraService) -> None:
    """Slashes, quotes, emoji, 2,048 characters: an id is opaque."""
    names = ["a/b//c", "'\"`", "😀", "x" * 2048, "../..", "%2F", " ", "\t", "a\nb"]
    kendra.sync(*[kendra.document(name, "giraffe") for name in names])
    assert sorted(kendra.search("giraffe")) == sorted(names)
    assert [kendra.status(name) for name in names] == ["INDEXED"] * len(names)
    kendra.sync(delete=tuple(names))
    assert kendra.counted() == 0


def test_ids_of_any_shape_in_paths(qbusiness: QBusinessService) -> None:
    """They are split off the raw path, and unquoted after."""
    names = ["a/b//c", "/lead", "trail/", "'\"", "😀", "x" * 1825, "../..", "%2F", "a+b c?d#e&f=g"]
    qbusiness.sync(*[qbusiness.document(name) for name in names])
    for name in names:
        reply = qbusiness.client.check_document_access(**qbusiness.at, userId="a/b@x", documentId=name)
        assert reply["hasAccess"] is True
    with pytest.raises(ClientError) as error:
        qbusiness.put(qbusiness.document("a\u200db"))
    assert code_of(error) == "ValidationException"
