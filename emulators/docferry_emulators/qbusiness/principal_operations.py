"""Users, groups, and who may see a document."""

from docferry_emulators.backend import Wire, present
from docferry_emulators.engine import access
from docferry_emulators.engine.access import Access, Principal, Tree, fold_address
from docferry_emulators.engine.principals import Action, Members, read_members
from docferry_emulators.engine.resources import Resource
from docferry_emulators.errors import Conflicting, ResourceMissing, ValidationFailed
from docferry_emulators.qbusiness.base import QBusinessOperations
from docferry_emulators.qbusiness.identity import identity_of, names_of

INLINE_MEMBERS = 1000
ALIASES = 100


class PrincipalOperations(QBusinessOperations):
    """Users and groups."""

    def create_user(self, request: Wire) -> Wire:
        """Create a user with its aliases."""
        backend = self.backend
        application = backend.application(request)

        def create() -> Wire:
            name = fold_address(request["userId"])
            if backend.engine.resources.find(backend.scope, "user", name, parent=application.id):
                raise Conflicting(f"User '{request['userId']}' exists already.", "USER", request["userId"])
            aliases = request.get("userAliases", [])
            self._check(application, aliases)
            backend.engine.resources.create(
                backend.scope, "user", {"userAliases": aliases}, parent=application.id, name=name
            )
            return {}

        scope = f"{backend.scope}/{application.id}"
        return backend.engine.resources.once(scope, "CreateUser", request.get("clientToken"), request, create)

    def get_user(self, request: Wire) -> Wire:
        """Return the aliases of a user."""
        return {"userAliases": self._user(request).body["userAliases"]}

    def update_user(self, request: Wire) -> Wire:
        """Add, replace and delete aliases. A user has one alias for each index and data source."""
        user = self._user(request)
        self._check(self.backend.application(request), request.get("userAliasesToUpdate", []))
        aliases = {_place(alias): alias for alias in user.body["userAliases"]}
        deleted = [alias for one in request.get("userAliasesToDelete", []) if (alias := aliases.pop(_place(one), None))]
        added: list[Wire] = []
        updated: list[Wire] = []
        for alias in request.get("userAliasesToUpdate", []):
            (updated if _place(alias) in aliases else added).append(alias)
            aliases[_place(alias)] = alias
        if len(aliases) > ALIASES:
            raise ValidationFailed.of("userAliasesToUpdate", f"A user has at most {ALIASES} aliases.")
        user.body["userAliases"] = list(aliases.values())
        self.backend.engine.resources.save(user, transition=False)
        return {"userAliasesAdded": added, "userAliasesUpdated": updated, "userAliasesDeleted": deleted}

    def delete_user(self, request: Wire) -> Wire:
        """Delete a user."""
        self.backend.engine.resources.remove(self._user(request))
        return {}

    def put_group(self, request: Wire) -> Wire:
        """Map a group to its members. The last put counts."""
        backend = self.backend
        index, source = self._place(request)
        if request["type"] == "DATASOURCE" and source is None:
            raise ValidationFailed.of("dataSourceId", "A group of type DATASOURCE needs a dataSourceId.")
        wire = request["groupMembers"]
        members: Members | str
        if path := wire.get("s3PathForGroupMembers"):
            if "roleArn" not in request:
                raise ValidationFailed.of("roleArn", "roleArn is required when the members are on S3.")
            content = backend.engine.context.read_object(backend.account_id, path["bucket"], path["key"])
            members = read_members(content) if content is not None else "The list of members on S3 cannot be read."
        else:
            members = Members(
                tuple((user["userId"], _scope(user, source)) for user in wire.get("memberUsers", [])),
                tuple((group["groupName"], _scope(group, source)) for group in wire.get("memberGroups", [])),
            )
            if len(members.users) + len(members.groups) > INLINE_MEMBERS:
                raise ValidationFailed.of("groupMembers", f"A request has at most {INLINE_MEMBERS} members.")
        backend.engine.principals.put(index, source, request["groupName"], members, self._now())
        return {}

    def delete_group(self, request: Wire) -> Wire:
        """Delete a group."""
        index, source = self._place(request)
        self.backend.engine.principals.delete(index, source, request["groupName"], self._now())
        return {}

    def get_group(self, request: Wire) -> Wire:
        """Return the statuses of the last actions on a group."""
        index, source = self._place(request)
        actions = self.backend.engine.principals.actions(index.id, source, request["groupName"])
        if not actions:
            raise ResourceMissing(f"Group '{request['groupName']}' does not exist.", "GROUP", request["groupName"])
        return {"status": _action_to_wire(actions[0]), "statusHistory": [_action_to_wire(one) for one in actions]}

    def list_groups(self, request: Wire) -> Wire:
        """List the groups that were last changed before a time."""
        index, source = self._place(request)
        found, token = self.backend.engine.principals.page(
            index.id,
            source,
            column="due",
            before=request["updatedEarlierThan"],
            token=request.get("nextToken"),
            limit=request.get("maxResults", 10),
        )
        return present(items=[{"groupName": action.group} for action in found], nextToken=token)

    def check_document_access(self, request: Wire) -> Wire:
        """Tell whether a user may see a document; also the user's aliases and groups, and the access control."""
        backend = self.backend
        index = backend.index(request)
        source = request.get("dataSourceId")
        row = backend.engine.statuses.indexed(index.id, request["documentId"])
        if row is None or source not in (None, row["data_source"]):
            raise ResourceMissing(
                f"Document '{request['documentId']}' does not exist.", "DOCUMENT", request["documentId"]
            )
        application, user, source = request["applicationId"], request["userId"], row["data_source"]
        tree = access.decode(row["acl"])
        identity = identity_of(backend, application, index.id, user)
        here = (None, source)
        groups = sorted((name, scope or "") for name, scope in identity.groups if scope in here)
        aliases = names_of(backend, application, index.id, user) - {(fold_address(user), None)}
        return {
            "userGroups": [{"name": name, "type": _type(scope)} for name, scope in groups],
            "userAliases": [
                {"id": name, "type": _type(scope)}
                for name, scope in sorted((name, scope or "") for name, scope in aliases if scope in here)
            ],
            "hasAccess": access.visible(tree, identity, source),
            "documentAcl": {
                "allowlist": _membership(tree, "ALLOW"),
                "denyList": _membership(tree, "DENY"),
            },
        }

    def _user(self, request: Wire) -> Resource:
        application = self.backend.application(request)
        user = self.backend.engine.resources.find(
            self.backend.scope, "user", fold_address(request["userId"]), parent=application.id
        )
        if user is None:
            raise ResourceMissing(f"User '{request['userId']}' does not exist.", "USER", request["userId"])
        return user

    def _check(self, application: Resource, aliases: list[Wire]) -> None:
        for alias in aliases:
            if "indexId" in alias:
                wire = {"applicationId": application.id, **alias}
                self.backend.index(wire)
                if "dataSourceId" in alias:
                    self.backend.data_source(wire)

    def _place(self, request: Wire) -> tuple[Resource, str | None]:
        source = request.get("dataSourceId")
        if source is not None:
            self.backend.data_source(request)
        return self.backend.index(request), source

    def _now(self) -> int:
        return int(self.backend.engine.context.now() * 1000)


def _place(alias: Wire) -> tuple[str | None, str | None]:
    return alias.get("indexId"), alias.get("dataSourceId")


def _scope(member: Wire, source: str | None) -> str | None:
    return source if member.get("type") == "DATASOURCE" else None


def _type(scope: str | None) -> str:
    return "DATASOURCE" if scope else "INDEX"


def _membership(tree: Tree | None, kind: Access) -> Wire:
    if tree is None:
        return {"conditions": []}
    conditions = []
    for control in tree.controls:
        entries = [principal for principal in control.principals if principal.access == kind]
        if entries:
            conditions.append(
                {
                    "memberRelation": control.relation,
                    "users": [{"id": one.name, "type": _kind(one)} for one in entries if one.type == "USER"],
                    "groups": [{"name": one.name, "type": _kind(one)} for one in entries if one.type == "GROUP"],
                }
            )
    return {"memberRelation": tree.relation, "conditions": conditions}


def _kind(principal: Principal) -> str:
    return principal.membership or "INDEX"


def _action_to_wire(action: Action) -> Wire:
    error = {"errorCode": "InvalidRequest", "errorMessage": action.message} if action.message else None
    return present(status=action.status, lastUpdatedAt=action.updated, errorDetail=error)
