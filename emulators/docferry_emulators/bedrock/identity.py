"""Who asks: the user that a request names."""

from docferry_emulators.backend import Wire
from docferry_emulators.engine.access import NOBODY, Identity


def identity_of(request: Wire) -> Identity:
    """Return the user in ``userContext``, or nobody. Names are compared as they are, and there are no groups."""
    user = request.get("userContext", {}).get("userId")
    return NOBODY if user is None else Identity(frozenset({(user, None)}), frozenset())
