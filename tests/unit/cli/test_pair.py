"""Between which connectors a move makes sense, and what is said where it does not."""

from typing import Any

import pytest

from docferry.config.deployment import Described
from docferry.connector import Connector, Groups, Part
from docferry.errors import ConfigurationError
from docferry_cli.migration.pair import pair, remarks

DESK: dict[str, Any] = {"kind": "files", "path": "desk"}
KENDRA: dict[str, Any] = {"kind": "kendra", "index_id": "i", "data_source_id": "d"}


def described(name: str, source: dict[str, Any], index: dict[str, Any], **more: Any) -> Described:
    """A connector."""
    return Described(Connector(name, part(source), part(index), **more))


def part(written: dict[str, Any]) -> Part:
    """A source or an index, as connectors.yaml has it."""
    return Part(written["kind"], {key: value for key, value in written.items() if key != "kind"})


def connectors(*all_: Described) -> dict[str, Described]:
    """Connectors by name, as connectors.yaml gives them."""
    return {one.connector.name: one for one in all_}


@pytest.mark.parametrize(
    ("new", "said"),
    [
        (described("new", {"kind": "s3", "bucket": "b"}, {"kind": "bedrock"}), "kind is files and s3"),
        (
            described("new", {**DESK, "path": "wall", "exclude": ["x"]}, {"kind": "bedrock"}),
            "exclude is not given and ['x']; path is 'desk' and 'wall'",
        ),
        (described("new", DESK, KENDRA), "name one data source"),
    ],
    ids=["kind", "settings", "data source"],
)
def test_a_move_that_makes_no_sense_is_refused(new: Described, said: str) -> None:
    """The message names each setting that differs, with both values."""
    with pytest.raises(ConfigurationError) as raised:
        pair(connectors(described("old", DESK, KENDRA), new), "old", "new")

    assert said in str(raised.value)
    assert "\n" not in str(raised.value)


def test_names_are_checked() -> None:
    """A connector that does not exist, and the same one twice."""
    known = connectors(described("old", DESK, KENDRA), described("new", DESK, {"kind": "bedrock"}))

    with pytest.raises(ConfigurationError, match="there is no connector 'nwe'; there are: new, old"):
        pair(known, "old", "nwe")
    with pytest.raises(ConfigurationError, match="old cannot be moved to itself"):
        pair(known, "old", "old")


def test_two_indexes_without_ids_are_two_data_sources() -> None:
    """Where ids are left out, each connector gets a data source of its own."""
    known = connectors(described("old", DESK, {"kind": "kendra"}), described("new", DESK, {"kind": "kendra"}))

    assert pair(known, "old", "new").names == ("old", "new")


def test_what_decides_who_sees_what_is_remarked_where_it_differs() -> None:
    """The policy, and who is in which group."""
    known = connectors(
        described("old", DESK, KENDRA, access="required"),
        described("new", DESK, {"kind": "bedrock"}, groups=Groups(file="groups.csv")),
    )

    assert list(remarks(pair(known, "old", "new"))) == [
        "access is 'required' in old and not given in new",
        "groups are not given in old and groups.csv in new",
    ]
