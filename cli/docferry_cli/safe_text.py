"""Texts of other people, such as ids, titles and reasons, as they can be printed: nothing in them is a command."""

import unicodedata

from rich.markup import escape

# Cc: line ends and terminal commands. Cf: text that runs backwards, and marks without a width. Cs, Co, Cn: no character
# at all. Zl, Zp: line ends.
HIDDEN = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})


def visible(text: str) -> str:
    r"""Spell out each character that a reader would not see, such as ``\x1b`` and ``\u202e``."""
    if text.isascii() and text.isprintable():
        return text
    return "".join(_spelled(one) if unicodedata.category(one) in HIDDEN else one for one in text)


def printable(text: str) -> str:
    """Return a text as rich prints it: as it is, with no markup and no commands in it."""
    return escape(visible(text))


def _spelled(character: str) -> str:
    return character.encode("unicode_escape").decode("ascii")
