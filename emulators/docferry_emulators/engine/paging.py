"""Opaque NextTokens: the place to go on from, bound to the list it belongs to."""

import base64
import binascii
from typing import Any

import msgspec

from docferry_emulators.errors import ValidationFailed


def token_of(listing: str, place: Any) -> str:
    """Write the place in a listing down."""
    return base64.urlsafe_b64encode(msgspec.json.encode([listing, place])).decode()


def place_of(listing: str, token: str | None) -> Any:
    """Read a token of the same listing; None without one. Raises ValidationFailed for any other text."""
    if token is None:
        return None
    try:
        name, place = msgspec.json.decode(base64.b64decode(token, altchars=b"-_", validate=True), type=tuple[str, Any])
    except (binascii.Error, msgspec.DecodeError, ValueError):
        raise ValidationFailed.of("nextToken", "The pagination token is not valid") from None
    if name != listing:
        raise ValidationFailed.of("nextToken", "The pagination token belongs to another list")
    return place
