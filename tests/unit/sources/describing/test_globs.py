"""The patterns of ``include`` and ``exclude``."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from docferry.sources.describing.globs import Globs

MATCHES = [
    ("*.md", "a.md", True),
    ("*.md", "sub/a.md", False),
    ("**/*.md", "a.md", True),
    ("**/*.md", "x/y/a.md", True),
    ("**", "x/y/a.md", True),
    ("guides/**", "guides/x/a.md", True),
    ("guides/**", "guides", False),
    ("guides/**", "other/guides/a.md", False),
    ("guides/", "guides/x/a.md", True),
    ("guides", "guides/a.md", False),
    ("a/**/z.md", "a/z.md", True),
    ("a/**/z.md", "a/b/c/z.md", True),
    ("a/**/**/z.md", "a/z.md", True),
    ("a/**/z.md", "a/b/c/y.md", False),
    ("?.md", "a.md", True),
    ("?.md", "ab.md", False),
    ("[ab].md", "b.md", True),
    ("[!ab].md", "b.md", False),
    ("*.MD", "a.md", False),
    ("*", ".hidden", True),
    ("a+b (1).md", "a+b (1).md", True),
    ("**/.git/**", ".git/config", True),
    ("**/.git/**", "x/.git/objects/00/ff", True),
    ("**/.git/**", "x/.gitignore", False),
]


@pytest.mark.parametrize(("pattern", "path", "expected"), MATCHES)
def test_a_pattern_selects_whole_paths(pattern: str, path: str, expected: bool) -> None:  # noqa: FBT001 - a table
    """A star stays in its folder, two stars stand for any number of folders."""
    assert Globs([pattern], []).selects(path) is expected
    assert Globs([], [pattern]).selects(path) is not expected


def test_without_patterns_everything_is_selected() -> None:
    """Neither setting is needed."""
    assert Globs([], []).selects("a/b.md")


def test_exclude_beats_include() -> None:
    """What somebody took out stays out."""
    assert not Globs(["**"], ["drafts/"]).selects("drafts/a.md")


PARTS = st.lists(st.sampled_from(["a", "b", "ab"]), min_size=1, max_size=5)
PATTERN = st.lists(st.sampled_from(["a", "b", "*", "**", "?", ""]), min_size=1, max_size=4).map("/".join)


@given(PATTERN, PARTS, PARTS)
def test_nothing_below_a_pruned_folder_is_selected(pattern: str, folder: list[str], below: list[str]) -> None:
    """A folder is left unopened only when no document in it could belong to the source."""
    globs = Globs([], [pattern])
    if globs.prunes("/".join(folder)):
        assert not globs.selects("/".join(folder + below))


@given(st.lists(PATTERN, max_size=2), st.lists(PATTERN, max_size=2), PARTS)
def test_what_is_left_out_has_a_reason(include: list[str], exclude: list[str], path: list[str]) -> None:
    """And what belongs to the source has none; the reason names the pattern as it was written."""
    globs, name = Globs(include, exclude), "/".join(path)
    reason = globs.left_out(name)

    assert (reason is None) == globs.selects(name)
    assert reason is None or "include" in reason or any(repr(pattern) in reason for pattern in exclude)


@given(st.text("a./\n\u00e9", max_size=6))
def test_without_a_pattern_the_same_paths_are_selected_as_by_two_asterisks(path: str) -> None:
    """Most of them without a look at the pattern."""
    assert Globs((), ()).selects(path) == Globs(("**",), ()).selects(path)
