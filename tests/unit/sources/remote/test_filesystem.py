"""What file systems say of their files, in their many ways."""

import errno
from datetime import UTC, datetime
from ftplib import error_perm
from typing import Any

import pytest

from docferry.errors import DocumentUnreadable, SourceUnavailable
from docferry.sources.describing.globs import Globs
from docferry.sources.remote import walk
from docferry.sources.remote.filesystem import Item, Remote, translated
from docferry.sources.remote.walk import Walk

NOON = datetime(2026, 1, 31, 12, tzinfo=UTC)


class Fake:
    """A file system of fsspec that lists what it is given."""

    def __init__(self, **folders: list[dict[str, Any]]) -> None:
        self.folders = folders

    def invalidate_cache(self, path: str | None = None) -> None:
        """Nothing is kept."""

    def ls(self, path: str, detail: bool) -> list[dict[str, Any]]:  # noqa: FBT001  # fsspec's
        """List a folder."""
        assert detail
        return self.folders[path]


def listed(*infos: dict[str, Any], root: str = "root") -> list[Item]:
    """What is in a folder that is listed so."""
    fs: Any = Fake(**{root: [{"type": "file", "size": 4, **info} for info in infos]})
    return Remote(fs, root).ls("")


@pytest.mark.parametrize(
    ("info", "version"),
    [
        ({"ETag": '"abc"', "mtime": 1}, 'ETag:"abc"'),
        ({"etag": "abc", "md5Hash": "xyz"}, "md5Hash:xyz"),
        ({"content_md5": bytearray(b"\x01\xff")}, "content_md5:01ff"),
        ({"sha": "abc"}, "sha:abc"),
        ({"etag": None, "modified": NOON}, "mtime:2026-01-31T12:00:00+00:00/4"),
        ({"mtime": NOON.timestamp()}, "mtime:2026-01-31T12:00:00+00:00/4"),
        ({"modificationTime": int(NOON.timestamp()) * 1000}, "mtime:2026-01-31T12:00:00+00:00/4"),
        ({"modify": "20260131120000"}, "mtime:2026-01-31T12:00:00+00:00/4"),
        ({"last_modified": "2026-01-31T13:00:00+01:00"}, "mtime:2026-01-31T12:00:00+00:00/4"),
        ({"mtime": NOON.replace(tzinfo=None)}, "mtime:2026-01-31T12:00:00+00:00/4"),
        ({"modify": "Jan 31 12:00"}, ""),
        ({"mtime": True}, ""),
        ({"mtime": 1e300}, ""),
        ({"created": NOON}, ""),
        ({"mtime": NOON, "size": None}, ""),
        ({}, ""),
    ],
)
def test_the_version_of_a_file(info: dict[str, Any], version: str) -> None:
    """A checksum before a time; neither where there is none that can be trusted."""
    (item,) = listed({"name": "root/a.md", **info})
    assert item.version == version


def test_a_file_without_size_has_to_be_read() -> None:
    """It is not taken for empty."""
    (item,) = listed({"name": "root/a.md", "size": None})
    assert item.size == -1


@pytest.mark.parametrize("name", ["root/../a.md", "/etc/passwd", "other/a.md", "root/b/a.md", "root/..", "root/."])
def test_a_server_may_not_name_what_is_elsewhere(name: str) -> None:
    """It is reported, and never opened."""
    (item,) = listed({"name": name})
    assert (item.kind, item.problem) == ("outside", "its name leads out of its folder; rename it")


@pytest.mark.parametrize("name", ["/root/a.md", "root/a.md", "host/root/a.md"])
def test_file_systems_write_paths_in_their_own_ways(name: str) -> None:
    """With a slash in front, or with the server."""
    assert listed({"name": name})[0].name == "a.md"


def test_a_name_that_the_library_cannot_ask_for_is_skipped() -> None:
    """Opening it would fail, and the run with it."""
    fs: Any = Fake(root=[{"name": "root/a#b.md", "type": "file", "size": 4}])
    (item,) = Remote(fs, "root", never="#?").ls("")
    assert (item.kind, item.problem) == ("other", "its name has a # or ?, which the library cannot ask for; rename it")


def test_a_folder_that_lists_itself() -> None:
    """Object stores keep an empty object for it."""
    assert [item.name for item in listed({"name": "root/"}, {"name": "root/a.md"})] == ["a.md"]


def test_what_is_no_file() -> None:
    """Links, whatever they are called, and devices."""
    kinds = listed(
        {"name": "root/a", "type": "link"},
        {"name": "root/b", "islink": True},
        {"name": "root/c", "type": "directory"},
        {"name": "root/d", "type": "other"},
    )
    assert [(item.kind, item.problem) for item in kinds] == [
        ("other", "is a symbolic link, which is not followed"),
        ("other", "is a symbolic link, which is not followed"),
        ("folder", ""),
        ("other", "is not a regular file"),
    ]


@pytest.mark.parametrize(
    ("raised", "wanted"),
    [
        (FileNotFoundError("x"), FileNotFoundError),
        (NotADirectoryError(errno.ENOTDIR, "x"), FileNotFoundError),
        (PermissionError("x"), PermissionError),
        (OSError(errno.EACCES, "x"), PermissionError),
        (error_perm("550 no"), PermissionError),
        (IsADirectoryError("x"), DocumentUnreadable),
        (ConnectionResetError("x"), SourceUnavailable),
        (TimeoutError(), SourceUnavailable),
        (EOFError(), SourceUnavailable),
        (OSError(errno.EIO, "x"), SourceUnavailable),
        (KeyError("x"), SourceUnavailable),
        (ValueError("x"), SourceUnavailable),
    ],
)
def test_an_error_that_nobody_knows_is_an_outage(raised: Exception, wanted: type[Exception]) -> None:
    """Only what says that one path is gone, or closed, says something of that path."""
    with pytest.raises(wanted), translated("a.md"):
        raise raised


def test_links_that_look_like_folders_end_somewhere(monkeypatch: pytest.MonkeyPatch) -> None:
    """Some servers follow them: then a circle has no end, and what is in it cannot be told."""

    class Circle:
        def ls(self, folder: str) -> list[Item]:
            del folder
            return [Item("a.md", "file", 4, "v"), Item("again", "folder")]

        def item(self, path: str) -> Item:
            return Item(path, "folder")

        def read(self, path: str, limit: int) -> bytes:
            raise NotImplementedError

    monkeypatch.setattr(walk, "DEPTH", 5)
    *_, last = found = list(Walk(Circle(), Globs((), ())).entries(""))
    assert len(found) == 6
    assert last.incomplete
    assert "links may lead in a circle" in last.problem
