"""Opaque NextTokens: each holds the place where the next page begins, and the list to which it belongs."""

import base64
import binascii
from typing import Any

import msgspec

from docferry_emulators.errors import ValidationFailed


def token_of(listing: str, place: Any) -> str:
    """Write a place in a listing as a token."""
    return base64.urlsafe_b64encode(msgspec.json.encode([listing, place])).decode()


def place_of(listing: str, token: str | None) -> Any:
    """Return the place in a token of this listing; None without a token. Raises ValidationFailed for any other text."""
    if token is None:
        return None
    try:
        name, place = msgspec.json.decode(base64.b64decode(token, altchars=b"-_", validate=True), type=tuple[str, Any])
    except (binascii.Error, msgspec.DecodeError, ValueError):
        raise ValidationFailed.of("nextToken", "The pagination token is not valid") from None
    if name != listing:
        raise ValidationFailed.of("nextToken", "The pagination token belongs to another list")
    return place
