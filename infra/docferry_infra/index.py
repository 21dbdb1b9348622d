"""The index data source of a connector: an existing one by its ids, or a new one; and who may call it how."""

from typing import Any

from aws_cdk import Stack
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kendra as kendra
from aws_cdk import aws_qbusiness as qbusiness
from constructs import Construct

from docferry.config.deployment import Deploy
from docferry.connector import Part
from docferry.runtime.lambdas import IndexCall
from docferry_infra.grants import allow, service_role

SERVICES = {"kendra": "kendra.amazonaws.com", "qbusiness": "qbusiness.amazonaws.com"}

ON_DATA_SOURCE: dict[IndexCall, str] = {
    "start": "StartDataSourceSyncJob",
    "stop": "StopDataSourceSyncJob",
    "jobs": "ListDataSourceSyncJobs",
}
"""Actions on the data source and all that it is in."""

ON_INDEX: dict[str, dict[IndexCall, str]] = {
    "kendra": {"put": "BatchPutDocument", "delete": "BatchDeleteDocument", "statuses": "BatchGetDocumentStatus"},
    "qbusiness": {"put": "BatchPutDocument", "delete": "BatchDeleteDocument", "statuses": "ListDocuments"},
}
"""Actions on the index and all that it is in."""

KENDRA_TYPES = {
    "STRING": "STRING_VALUE",
    "STRING_LIST": "STRING_LIST_VALUE",
    "NUMBER": "LONG_VALUE",
    "DATE": "DATE_VALUE",
}


