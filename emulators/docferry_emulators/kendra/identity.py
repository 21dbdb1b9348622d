"""Who is asking, as the request says it. The real service does not authenticate that person either."""

import base64
import binascii
from typing import Any

import msgspec

from docferry_emulators.backend import Wire
from docferry_emulators.engine.access import NOBODY, Identity
from docferry_emulators.engine.filters import Combine, Filter
from docferry_emulators.engine.resources import Resource
from docferry_emulators.errors import ValidationFailed
from docferry_emulators.kendra.mapping import filter_of
from docferry_emulators.kendra.models import KendraBackend

USER_KEYS = frozenset({"_user_id", "_email_id"})
GROUP_KEYS = frozenset({"_group_ids", "_group_id"})
"""Filters with these names say who is asking. They are not attributes of documents."""
JWT_PARTS = 3


def asking(backend: KendraBackend, index: Resource, request: Wire) -> tuple[Identity | None, Filter | None]:
    """Return who is asking, and the filter without that part. None: the request does not say it, and sees everything.

    Adds the groups to which the user is mapped, directly or through other groups, to those that the request names.
    """
    users: set[str] = set()
    groups: set[tuple[str, str | None]] = set()
    condition = _without_identity(filter_of(wire), users, groups) if (wire := request.get("AttributeFilter")) else None
    context = request.get("UserContext", {})
    if user := context.get("UserId"):
        users.add(user)
    groups |= {(group, None) for group in context.get("Groups", [])}
    groups |= {(group["GroupId"], group["DataSourceId"]) for group in context.get("DataSourceGroups", [])}
    if token := context.get("Token"):
        _read_token(index, token, users, groups)
    if users or groups:
        identity = Identity(frozenset((user, None) for user in users), frozenset(groups))
        return backend.engine.principals.expand(index.id, identity), condition
    # With this policy, a request without a token finds only public documents.
    return (NOBODY if index.body.get("UserContextPolicy") == "USER_TOKEN" else None), condition


def _without_identity(condition: Filter, users: set[str], groups: set[tuple[str, str | None]]) -> Filter:
    if isinstance(condition, Combine):
        parts = tuple(_without_identity(part, users, groups) for part in condition.parts)
        return Combine(condition.how, parts)
    if condition.name not in USER_KEYS | GROUP_KEYS:
        return condition
    data = condition.value.data
    names = data if condition.value.kind == "STRING_LIST" else [str(data)]
    if condition.name in USER_KEYS:
        users.update(names)
    else:
        groups |= {(name, None) for name in names}
    return Combine("and", ())


def _read_token(index: Resource, token: str, users: set[str], groups: set[tuple[str, str | None]]) -> None:
    """Read user and groups from a JWT or from a JSON object. The signature of a JWT is not checked."""
    configurations = index.body.get("UserTokenConfigurations") or [{}]
    configuration: dict[str, Any] = next(iter(configurations[0].values()), {})
    part = token.split(".")[1] if token.count(".") == JWT_PARTS - 1 else token
    try:
        text = part if part.lstrip().startswith("{") else base64.urlsafe_b64decode(part + "=" * (-len(part) % 4))
        claims = msgspec.json.decode(text, type=dict[str, Any])
    except (binascii.Error, msgspec.DecodeError, ValueError):
        raise ValidationFailed.of("userContext.token", "The token is neither a JWT nor JSON.") from None
    if user := claims.get(configuration.get("UserNameAttributeField", "username")):
        users.add(str(user))
    named = claims.get(configuration.get("GroupAttributeField", "groups")) or []
    groups |= {(str(group), None) for group in (named if isinstance(named, list) else [named])}
