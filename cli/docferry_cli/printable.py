"""Makes texts of others safe to print: ids, titles and messages may hold markup and control characters."""

from rich.markup import escape


def printable(text: str) -> str:
    """Write control characters as Python's repr does, and escape the markup of rich."""
    return escape("".join(one if one.isprintable() else repr(one)[1:-1] for one in text))