class Index(Construct):
    """The data source. ``part`` is the connector's index with every id in it; ``role`` reads content on S3 for it."""

    def __init__(self, scope: Construct, name: str, *, connector: str, part: Part, deploy: Deploy) -> None:
        super().__init__(scope, name)
        self._connector = connector
        self._deploy = deploy
        self._fields: dict[str, str] = part.settings.get("fields", {})
        make = self._kendra if part.kind == "kendra" else self._qbusiness
        ids = make(dict(part.settings))
        self.role = None if part.settings.get("role_arn") else self._reader(part.kind, ids)
        role_arn = self.role.role_arn if self.role else part.settings["role_arn"]
        # The fields declare the attributes of an index when it is made; the functions have no use for them.
        settings = {key: value for key, value in part.settings.items() if key != "fields"}
        self.part = Part(part.kind, {**settings, **ids, "role_arn": role_arn})

    def grant(self, role: iam.Role, calls: tuple[IndexCall, ...]) -> None:
        """Allow a function its calls, on this index and data source alone; who puts documents also passes the role."""
        service, settings = self.part.kind, self.part.settings
        jobs = [f"{service}:{ON_DATA_SOURCE[call]}" for call in calls if call in ON_DATA_SOURCE]
        documents = [f"{service}:{ON_INDEX[service][call]}" for call in calls if call in ON_INDEX[service]]
        index = self.arns(settings)
        if jobs:
            allow(role, jobs, [*index, f"{index[-1]}/data-source/{settings['data_source_id']}"])
        if documents:
            allow(role, documents, index)
        if "put" in calls:
            passed = {"StringEquals": {"iam:PassedToService": SERVICES[service]}}
            allow(role, ["iam:PassRole"], [settings["role_arn"]], conditions=passed)

    def arns(self, ids: dict[str, Any]) -> list[str]:
        """The ARNs of the application, if there is one, and of the index."""
        stack = Stack.of(self)
        if "application_id" not in ids:
            return [stack.format_arn(service="kendra", resource="index", resource_name=ids["index_id"])]
        application = stack.format_arn(service="qbusiness", resource="application", resource_name=ids["application_id"])
        return [application, f"{application}/index/{ids['index_id']}"]

    def _reader(self, kind: str, ids: dict[str, Any]) -> iam.Role:
        """The role that the service reads content on S3 with; trusted for this index alone."""
        stack = Stack.of(self)
        return service_role(
            self,
            "ContentRole",
            SERVICES[kind],
            {
                "StringEquals": {"aws:SourceAccount": stack.account},
                "ArnLike": {"aws:SourceArn": self.arns(ids)[0]},
            },
        )

    def _kendra(self, settings: dict[str, Any]) -> dict[str, Any]:
        index_id = settings.get("index_id") or self._kendra_index()
        data_source_id = settings.get("data_source_id")
        if data_source_id is None:
            made = kendra.CfnDataSource(
                self, "DataSource", index_id=index_id, name=f"docferry-{self._connector}", type="CUSTOM"
            )
            data_source_id = made.attr_id
        return {"index_id": index_id, "data_source_id": data_source_id}

    def _kendra_index(self) -> str:
        stack = Stack.of(self)
        role = service_role(
            self,
            "IndexRole",
            SERVICES["kendra"],
            {
                "StringEquals": {"aws:SourceAccount": stack.account},
                "ArnLike": {"aws:SourceArn": stack.format_arn(service="kendra", resource="index", resource_name="*")},
            },
        )
        monitored(role, "AWS/Kendra", "/aws/kendra/*")
        index = kendra.CfnIndex(
            self,
            "Index",
            name=f"docferry-{self._connector}",
            edition=self._deploy.edition or "DEVELOPER_EDITION",
            role_arn=role.role_arn,
            document_metadata_configurations=[
                kendra.CfnIndex.DocumentMetadataConfigurationProperty(
                    name=name,
                    type=KENDRA_TYPES[kind],
                    search=kendra.CfnIndex.SearchProperty(displayable=True, facetable=True, searchable=kind != "DATE"),
                )
                for name, kind in sorted(self._fields.items())
            ],
        )
        index.node.add_dependency(role)
        return index.attr_id

    def _qbusiness(self, settings: dict[str, Any]) -> dict[str, Any]:
        name = f"docferry-{self._connector}"
        application_id = settings.get("application_id")
        if application_id is None:
            made = qbusiness.CfnApplication(
                self,
                "Application",
                display_name=name,
                identity_type="AWS_IAM_IDC",
                identity_center_instance_arn=self._deploy.identity_center,
            )
            application_id = made.attr_application_id
        index_id = settings.get("index_id") or self._qbusiness_index(name, application_id)
        data_source_id = settings.get("data_source_id")
        if data_source_id is None:
            data_source_id = qbusiness.CfnDataSource(
                self,
                "DataSource",
                application_id=application_id,
                index_id=index_id,
                display_name=name,
                configuration={"type": "CUSTOM", "version": "1.0.0"},
            ).attr_data_source_id
        return {"application_id": application_id, "index_id": index_id, "data_source_id": data_source_id}

    def _qbusiness_index(self, name: str, application_id: str) -> str:
        index = qbusiness.CfnIndex(
            self,
            "Index",
            application_id=application_id,
            display_name=name,
            type=self._deploy.edition or "STARTER",
            document_attribute_configurations=[
                qbusiness.CfnIndex.DocumentAttributeConfigurationProperty(name=field, type=kind, search="ENABLED")
                for field, kind in sorted(self._fields.items())
            ],
        )
        qbusiness.CfnRetriever(
            self,
            "Retriever",
            application_id=application_id,
            display_name=name,
            type="NATIVE_INDEX",
            configuration=qbusiness.CfnRetriever.RetrieverConfigurationProperty(
                native_index_configuration=qbusiness.CfnRetriever.NativeIndexConfigurationProperty(
                    index_id=index.attr_index_id
                )
            ),
        )
        return index.attr_index_id


def monitored(role: iam.Role, namespace: str, log_groups: str) -> None:
    """Allow an index its metrics and its log, as the service's guide asks for it."""
    stack = Stack.of(role)
    allow(
        role,
        ["cloudwatch:PutMetricData"],
        ["*"],
        because="PutMetricData has no resources; the condition names the one namespace.",
        conditions={"StringEquals": {"cloudwatch:namespace": namespace}},
    )
    groups = f"arn:{stack.partition}:logs:{stack.region}:{stack.account}:log-group:{log_groups}"
    allow(
        role,
        ["logs:DescribeLogGroups"],
        ["*"],
        because="DescribeLogGroups lists: it has no smaller resource.",
    )
    allow(
        role,
        ["logs:CreateLogGroup", "logs:DescribeLogStreams", "logs:CreateLogStream", "logs:PutLogEvents"],
        [groups],
        because="The service names its log groups after the id of the index, which does not exist yet.",
    )
