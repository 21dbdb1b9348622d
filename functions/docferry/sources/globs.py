"""Which paths of a source belong to it: the settings ``include`` and ``exclude``.

A pattern is matched against the whole path, as Python 3.13's ``PurePath.full_match`` does: ``*`` and ``?`` stay
inside one folder, ``[ab]`` is one of the characters, a part that is ``**`` stands for any number of folders.
Letter case counts.
"""

from collections.abc import Sequence
from fnmatch import fnmatchcase


class Globs:
    """Selects the paths that match a pattern of ``include`` (or any path, without one) and none of ``exclude``."""

    def __init__(self, include: Sequence[str], exclude: Sequence[str]) -> None:
        self._include = [_parts(pattern) for pattern in include]
        self._exclude = [_parts(pattern) for pattern in exclude]

    def selects(self, path: str) -> bool:
        """Whether the document at ``path`` belongs to the source."""
        parts = path.split("/")
        if self._include and not any(_match(parts, pattern) for pattern in self._include):
            return False
        return not any(_match(parts, pattern) for pattern in self._exclude)

    def prunes(self, folder: str) -> bool:
        """Whether ``exclude`` holds everything below ``folder``, so that nobody need look into it."""
        parts = folder.split("/")
        return any(pattern[-1] == "**" and _match([*parts, ""], pattern) for pattern in self._exclude)


def _parts(pattern: str) -> list[str]:
    """Split a pattern; one that ends in a slash means everything below that folder."""
    parts = pattern.split("/")
    return [*parts[:-1], "**"] if not parts[-1] else parts


def _match(parts: Sequence[str], pattern: Sequence[str]) -> bool:
    if not pattern:
        return not parts
    if not parts:
        return False
    head, rest = pattern[0], pattern[1:]
    if head == "**":
        return not rest or any(_match(parts[skip:], rest) for skip in range(len(parts)))
    return fnmatchcase(parts[0], head) and _match(parts[1:], rest)
