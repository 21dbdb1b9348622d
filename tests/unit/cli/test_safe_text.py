"""Texts of other people, on a terminal."""

import pytest

from docferry_cli.safe_text import printable, visible


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("plain text", "plain text"),
        ("größe 潮 🌊", "größe 潮 🌊"),
        ("a\x1b[2Jb\x07", "a\\x1b[2Jb\\x07"),
        ("one\ntwo\r\t", "one\\ntwo\\r\\t"),
        ("\u202egnp.exe", "\\u202egnp.exe"),
        ("zero\u200bwidth\u2066", "zero\\u200bwidth\\u2066"),
        ("\x9b31m\x7f\u2028", "\\x9b31m\\x7f\\u2028"),
        ("half \ud800", "half \\ud800"),
    ],
)
def test_what_a_reader_would_not_see_is_spelled_out(text: str, shown: str) -> None:
    """Terminal commands, line ends, text that runs backwards, marks without a width."""
    assert visible(text) == shown


def test_markup_is_no_markup() -> None:
    """As rich reads it."""
    assert printable("[bold]x[/]") == "\\[bold]x\\[/]"
