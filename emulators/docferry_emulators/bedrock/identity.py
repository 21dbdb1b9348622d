"""The user that a request names."""

from docferry_emulators.backend import Wire
from docferry_emulators.engine.access import NOBODY, Identity


def identity_of(request: Wire) -> Identity:
    """Return the user that ``userContext`` names. Without it, return an identity without names.

    Names are compared as they are written. There are no groups.
    """
    user = request.get("userContext", {}).get("userId")
    return NOBODY if user is None else Identity(frozenset({(user, None)}), frozenset())
