"""The index data source of a connector: an existing one by its ids, or a new one; and who may call it how."""

from aws_cdk import Stack
from aws_cdk import aws_iam as iam
from constructs import Construct

from docferry.config.deployment import Deploy
from docferry.connector import Part
from docferry.indexes import service
from docferry.indexes.service import IndexCall
from docferry_infra.grants import allow, service_role
from docferry_infra.indexes import resources

ON_DATA_SOURCE: dict[IndexCall, str] = {
    "start": "StartDataSourceSyncJob",
    "stop": "StopDataSourceSyncJob",
    "jobs": "ListDataSourceSyncJobs",
}
"""Actions on the data source and all that it is in."""

PASSES_ROLE: frozenset[IndexCall] = frozenset({"put", "set_group"})
"""Calls in which the service is given the role that it reads S3 with."""


class Index(Construct):
    """The data source. ``part`` is the connector's index with every id in it; ``role`` reads content on S3 for it."""

    def __init__(self, scope: Construct, name: str, *, connector: str, part: Part, deploy: Deploy) -> None:
        super().__init__(scope, name)
        self._resources, self._service = resources(part.kind), service(part.kind)
        ids = self._resources.make(self, f"docferry-{connector}", part, deploy)
        self.role = None if part.settings.get("role_arn") else self._reader(ids)
        role_arn = self.role.role_arn if self.role else part.settings["role_arn"]
        # The fields declare the attributes of an index when it is made; the functions have no use for them.
        settings = {key: value for key, value in part.settings.items() if key != "fields"}
        self.part = Part(part.kind, {**settings, **ids, "role_arn": role_arn})

    def grant(self, role: iam.Role, calls: tuple[IndexCall, ...]) -> None:
        """Allow a function its calls, on this index and data source alone; who puts also passes the role."""
        settings, on_index = self.part.settings, self._service.on_index
        jobs = [f"{self._service.name}:{ON_DATA_SOURCE[call]}" for call in calls if call in ON_DATA_SOURCE]
        allowed = [call for call in calls if call != "declare" or settings.get("declare")]
        documents = [f"{self._service.name}:{on_index[call]}" for call in allowed if call in on_index]
        groups = [f"{self._service.name}:{action}" for call, action in self._service.on_groups.items() if call in calls]
        index = self._resources.arns(self, settings)
        data_source = f"{index[-1]}/data-source/{settings['data_source_id']}"
        if jobs:
            allow(role, jobs, [*index, data_source])
        if documents:
            allow(role, documents, index)
        if groups:
            allow(role, groups, [*index, *([data_source] if self._service.own_groups else [])])
        if PASSES_ROLE & set(calls):
            passed = {"StringEquals": {"iam:PassedToService": self._service.principal}}
            allow(role, ["iam:PassRole"], [settings["role_arn"]], conditions=passed)

    def _reader(self, ids: dict[str, str]) -> iam.Role:
        """The role that the service reads content on S3 with; trusted for this index alone."""
        return service_role(
            self,
            "ContentRole",
            self._service.principal,
            {
                "StringEquals": {"aws:SourceAccount": Stack.of(self).account},
                "ArnLike": {"aws:SourceArn": self._resources.arns(self, ids)[0]},
            },
        )
