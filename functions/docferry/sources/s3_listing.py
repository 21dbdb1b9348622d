"""Reads the answer of ListObjectsV2, in a third of the time that botocore takes for it.

A listing is the longest part of a crawl. Botocore goes through every element of the answer with the model of the
service; the answer has one shape. What is not of this shape is left to botocore, and so are errors.

https://docs.aws.amazon.com/AmazonS3/latest/API/API_ListObjectsV2.html
"""

from collections.abc import Callable
from datetime import datetime
from typing import Any
from xml.etree import ElementTree as ET

EVENT = "before-parse.s3.ListObjectsV2"
NAMESPACE = "{http://s3.amazonaws.com/doc/2006-03-01/}"
CONTENTS = f"{NAMESPACE}Contents"
PREFIX = len(NAMESPACE)
OK = 200
FIELDS: dict[str, Callable[[str], Any]] = {
    "Key": str,
    "LastModified": datetime.fromisoformat,
    "ETag": str,
    "Size": int,
    "StorageClass": str,
    "ChecksumType": str,
}
"""The members of an object that are one text, and what makes a value of it. Botocore reads objects with others."""
LIST = "ChecksumAlgorithm"
"""The member that stands once for each of its values."""


def speed_up(s3: Any) -> None:
    """Let a client of S3 read listings this way, before botocore looks for an error in them. May be repeated."""
    s3.meta.events.register_first(EVENT, read, unique_id="docferry-listing")


def read(response_dict: dict[str, Any], customized_response_dict: dict[str, Any], **_: Any) -> None:
    """Take the objects out of the answer, so that botocore has only the rest of it to read.

    Botocore documents this hook: what ``customized_response_dict`` holds becomes part of the parsed answer.
    """
    if response_dict["status_code"] != OK:
        return
    try:
        root = ET.fromstring(response_dict["body"])  # noqa: S314  # S3's own answer; expat limits what entities become
        contents = [_object(element) for element in root.iterfind(CONTENTS)]
    except (ET.ParseError, ValueError, KeyError):
        return
    root[:] = [element for element in root if element.tag != CONTENTS]
    response_dict["body"] = ET.tostring(root)
    if contents:
        customized_response_dict["Contents"] = contents


def _object(element: ET.Element) -> dict[str, Any]:
    """One object of a listing. Raises KeyError for a member that is not one text."""
    found: dict[str, Any] = {}
    for member in element:
        name, text = member.tag[PREFIX:], member.text or ""
        if name == LIST:
            found.setdefault(LIST, []).append(text)
        else:
            found[name] = FIELDS[name](text)
    return found
