"""Opaque NextTokens: each holds the place where the next page begins, and the list to which it belongs.

A place may be a document id of 1,825 characters, and no service takes a token of that length. A long one stays here,
and its digest is given out. It does not outlive the process; tokens of services do not last for ever either.
"""

import base64
import binascii
from hashlib import sha256
from typing import Any

import msgspec

from docferry_emulators.errors import ValidationFailed

LONGEST = 800
"""Characters of a token: those of Q Business, the shortest of all."""
KEPT = 10_000
"""Long tokens that are remembered; the oldest are forgotten."""

_long: dict[str, str] = {}


def token_of(listing: str, place: Any) -> str:
    """Write a place in a listing as a token, of 800 characters at most."""
    token = base64.urlsafe_b64encode(msgspec.json.encode([listing, place])).decode()
    if len(token) <= LONGEST:
        return token
    short = sha256(token.encode()).hexdigest()
    _long[short] = token
    while len(_long) > KEPT:
        _long.pop(next(iter(_long)), None)
    return short


def place_of(listing: str, token: str | None) -> Any:
    """Return the place in a token of this listing; None without a token. Raises ValidationFailed for any other text."""
    if token is None:
        return None
    try:
        written = base64.b64decode(_long.get(token, token), altchars=b"-_", validate=True)
        name, place = msgspec.json.decode(written, type=tuple[str, Any])
    except (binascii.Error, msgspec.DecodeError, ValueError):
        raise ValidationFailed.of("nextToken", "The pagination token is not valid") from None
    if name != listing:
        raise ValidationFailed.of("nextToken", "The pagination token belongs to another list")
    return place
