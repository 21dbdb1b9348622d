"""The index data source of a connector: an existing one by its ids, or a new one; and who may call it how."""

from aws_cdk import aws_iam as iam
from constructs import Construct

from docferry.config.deployment import Deploy
from docferry.connector import Part
from docferry.indexes import service
from docferry.indexes.service import IndexCall
from docferry_infra.grants import allow
from docferry_infra.indexes import resources

GROUP_CALLS: frozenset[IndexCall] = frozenset({"set_group", "remove_group", "group_status"})
"""Calls that tell the index who is in which group."""
PASSES_ROLE: frozenset[IndexCall] = frozenset({"put", "set_group"})
"""Calls in which the service is given the role that it reads S3 with."""


class Index(Construct):
    """The data source. ``part`` is the connector's index with every id in it; ``role`` reads content on S3 for it."""

    def __init__(self, scope: Construct, name: str, *, connector: str, part: Part, deploy: Deploy) -> None:
        super().__init__(scope, name)
        self._resources, self._service = resources(part.kind), service(part.kind)
        ids = self._resources.make(self, f"docferry-{connector}", part, deploy)
        self.role = self._resources.reader(self, ids) if not part.settings.get("role_arn") else None
        role_arn = self.role.role_arn if self.role else part.settings.get("role_arn")
        # The fields declare the attributes of an index when it is made; the functions have no use for them.
        settings = {key: value for key, value in part.settings.items() if key != "fields"}
        self.part = Part(part.kind, {**settings, **ids, **({"role_arn": role_arn} if role_arn else {})})

    @property
    def knows_groups(self) -> bool:
        """Whether the index is told who is in which group."""
        return bool(self._service.on_groups)

    def grant(self, role: iam.Role, calls: tuple[IndexCall, ...], *, groups: bool) -> None:
        """Allow a function its calls, on this index and data source alone; who puts also passes the role.

        ``groups``: whether the connector has groups. Without, no function may change those of the index.
        """
        settings, service = self.part.settings, self._service
        allowed = {call for call in calls if call != "declare" or settings.get("declare")}
        if not groups:
            allowed -= GROUP_CALLS
        jobs, documents, of_groups = (
            [f"{service.name}:{action}" for call, actions in on.items() if call in allowed for action in actions]
            for on in (service.on_jobs, service.on_index, service.on_groups)
        )
        index = self._resources.arns(self, settings)
        # Where there are no sync jobs, IAM knows no data sources either.
        data_source = [f"{index[-1]}/data-source/{settings['data_source_id']}"] if service.has_jobs else []
        if jobs:
            allow(role, jobs, [*index, *data_source])
        if documents:
            allow(role, documents, index)
        if of_groups:
            allow(role, of_groups, [*index, *(data_source if service.own_groups else [])])
        if service.takes_role and PASSES_ROLE & allowed:
            passed = {"StringEquals": {"iam:PassedToService": self._service.principal}}
            allow(role, ["iam:PassRole"], [settings["role_arn"]], conditions=passed)
