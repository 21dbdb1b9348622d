"""Reads the answer of ListObjectsV2, in a twelfth of the time that botocore takes for it.

A listing is the longest part of a crawl. Botocore parses the answer twice, and goes through every element with the
model of the service. The objects that S3 lists all have one shape, and one regular expression reads them. What is not
of this shape is left to botocore, and so are errors.

https://docs.aws.amazon.com/AmazonS3/latest/API/API_ListObjectsV2.html
"""

import re
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any, overload
from urllib.parse import unquote_plus

from botocore import handlers
from msgspec import Struct

EVENT = "before-parse.s3.*"
# Botocore's handler of this event, which parses the whole answer to see whether it is an error.
OWN_CHECK = "_handle_200_error"
OPERATION = "ListObjectsV2"
OK = 200
BEGIN, END = b"<Contents>", b"</Contents>"
# Keys come percent-encoded, so that no character in them can mean something else to XML.
ENCODED = b"<EncodingType>url</EncodingType>"
READ = "Entries"
"""The member of the parsed answer that holds what was read here."""

OBJECT = re.compile(
    r"<Contents><Key>([^<&\s]*)</Key><LastModified>([^<&]*)</LastModified>"
    r"<ETag>(?:&quot;|&#34;|\")?([^<&\"]*)(?:&quot;|&#34;|\")?</ETag>"
    r"(?:<ChecksumAlgorithm>[^<&]*</ChecksumAlgorithm>)*(?:<ChecksumType>[^<&]*</ChecksumType>)?"
    r"<Size>([0-9]+)</Size>(?:<StorageClass>([^<&]*)</StorageClass>)?</Contents>"
)


class Entry(Struct, frozen=True, gc=False):
    """An object as S3 lists it. ``size`` is in bytes; ``etag`` has no quotes."""

    key: str
    modified: datetime
    etag: str
    size: int
    storage: str = ""


class Contents(Sequence[dict[str, Any]]):
    """The same objects as botocore would give them, each made when it is asked for.

    A client is shared: not only the source asks it for listings.
    """

    def __init__(self, entries: list[Entry]) -> None:
        self._entries = entries

    def __len__(self) -> int:
        """How many there are."""
        return len(self._entries)

    @overload
    def __getitem__(self, place: int) -> dict[str, Any]: ...
    @overload
    def __getitem__(self, place: slice) -> "Contents": ...
    def __getitem__(self, place: int | slice) -> "dict[str, Any] | Contents":
        """One, or some of them."""
        if isinstance(place, slice):
            return Contents(self._entries[place])
        one = self._entries[place]
        named = {"Key": one.key, "LastModified": one.modified, "ETag": f'"{one.etag}"', "Size": one.size}
        return named | ({"StorageClass": one.storage} if one.storage else {})


def speed_up(s3: Any) -> None:
    """Let a client of S3 read listings this way, before botocore looks at them. May be repeated.

    Handlers are called in the order in which they were registered.
    """
    events = s3.meta.events
    events.register_first(EVENT, read, unique_id="docferry-listing")
    if own := getattr(handlers, OWN_CHECK, None):  # a botocore without it has nothing that comes before us
        events.unregister(EVENT, own)
        events.register_first(EVENT, own)


def read(
    operation_model: Any, response_dict: dict[str, Any], customized_response_dict: dict[str, Any], **_: Any
) -> None:
    """Take the objects out of the answer, so that botocore has only the rest of it to read.

    Botocore documents this hook: what ``customized_response_dict`` holds becomes part of the parsed answer.
    """
    body = response_dict["body"]
    if operation_model.name != OPERATION or response_dict["status_code"] != OK:
        return
    begin, end = body.find(BEGIN), body.rfind(END) + len(END)
    if not 0 <= begin < end or ENCODED not in body:
        return
    try:
        entries = _entries(body[begin:end])
    except ValueError:
        return
    response_dict["body"] = body[:begin] + body[end:]
    customized_response_dict |= {READ: entries, "Contents": Contents(entries)}


def entries(reply: dict[str, Any]) -> list[Entry]:
    """The objects of a parsed answer."""
    if READ in reply:
        found: list[Entry] = reply[READ]
        return found
    return [
        Entry(
            one["Key"],
            one["LastModified"].astimezone(UTC),
            one["ETag"].strip('"'),
            one["Size"],
            one.get("StorageClass", ""),
        )
        for one in reply.get("Contents", ())
    ]


def _entries(objects: bytes) -> list[Entry]:
    """Read objects that follow each other. Raises ValueError when there is anything else among them."""
    found = OBJECT.findall(objects.decode())
    # As many objects as there are beginnings, and each but the last followed by another: nothing was passed over.
    if not len(found) == objects.count(BEGIN) == objects.count(END + BEGIN) + 1:
        raise ValueError("not what S3 lists")
    return [
        Entry(
            unquote_plus(key) if "%" in key or "+" in key else key,
            datetime.fromisoformat(modified).astimezone(UTC),
            etag,
            int(size),
            storage,
        )
        for key, modified, etag, size, storage in found
    ]
