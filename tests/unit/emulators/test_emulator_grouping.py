"""Results in groups: facets within facets, and collapsed results."""

from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.unit.emulators.emulated_services import KendraService, code_of


def of(value: Any) -> dict[str, Any]:
    """A value as the wire has it."""
    member = {str: "StringValue", int: "LongValue", list: "StringListValue"}[type(value)]
    return {member: value}


@pytest.fixture
def leaflets(kendra: KendraService) -> KendraService:
    """Versions of leaflets of teams; one has no team."""
    kendra.declare(team="STRING_VALUE", edition="LONG_VALUE", tags="STRING_LIST_VALUE")
    attributes: dict[str, dict[str, Any]] = {
        "hr-1": {"team": "hr", "edition": 1, "tags": ["old"]},
        "hr-2": {"team": "hr", "edition": 2, "tags": ["new", "short"]},
        "law-1": {"team": "law", "edition": 1, "tags": ["old"]},
        "hr-3": {"team": "hr", "edition": 3, "tags": ["new"]},
        "orphan-1": {"edition": 1},
        "orphan-2": {"edition": 2},
    }
    texts = {"hr-1": "leave " * 9, "law-1": "leave " * 6}
    kendra.sync(
        *(
            kendra.document(
                name,
                texts.get(name, "leave and much else that is of no interest here"),
                Attributes=[{"Key": key, "Value": of(value)} for key, value in found.items()],
            )
            for name, found in attributes.items()
        )
    )
    return kendra


def collapsed(service: KendraService, more: dict[str, Any] | None = None, **configuration: Any) -> Any:
    """Query, collapsed on the team."""
    configuration = {"DocumentAttributeKey": "team", **configuration}
    return service.client.query(
        IndexId=service.index, QueryText="leave", CollapseConfiguration=configuration, **(more or {})
    )


def groups(reply: Any) -> dict[str, list[str]]:
    """The ids that stand for a group, in order, each with those it was expanded by."""
    return {
        item["DocumentId"]: [one["DocumentId"] for one in item["CollapsedResultDetail"].get("ExpandedResults", [])]
        for item in reply["ResultItems"]
    }


LATEST = [{"DocumentAttributeKey": "edition", "SortOrder": "DESC"}]


def test_a_facet_within_a_facet(leaflets: KendraService) -> None:
    """Counts the documents of each value by a second field; lists count once for each of their strings."""
    facets = [{"DocumentAttributeKey": "team", "Facets": [{"DocumentAttributeKey": "tags", "MaxResults": 2}]}]
    (result,) = leaflets.client.query(IndexId=leaflets.index, Facets=facets)["FacetResults"]
    found = {}
    for pair in result["DocumentAttributeValueCountPairs"]:
        (inside,) = pair["FacetResults"]
        assert (inside["DocumentAttributeKey"], inside["DocumentAttributeValueType"]) == ("tags", "STRING_LIST_VALUE")
        pairs = inside["DocumentAttributeValueCountPairs"]
        found[pair["DocumentAttributeValue"]["StringValue"], pair["Count"]] = [
            (one["DocumentAttributeValue"]["StringValue"], one["Count"]) for one in pairs
        ]
    assert found == {("hr", 3): [("new", 2), ("old", 1)], ("law", 1): [("old", 1)]}


@pytest.mark.parametrize(
    "facet",
    [
        {"DocumentAttributeKey": "team", "Facets": [{"DocumentAttributeKey": "none"}]},
        {"DocumentAttributeKey": "team", "Facets": [{"DocumentAttributeKey": "_version"}]},
        {
            "DocumentAttributeKey": "team",
            "Facets": [{"DocumentAttributeKey": "tags"}, {"DocumentAttributeKey": "edition"}],
        },
        {
            "DocumentAttributeKey": "team",
            "Facets": [{"DocumentAttributeKey": "tags", "Facets": [{"DocumentAttributeKey": "edition"}]}],
        },
    ],
)
def test_facets_that_cannot_be(leaflets: KendraService, facet: dict[str, Any]) -> None:
    """An unknown field, one that is not facetable, and more than one facet within a facet."""
    with pytest.raises(ClientError) as error:
        leaflets.client.query(IndexId=leaflets.index, Facets=[facet])
    assert code_of(error) == "ValidationException"


