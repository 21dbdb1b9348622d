"""Who a user of an application is, in one index: by user id, by alias, by group."""

from docferry_emulators.backend import Wire
from docferry_emulators.engine.access import Identity, fold_address
from docferry_emulators.engine.principals import Scoped
from docferry_emulators.qbusiness.models import QBusinessBackend


def aliases_of(backend: QBusinessBackend, application_id: str, user_id: str) -> list[Wire]:
    """Return the aliases of a user. The user need not have been created."""
    user = backend.engine.resources.find(backend.scope, "user", fold_address(user_id), parent=application_id)
    aliases: list[Wire] = [] if user is None else user.body["userAliases"]
    return aliases


def names_of(backend: QBusinessBackend, application_id: str, index_id: str, user_id: str) -> frozenset[Scoped]:
    """Return the names a user has in an index, each with the data source it counts in."""
    aliases = aliases_of(backend, application_id, user_id)
    local = {
        (fold_address(alias["userId"]), alias.get("dataSourceId"))
        for alias in aliases
        if alias.get("indexId") in (None, index_id)
    }
    return frozenset({(fold_address(user_id), None), *local})


def identity_of(backend: QBusinessBackend, application_id: str, index_id: str, user_id: str) -> Identity:
    """Return a user with every name and group."""
    users = names_of(backend, application_id, index_id, user_id)
    return backend.engine.principals.expand(index_id, Identity(users, frozenset(), fold_address))
