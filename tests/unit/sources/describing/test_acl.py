"""Access control by prefix: the safest reading, and nothing guessed."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from docferry.errors import ConfigurationError
from docferry.model import Principal
from docferry.sources.describing import acl
from docferry.sources.describing.sidecar import Sidecar


def entry(name: str, access: str = "ALLOW") -> dict[str, str]:
    """Access for a group."""
    return {"Name": name, "Type": "GROUP", "Access": access}


def read(*prefixes: tuple[str, list[Any]], bucket: str = "") -> acl.Acl:
    """The file with these prefixes."""
    written = [{"keyPrefix": prefix, "aclEntries": entries} for prefix, entries in prefixes]
    return acl.read(json.dumps(written).encode(), "acl.json", bucket)


def names(found: Sidecar) -> list[str]:
    """Who may, and who may not."""
    return [f"{one.access} {one.name}" for one in found.access_control]


def test_the_longest_prefix_allows_and_every_prefix_denies() -> None:
    """A folder inside another is for others; who is shut out of the whole is shut out of it."""
    found = read(("contracts/", [entry("staff"), entry("temps", "DENY")]), ("contracts/secret/", [entry("board")]))

    assert names(found.applied("contracts/a.pdf", Sidecar())) == ["ALLOW staff", "DENY temps"]
    assert names(found.applied("contracts/secret/a.pdf", Sidecar())) == ["ALLOW board", "DENY temps"]


def test_a_sidecar_says_more_than_a_prefix() -> None:
    """But it lets nobody in whom a prefix shuts out."""
    found = read(("", [entry("staff"), entry("temps", "DENY")]))
    own = Sidecar(title="Own", access_control=(Principal("board", "GROUP", "ALLOW"),))

    applied = found.applied("a.pdf", own)

    assert (applied.title, names(applied)) == ("Own", ["ALLOW board", "DENY temps"])


def test_a_document_that_nothing_covers_is_kept_back() -> None:
    """Both services would show it to everybody."""
    with pytest.raises(acl.NotCovered, match=r"no keyPrefix of acl\.json covers it"):
        read(("contracts/", [entry("staff")])).applied("letters/a.pdf", Sidecar())


def test_a_prefix_may_name_the_bucket() -> None:
    """As the services' own connectors write it; a single key is a prefix, too."""
    found = read(("s3://contracts/a.pdf", [entry("staff")]), bucket="contracts")

    assert names(found.applied("a.pdf", Sidecar())) == ["ALLOW staff"]


@pytest.mark.parametrize(
    ("written", "reason"),
    [
        (b"{", "is not JSON"),
        (b"{}", "must be a list"),
        (b'[{"keyPrefix": "a"}]', r"\[0\] must have a keyPrefix and aclEntries"),
        (b'[{"keyPrefix": 1, "aclEntries": []}]', r"\[0\]\.keyPrefix must be a text"),
        (b'[{"keyPrefix": "a", "aclEntries": []}]', r"\[0\] aclEntries is empty"),
        (b'[{"keyPrefix": "a", "aclEntries": [{"Name": "x"}]}]', r"\[0\] aclEntries\[0\]\.Type"),
        (b'[{"keyPrefix": "a", "keyPrefix": "b", "aclEntries": []}]', "gives 'keyPrefix' twice"),
        (b'[{"keyPrefix": "s3://other/a", "aclEntries": [{}]}]', "which is not the bucket of this source"),
        (b'[{"keyPrefix": "a", "aclEntries": [], "x": 1}]', "and nothing else"),
    ],
)
def test_a_file_that_is_not_understood_stops_the_crawl(written: bytes, reason: str) -> None:
    """It may be what keeps a document secret."""
    with pytest.raises(ConfigurationError, match=reason):
        acl.read(written, "acl.json", "contracts")


def test_a_prefix_twice_is_refused() -> None:
    """Nobody knows which of the two is meant."""
    with pytest.raises(ConfigurationError, match="a second time"):
        read(("a", [entry("x")]), ("a", [entry("y")]))


PREFIXES = st.dictionaries(st.text("ab/", max_size=4), st.lists(st.sampled_from("xyz"), min_size=1), max_size=5)


@given(prefixes=PREFIXES, denied=PREFIXES, path=st.text("ab/", min_size=1, max_size=6))
def test_nobody_sees_more_than_the_longest_prefix_allows(
    prefixes: dict[str, list[str]], denied: dict[str, list[str]], path: str
) -> None:
    """For any prefixes: those allowed are of the longest that matches, those denied of all that match."""
    together = {
        prefix: [entry(name) for name in prefixes.get(prefix, [])]
        + [entry(name, "DENY") for name in denied.get(prefix, [])]
        for prefix in prefixes | denied
    }
    found = read(*together.items())
    matching = sorted((prefix for prefix in together if path.startswith(prefix)), key=len)
    if not matching:
        with pytest.raises(acl.NotCovered):
            found.applied(path, Sidecar())
        return
    got = found.applied(path, Sidecar()).access_control
    allowing = [prefix for prefix in matching if prefixes.get(prefix)]
    assert {one.name for one in got if one.access == "ALLOW"} == set(prefixes[allowing[-1]] if allowing else [])
    assert {one.name for one in got if one.access == "DENY"} == {n for p in matching for n in denied.get(p, [])}
