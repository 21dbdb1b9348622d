"""Group mappings and tags."""

from typing import Any

from docferry_emulators.backend import Wire, present
from docferry_emulators.engine.principals import Action, Members, read_members
from docferry_emulators.engine.resources import Resource
from docferry_emulators.errors import ResourceMissing, ValidationFailed
from docferry_emulators.kendra.base import KendraOperations


class PrincipalOperations(KendraOperations):
    """Groups and tags."""

    def put_principal_mapping(self, request: Wire) -> Wire:
        """Map a group to its members. The action with the highest ordering id counts (docs/emulator.md, rule 17)."""
        backend = self.backend
        index = self._index(request)
        members: Members | str
        wire = request["GroupMembers"]
        if path := wire.get("S3PathforGroupMembers"):
            if "RoleArn" not in request:
                raise ValidationFailed.of("roleArn", "RoleArn is required when the members are on S3.")
            content = backend.engine.context.read_object(backend.account_id, path["Bucket"], path["Key"])
            members = read_members(content) if content is not None else "The list of members on S3 cannot be read."
        else:
            members = Members(
                tuple((user["UserId"], None) for user in wire.get("MemberUsers", [])),
                tuple((group["GroupId"], group.get("DataSourceId")) for group in wire.get("MemberGroups", [])),
            )
        backend.engine.principals.put(
            index, request.get("DataSourceId"), request["GroupId"], members, self._ordering(request)
        )
        return {}

    def delete_principal_mapping(self, request: Wire) -> Wire:
        """Delete a group."""
        self.backend.engine.principals.delete(
            self._index(request), request.get("DataSourceId"), request["GroupId"], self._ordering(request)
        )
        return {}

    def describe_principal_mapping(self, request: Wire) -> Wire:
        """Return the statuses of the last actions on a group."""
        index = self._index(request)
        actions = self.backend.engine.principals.actions(index.id, request.get("DataSourceId"), request["GroupId"])
        if not actions:
            raise ResourceMissing(f"Group '{request['GroupId']}' does not exist.", "GROUP", request["GroupId"])
        return present(
            IndexId=index.id,
            DataSourceId=request.get("DataSourceId"),
            GroupId=request["GroupId"],
            GroupOrderingIdSummaries=[_action_to_wire(action) for action in actions],
        )

    def list_groups_older_than_ordering_id(self, request: Wire) -> Wire:
        """List the groups whose last action has a smaller ordering id."""
        index = self._index(request)
        found, token = self.backend.engine.principals.page(
            index.id,
            request.get("DataSourceId"),
            column="ordering",
            before=request["OrderingId"],
            token=request.get("NextToken"),
            limit=request.get("MaxResults", 10),
        )
        groups = [{"GroupId": action.group, "OrderingId": action.ordering} for action in found]
        return present(GroupsSummaries=groups, NextToken=token)

    def tag_resource(self, request: Wire) -> Wire:
        """Add tags to an index or a data source."""
        self.backend.engine.tags.put(self._tagged(request), request["Tags"])
        return {}

    def untag_resource(self, request: Wire) -> Wire:
        """Remove tags."""
        self.backend.engine.tags.remove(self._tagged(request), request["TagKeys"])
        return {}

    def list_tags_for_resource(self, request: Wire) -> Wire:
        """List the tags of an index or a data source."""
        tags = self.backend.engine.tags.of(self._tagged(request))
        return {"Tags": [{"Key": key, "Value": value} for key, value in tags.items()]}

    def _index(self, request: Wire) -> Resource:
        index = self.backend.standing_index(request["IndexId"])
        if source := request.get("DataSourceId"):
            self.backend.data_source(index.id, source)
        return index

    def _ordering(self, request: Wire) -> int:
        ordering: Any = request.get("OrderingId")
        return int(self.backend.engine.context.now() * 1000) if ordering is None else int(ordering)

    def _tagged(self, request: Wire) -> str:
        arn: str = request["ResourceARN"]
        backend = self.backend
        prefix, _, path = arn.partition(":index/")
        index, _, source = path.partition("/data-source/")
        if prefix != backend.arn("").rstrip(":"):
            raise ResourceMissing(f"Resource '{arn}' does not exist.", "RESOURCE", arn)
        if source:
            backend.data_source(index, source)
        else:
            backend.index(index)
        return arn


def _action_to_wire(action: Action) -> Wire:
    return present(
        Status=action.status,
        LastUpdatedAt=action.updated,
        ReceivedAt=action.received,
        OrderingId=action.ordering,
        FailureReason=action.message,
    )
