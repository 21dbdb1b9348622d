"""Reads who the members of groups are: from a CSV or JSON Lines file, from an object on S3, or from the source.

One line that is not understood spoils all of it: a list that breaks off must not look like people who have left.
"""

import csv
import io
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any, Protocol

import msgspec
from botocore.exceptions import BotoCoreError, ClientError
from msgspec import Struct

from docferry.connector import Groups
from docferry.errors import ConfigurationError, SourceUnavailable
from docferry.indexes.limits import has_controls
from docferry.model import Member
from docferry.state.stream import SPOOL_BYTES

COLUMNS = ("group", "member", "kind")
NAME_LENGTH = 1024
"""Both services take names of up to 1,024 characters, without control characters."""


class MembershipUnreadable(Exception):  # noqa: N818  # says what happened to the list, and is always caught
    """The members of groups are not known: the file is missing, or a line of it is not understood."""


class Membership(Protocol):
    """Where the members of a connector's groups are listed."""

    def members(self) -> Iterator[Member]:
        """Every member of every group, in any order.

        Raises MembershipUnreadable, which names the line, and SourceUnavailable when trying again may help.
        """
        ...


class MemberFile:
    """A file, given by its path, or by ``s3://BUCKET/KEY``."""

    def __init__(self, place: str, s3: Any) -> None:
        self._place = place
        self._s3 = s3

    def members(self) -> Iterator[Member]:
        """See Membership.members."""
        with self._opened() as file:
            text = io.TextIOWrapper(file, encoding="utf-8-sig", newline="")  # Excel writes a byte order mark
            rows = csv_rows(text) if self._place.endswith(".csv") else json_rows(text)
            number = 0
            try:
                for number, row in rows:  # the number of the last good line
                    yield member(row, f"line {number}")
            except UnicodeDecodeError as error:
                raise MembershipUnreadable(f"after line {number}: is not UTF-8") from error

    @contextmanager
    def _opened(self) -> Iterator[IO[bytes]]:
        if not self._place.startswith("s3://"):
            try:
                file = Path(self._place).expanduser().open("rb")
            except OSError as error:
                raise MembershipUnreadable(f"cannot be read ({error.strerror})") from error
            with file:
                yield file
            return
        bucket, _, key = self._place.removeprefix("s3://").partition("/")
        with tempfile.SpooledTemporaryFile(SPOOL_BYTES) as spooled:
            try:
                body = self._s3.get_object(Bucket=bucket, Key=key)["Body"]
                for block in body.iter_chunks(SPOOL_BYTES):
                    spooled.write(block)
            except ClientError as error:
                code = error.response["Error"]["Code"]
                if code in {"NoSuchKey", "NoSuchBucket", "AccessDenied"}:
                    raise MembershipUnreadable(f"cannot be read ({code})") from error
                raise SourceUnavailable(f"{self._place}: {error}") from error
            except BotoCoreError as error:
                raise SourceUnavailable(f"{self._place}: {error}") from error
            spooled.seek(0)
            yield spooled


class MembersOfSource:
    """The source's own ``groups()``, an optional method that gives an iterator of Member."""

    def __init__(self, source: Any, kind: str) -> None:
        self._groups = getattr(source, "groups", None)
        if self._groups is None:
            raise ConfigurationError(
                f"groups.source: a source of kind {kind} does not know the members of groups; give groups.file"
            )

    def members(self) -> Iterator[Member]:
        """See Membership.members."""
        assert self._groups is not None
        for number, found in enumerate(self._groups(), 1):
            row = {"group": found.group, "member": found.member, "kind": found.kind}
            yield member(row, f"entry {number}")


def membership(groups: Groups, source: Any, kind: str, s3: Any) -> Membership:
    """Where a connector lists the members of its groups. Raises ConfigurationError when its source lists none."""
    return MemberFile(groups.file, s3) if groups.file is not None else MembersOfSource(source, kind)


def csv_rows(text: IO[str]) -> Iterator[tuple[int, dict[str, Any]]]:
    """The rows of a CSV file, each with the number of its line. A file without a line has no rows."""
    reader = csv.DictReader(text, strict=True)
    try:
        names = [name.strip().lower() for name in reader.fieldnames or ()]
        reader.fieldnames = names
        if names and (missing := [name for name in COLUMNS if name not in names]):
            raise MembershipUnreadable(f"line 1: has no column {', '.join(missing)}; wanted: {', '.join(COLUMNS)}")
        for row in reader:
            if None in row or None in row.values():
                raise MembershipUnreadable(f"line {reader.line_num}: has {_cells(row)} cells, not {len(names)}")
            yield reader.line_num, row
    except csv.Error as error:
        raise MembershipUnreadable(f"line {reader.reader.line_num}: is not CSV ({error})") from error


def _cells(row: dict[Any, Any]) -> int:
    return sum(value is not None for name, value in row.items() if name is not None) + len(row.get(None, ()))


def json_rows(text: IO[str]) -> Iterator[tuple[int, dict[str, Any]]]:
    """The objects of a JSON Lines file, each with the number of its line. Empty lines are left out."""
    for number, line in enumerate(text, 1):
        if line.strip():
            try:
                yield number, msgspec.json.decode(line, type=dict[str, Any])
            except msgspec.DecodeError as error:
                raise MembershipUnreadable(f"line {number}: is not a JSON object ({error})") from error


class _Row(Struct):
    group: str
    member: str
    kind: str


def member(row: dict[str, Any], place: str) -> Member:
    """A row as a member. Raises MembershipUnreadable, which says what is wrong at this place."""
    try:
        read = msgspec.convert(row, _Row)
    except msgspec.ValidationError as error:
        raise MembershipUnreadable(f"{place}: {error}") from error
    names = {"group": read.group.strip(), "member": read.member.strip()}
    for column, name in names.items():
        if not 0 < len(name) <= NAME_LENGTH or has_controls(name):
            raise MembershipUnreadable(
                f"{place}: {column} is {name[:50]!r}; wanted: 1 to {NAME_LENGTH:,} characters, no control characters"
            )
    match read.kind.strip().lower():
        case "user":
            return Member(names["group"], names["member"], "user")
        case "group":
            return Member(names["group"], names["member"], "group")
        case _:
            raise MembershipUnreadable(f"{place}: kind is {read.kind[:50]!r}; allowed: user, group")
