"""The user that a request names."""

from docferry_emulators.backend import Wire
from docferry_emulators.engine.access import NOBODY, Identity


def identity_of(request: Wire) -> Identity:
    """Return the user that ``userContext`` names. Without it, return NOBODY. A name counts as it is written."""
    user = request.get("userContext", {}).get("userId")
    return NOBODY if user is None else Identity(frozenset({(user, None)}), frozenset())
