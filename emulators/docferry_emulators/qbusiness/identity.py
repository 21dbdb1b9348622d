"""The identity of a user in one index of an application: user id, aliases and groups."""

from docferry_emulators.backend import Wire
from docferry_emulators.engine.access import Identity, fold_address
from docferry_emulators.engine.principals import Scoped
from docferry_emulators.qbusiness.models import QBusinessBackend


def aliases_of(backend: QBusinessBackend, application_id: str, user_id: str) -> list[Wire]:
    """Return the aliases of a user; none if the user was not created."""
    user = backend.engine.resources.find(backend.scope, "user", fold_address(user_id), parent=application_id)
    aliases: list[Wire] = [] if user is None else user.body["userAliases"]
    return aliases


def names_of(backend: QBusinessBackend, application_id: str, index_id: str, user_id: str) -> frozenset[Scoped]:
    """Return the names of a user in an index, each with the data source in which it counts."""
    aliases = aliases_of(backend, application_id, user_id)
    local = {
        (fold_address(alias["userId"]), alias.get("dataSourceId"))
        for alias in aliases
        if alias.get("indexId") in (None, index_id)
    }
    return frozenset({(fold_address(user_id), None), *local})


def identity_of(backend: QBusinessBackend, application_id: str, index_id: str, user_id: str) -> Identity:
    """Return the identity of a user, with every name and group."""
    users = names_of(backend, application_id, index_id, user_id)
    return backend.engine.principals.expand(index_id, Identity(users, frozenset(), fold_address))