def test_the_most_relevant_document_stands_for_its_group(leaflets: KendraService) -> None:
    """Groups come in the order of those; documents without a value are one group, whose value is empty."""
    reply = collapsed(leaflets)
    assert groups(reply) == {"hr-1": [], "law-1": [], "orphan-1": []}
    assert reply["TotalNumberOfResults"] == 3
    attributes = [item["CollapsedResultDetail"]["DocumentAttribute"] for item in reply["ResultItems"]]
    assert attributes == [
        {"Key": "team", "Value": {"StringValue": "hr"}},
        {"Key": "team", "Value": {"StringValue": "law"}},
        {"Key": "team", "Value": {}},
    ]


def test_a_field_chooses_who_stands_for_a_group(leaflets: KendraService) -> None:
    """The order of the groups is still that of the query."""
    assert set(groups(collapsed(leaflets, SortingConfigurations=LATEST))) == {"hr-3", "law-1", "orphan-2"}
    by_edition = {"SortingConfiguration": {"DocumentAttributeKey": "edition", "SortOrder": "ASC"}}
    assert list(groups(collapsed(leaflets, by_edition, SortingConfigurations=LATEST))) == ["law-1", "orphan-2", "hr-3"]


@pytest.mark.parametrize(
    ("strategy", "found"),
    [
        ("COLLAPSE", {"hr-3", "law-1", "orphan-2"}),
        ("IGNORE", {"hr-3", "law-1"}),
        ("EXPAND", {"hr-3", "law-1", "orphan-1", "orphan-2"}),
    ],
)
def test_documents_without_a_value(leaflets: KendraService, strategy: str, found: set[str]) -> None:
    """Are one group, none, or a group each."""
    reply = collapsed(leaflets, SortingConfigurations=LATEST, MissingAttributeKeyStrategy=strategy)
    assert set(groups(reply)) == found
    assert reply["TotalNumberOfResults"] == len(found)


def test_groups_can_be_expanded(leaflets: KendraService) -> None:
    """The others come in the order of the group: so many of so many groups."""
    query = {"SortingConfiguration": {"DocumentAttributeKey": "team", "SortOrder": "ASC"}}
    assert groups(collapsed(leaflets, query, SortingConfigurations=LATEST, Expand=True)) == {
        "hr-3": ["hr-2", "hr-1"],
        "law-1": [],
        "orphan-2": ["orphan-1"],
    }
    few = {"MaxResultItemsToExpand": 2, "MaxExpandedResultsPerItem": 1}
    reply = collapsed(leaflets, query, SortingConfigurations=LATEST, Expand=True, ExpandConfiguration=few)
    assert groups(reply) == {"hr-3": ["hr-2"], "law-1": [], "orphan-2": []}
    (expanded,) = reply["ResultItems"][0]["CollapsedResultDetail"]["ExpandedResults"]
    assert expanded["DocumentExcerpt"]["Highlights"]
    assert {"Key": "edition", "Value": {"LongValue": 2}} in expanded["DocumentAttributes"]


def test_pages_are_of_groups_and_facets_of_documents(leaflets: KendraService) -> None:
    """A second page goes on with the next group; a facet counts what was found before it was collapsed."""
    facet = {"Facets": [{"DocumentAttributeKey": "team"}]}
    seen = [list(groups(collapsed(leaflets, {"PageSize": 1, "PageNumber": page, **facet}))) for page in (1, 2, 3, 4)]
    assert seen == [["hr-1"], ["law-1"], ["orphan-1"], []]
    (counts,) = collapsed(leaflets, facet)["FacetResults"]
    assert [pair["Count"] for pair in counts["DocumentAttributeValueCountPairs"]] == [3, 1]


@pytest.mark.parametrize(
    "configuration",
    [
        {"DocumentAttributeKey": "none"},
        {"DocumentAttributeKey": "tags"},
        {"DocumentAttributeKey": "_created_at"},
        {"DocumentAttributeKey": "_source_uri"},
        {"SortingConfigurations": [{"DocumentAttributeKey": "tags", "SortOrder": "ASC"}]},
        {"ExpandConfiguration": {"MaxResultItemsToExpand": -1}},
    ],
)
def test_what_cannot_be_collapsed(leaflets: KendraService, configuration: dict[str, Any]) -> None:
    """Only strings and numbers that can be sorted by."""
    with pytest.raises(ClientError) as error:
        collapsed(leaflets, **configuration)
    assert code_of(error) == "ValidationException"
