"""What a source learns of a document by reading it once: its digest, and whether text is UTF-8."""

import codecs
import hashlib
from typing import BinaryIO

from docferry.model import ContentType

# https://docs.aws.amazon.com/kendra/latest/dg/in-adding-documents.html: documents are UTF-8 byte streams. A service
# accepts other text first and fails it later, once a run, for ever.
TEXT: frozenset[ContentType] = frozenset({"CSV", "HTML", "JSON", "MD", "PLAIN_TEXT", "XML", "XSLT"})
BLOCK = 1024 * 1024


def fingerprint(file: BinaryIO, content_type: ContentType) -> tuple[str, str | None]:
    """Read a file to its end; return its SHA-256 digest in hex, and why its text cannot be indexed, or None."""
    digest = hashlib.sha256()
    decoder = codecs.getincrementaldecoder("utf-8")()
    problem = None
    while block := file.read(BLOCK):
        digest.update(block)
        if content_type in TEXT and problem is None:
            problem = _undecodable(decoder, block, final=False)
    if content_type in TEXT and problem is None:
        problem = _undecodable(decoder, b"", final=True)
    return digest.hexdigest(), problem


def _undecodable(decoder: codecs.IncrementalDecoder, block: bytes, *, final: bool) -> str | None:
    try:
        decoder.decode(block, final)
    except UnicodeDecodeError:
        return "is not UTF-8 text, which is what the services index; convert it"
    return None
