"""Finds secrets that are written out in connectors.yaml, where they do not belong."""

import re
from collections.abc import Iterator
from typing import Any

from docferry.config.deployment import SECRETS_MANAGER
from docferry.config.places import Place, spelled
from docferry.sources import secrets

_SECRET_NAME = re.compile(
    r"(^|_)(password|passwd|passphrase|secret|token|api_key|apikey|private_key|secret_key|access_key|account_key"
    r"|connection_string|credentials?|authorization|cookie)(_arn)?$"
)
_USER_INFO = re.compile(r"^[a-z][a-z0-9+.-]*://[^/@:]*:[^/@]+@")


def found(value: Any, place: Place, inside: tuple[int, ...] = ()) -> Iterator[str]:
    """Find what looks like a secret in plain text. The secret itself is not repeated."""
    if id(value) in inside:  # an alias to what contains it
        return
    if isinstance(value, str) and _USER_INFO.match(value):
        yield f"{spelled(place)}: has a password in it; store it in Secrets Manager, and give its ARN, or env:NAME"
    members = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for name, inner in members:
        if is_secret(name, inner):
            yield (
                f"{spelled((*place, name))}: looks like a secret in plain text; store it in Secrets Manager, "
                "and give its ARN, or env:NAME"
            )
        else:
            yield from found(inner, (*place, name), (*inside, id(value)))


def is_secret(name: object, value: object) -> bool:
    """Whether a setting of this name is a secret in plain text."""
    if isinstance(value, bool) or not isinstance(value, str | int):
        return False
    if str(value).startswith(secrets.ENVIRONMENT) or re.match(SECRETS_MANAGER, str(value)):
        return False
    return bool(_SECRET_NAME.search(str(name).lower().replace("-", "_")))  # a header's name has hyphens
