"""Which paths of a source belong to it: the settings ``include`` and ``exclude``.

A pattern is matched against the whole path, as Python 3.13's ``PurePath.full_match`` does: ``*`` and ``?`` stay
inside one folder, ``[ab]`` is one of the characters, a part that is ``**`` stands for any number of folders.
Letter case counts.
"""

from collections.abc import Sequence

from wcmatch import glob

FLAGS = glob.GLOBSTAR | glob.DOTGLOB | glob.FORCEUNIX | glob.CASE

# In no name that a file system or a bucket can have.
ANY_NAME = "\x00"


class Globs:
    """Selects the paths that match a pattern of ``include`` (or any path, without one) and none of ``exclude``."""

    def __init__(self, include: Sequence[str], exclude: Sequence[str]) -> None:
        excluded = [_below(pattern) for pattern in exclude]
        self._everything = not include
        self._include = glob.compile([_below(pattern) for pattern in include] or ["**"], flags=FLAGS)
        self._exclude = glob.compile(excluded, flags=FLAGS)
        self._excluding = [(pattern, glob.compile(_below(pattern), flags=FLAGS)) for pattern in exclude]
        self._whole_folders = glob.compile([pattern for pattern in excluded if _ends_open(pattern)], flags=FLAGS)

    def selects(self, path: str) -> bool:
        """Whether the document at ``path`` belongs to the source."""
        return self._included(path) and not (self._excluding and self._exclude.match(path))

    def left_out(self, path: str) -> str | None:
        """Say which setting leaves the document at ``path`` out of the source; None when it belongs to it."""
        if not self._included(path):
            return "no pattern of include selects it"
        if self._exclude.match(path):
            hit = next(one for one, pattern in self._excluding if pattern.match(path))
            return f"the pattern {hit!r} of exclude leaves it out"
        return None

    def _included(self, path: str) -> bool:
        """Whether ``include`` selects a path. ``**`` matches every path without a part ``.`` or ``..``."""
        if self._everything and not path.startswith(".") and "/." not in path:
            return True
        return bool(self._include.match(path))

    def prunes(self, folder: str) -> bool:
        """Whether ``exclude`` holds everything below ``folder``, so that it need not be listed."""
        return bool(self._whole_folders.match(f"{folder}/{ANY_NAME}"))


def _below(pattern: str) -> str:
    """A pattern that ends in a slash means everything below that folder."""
    return f"{pattern}**" if pattern.endswith("/") else pattern


def _ends_open(pattern: str) -> bool:
    return pattern.rpartition("/")[2] == "**"
