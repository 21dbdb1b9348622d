"""What each AWS call needs: the actions, and the resources that they are on.

The Service Authorization Reference has them: https://docs.aws.amazon.com/service-authorization/latest/reference/. Only
calls that a role of a stack makes are listed. Any other call of a role is refused.
"""

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from msgspec import Struct

from docferry_laptop.iam.policy import Demand

Params = Mapping[str, Any]
"""The parameters of a call, under the names that botocore's model has for them."""


class UnknownCall(Exception):  # noqa: N818  # says what the call is
    """Nothing says which permissions a call needs."""


class Call(Struct, frozen=True):
    """A call of a service. ``service`` is the name that a signature has for it, such as ``states``."""

    service: str
    operation: str
    params: Params


class Place(Struct, frozen=True):
    """Where a call is made. ``exists`` tells whether a bucket has an object under a key."""

    region: str
    account: str
    exists: Callable[[str, str], bool] = lambda *_: True
    partition: str = "aws"

    def arn(self, service: str, resource: str) -> str:
        """Return the ARN of a resource in this account and region."""
        return f"arn:{self.partition}:{service}:{self.region}:{self.account}:{resource}"


class Operation(Struct, frozen=True):
    """The actions that an operation can need, and the function that returns what one call of it needs."""

    actions: tuple[str, ...]
    demands: Callable[[Params, Place], Iterator[Demand]]


def demands(call: Call, place: Place) -> list[Demand]:
    """Return all that a call needs. Raises UnknownCall."""
    known = OPERATIONS.get((call.service, call.operation))
    if known is None:
        raise UnknownCall(f"{call.service}:{call.operation}")
    try:
        return list(known.demands(call.params, place))
    except KeyError as missing:
        raise UnknownCall(f"{call.service}:{call.operation} without {missing.args[0]}") from missing


def actions(service: str, operation: str) -> frozenset[str]:
    """Return the actions that an operation can need. Raises UnknownCall."""
    known = OPERATIONS.get((service, operation))
    if known is None:
        raise UnknownCall(f"{service}:{operation}")
    return frozenset(known.actions)


def _bucket(bucket: str, place: Place) -> str:
    return f"arn:{place.partition}:s3:::{bucket}"


def _reads(params: Params, place: Place) -> Iterator[Demand]:
    """Read an object. Without s3:ListBucket, S3 does not even tell that there is no such key."""
    bucket, key = params["Bucket"], params["Key"]
    yield Demand("s3:GetObject", f"{_bucket(bucket, place)}/{key}")
    if not place.exists(bucket, key):
        yield Demand("s3:ListBucket", _bucket(bucket, place))


def _changes(action: str) -> Operation:
    """Write or delete an object. A condition on its ETag tells something of the object: it is read, too.

    https://docs.aws.amazon.com/AmazonS3/latest/userguide/conditional-delete-enforce.html
    """

    def changed(params: Params, place: Place) -> Iterator[Demand]:
        arn = f"{_bucket(params['Bucket'], place)}/{params['Key']}"
        yield Demand(action, arn)
        if params.get("IfMatch", "*") != "*":
            yield Demand("s3:GetObject", arn)

    return Operation((action,), changed)


def _deletes(params: Params, place: Place) -> Iterator[Demand]:
    for one in params["Delete"]["Objects"]:
        yield Demand("s3:DeleteObject", f"{_bucket(params['Bucket'], place)}/{one['Key']}")


def _lists(params: Params, place: Place) -> Iterator[Demand]:
    prefix = {"s3:prefix": params.get("Prefix", "")}
    yield Demand("s3:ListBucket", _bucket(params["Bucket"], place), prefix)


def _on_bucket(action: str) -> Operation:
    def needed(params: Params, place: Place) -> Iterator[Demand]:
        yield Demand(action, _bucket(params["Bucket"], place))

    return Operation((action,), needed)


def _kendra(name: str, *, source: str = "", role: bool = False) -> Operation:
    """A call on an index, and on the data source whose id is the parameter ``source``."""
    action = f"kendra:{name}"

    def needed(params: Params, place: Place) -> Iterator[Demand]:
        index = place.arn("kendra", f"index/{params.get('IndexId') or params['Id']}")
        yield Demand(action, index)
        if source in params:
            yield Demand(action, f"{index}/data-source/{params[source]}")
        if role and "RoleArn" in params:
            yield _passed(params["RoleArn"], "kendra")

    return Operation((action, *(("iam:PassRole",) if role else ())), needed)


def _qbusiness(name: str, *, source: bool = False, role: bool = False) -> Operation:
    """A call on an index of an application, and on a data source of it."""
    action = f"qbusiness:{name}"

    def needed(params: Params, place: Place) -> Iterator[Demand]:
        application = place.arn("qbusiness", f"application/{params['applicationId']}")
        index = f"{application}/index/{params['indexId']}"
        yield Demand(action, application)
        yield Demand(action, index)
        if source:
            yield Demand(action, f"{index}/data-source/{params['dataSourceId']}")
        if role and "roleArn" in params:
            yield _passed(params["roleArn"], "qbusiness")

    return Operation((action, *(("iam:PassRole",) if role else ())), needed)


def _bedrock(name: str) -> Operation:
    """A call on a knowledge base. Its data sources are no resources of IAM."""
    action = f"bedrock:{name}"

    def needed(params: Params, place: Place) -> Iterator[Demand]:
        yield Demand(action, place.arn("bedrock", f"knowledge-base/{params['knowledgeBaseId']}"))

    return Operation((action,), needed)


def _passed(role: str, service: str) -> Demand:
    return Demand("iam:PassRole", role, {"iam:PassedToService": f"{service}.amazonaws.com"})


def _on(action: str, parameter: str) -> Operation:
    """A call on the resource whose ARN is a parameter."""

    def needed(params: Params, _: Place) -> Iterator[Demand]:
        yield Demand(action, params[parameter])

    return Operation((action,), needed)


def _on_function(params: Params, place: Place) -> Iterator[Demand]:
    name = params["FunctionName"]
    yield Demand("lambda:InvokeFunction", name if name.startswith("arn:") else place.arn("lambda", f"function:{name}"))


def _on_queue(action: str) -> Operation:
    def needed(params: Params, place: Place) -> Iterator[Demand]:
        yield Demand(action, place.arn("sqs", str(params["QueueUrl"]).rpartition("/")[2]))

    return Operation((action,), needed)


def _on_bus(params: Params, place: Place) -> Iterator[Demand]:
    for entry in params["Entries"]:
        bus = entry.get("EventBusName", "default")
        arn = bus if bus.startswith("arn:") else place.arn("events", f"event-bus/{bus}")
        context = {"events:source": entry["Source"], "events:detail-type": entry["DetailType"]}
        yield Demand("events:PutEvents", arn, context)


_READ = Operation(("s3:GetObject", "s3:ListBucket"), _reads)
_WRITE = _changes("s3:PutObject")
_LIST = Operation(("s3:ListBucket",), _lists)

OPERATIONS: Mapping[tuple[str, str], Operation] = {
    ("s3", "GetObject"): _READ,
    ("s3", "HeadObject"): _READ,
    ("s3", "HeadBucket"): _LIST,
    ("s3", "ListObjects"): _LIST,
    ("s3", "ListObjectsV2"): _LIST,
    ("s3", "PutObject"): _WRITE,
    ("s3", "CreateMultipartUpload"): _WRITE,
    ("s3", "UploadPart"): _WRITE,
    ("s3", "CompleteMultipartUpload"): _WRITE,
    ("s3", "AbortMultipartUpload"): _changes("s3:AbortMultipartUpload"),
    ("s3", "DeleteObject"): _changes("s3:DeleteObject"),
    ("s3", "DeleteObjects"): Operation(("s3:DeleteObject",), _deletes),
    # Two operations have one address: the first of each pair is an old form of the second.
    ("s3", "GetBucketNotification"): _on_bucket("s3:GetBucketNotification"),
    ("s3", "GetBucketNotificationConfiguration"): _on_bucket("s3:GetBucketNotification"),
    ("s3", "PutBucketNotification"): _on_bucket("s3:PutBucketNotification"),
    ("s3", "PutBucketNotificationConfiguration"): _on_bucket("s3:PutBucketNotification"),
    ("states", "StartExecution"): _on("states:StartExecution", "stateMachineArn"),
    ("states", "ListExecutions"): _on("states:ListExecutions", "stateMachineArn"),
    ("states", "DescribeExecution"): _on("states:DescribeExecution", "executionArn"),
    ("states", "StopExecution"): _on("states:StopExecution", "executionArn"),
    ("kendra", "DescribeIndex"): _kendra("DescribeIndex"),
    ("kendra", "UpdateIndex"): _kendra("UpdateIndex"),
    ("kendra", "StartDataSourceSyncJob"): _kendra("StartDataSourceSyncJob", source="Id"),
    ("kendra", "StopDataSourceSyncJob"): _kendra("StopDataSourceSyncJob", source="Id"),
    ("kendra", "ListDataSourceSyncJobs"): _kendra("ListDataSourceSyncJobs", source="Id"),
    ("kendra", "BatchPutDocument"): _kendra("BatchPutDocument", role=True),
    ("kendra", "BatchDeleteDocument"): _kendra("BatchDeleteDocument"),
    ("kendra", "BatchGetDocumentStatus"): _kendra("BatchGetDocumentStatus"),
    ("kendra", "PutPrincipalMapping"): _kendra("PutPrincipalMapping", source="DataSourceId", role=True),
    ("kendra", "DeletePrincipalMapping"): _kendra("DeletePrincipalMapping", source="DataSourceId"),
    ("kendra", "DescribePrincipalMapping"): _kendra("DescribePrincipalMapping", source="DataSourceId"),
    ("qbusiness", "GetIndex"): _qbusiness("GetIndex"),
    ("qbusiness", "UpdateIndex"): _qbusiness("UpdateIndex"),
    ("qbusiness", "StartDataSourceSyncJob"): _qbusiness("StartDataSourceSyncJob", source=True),
    ("qbusiness", "StopDataSourceSyncJob"): _qbusiness("StopDataSourceSyncJob", source=True),
    ("qbusiness", "ListDataSourceSyncJobs"): _qbusiness("ListDataSourceSyncJobs", source=True),
    ("qbusiness", "BatchPutDocument"): _qbusiness("BatchPutDocument", role=True),
    ("qbusiness", "BatchDeleteDocument"): _qbusiness("BatchDeleteDocument"),
    ("qbusiness", "ListDocuments"): _qbusiness("ListDocuments"),
    ("qbusiness", "PutGroup"): _qbusiness("PutGroup", role=True),
    ("qbusiness", "DeleteGroup"): _qbusiness("DeleteGroup"),
    ("qbusiness", "GetGroup"): _qbusiness("GetGroup"),
    ("bedrock", "GetDataSource"): _bedrock("GetDataSource"),
    ("bedrock", "IngestKnowledgeBaseDocuments"): _bedrock("IngestKnowledgeBaseDocuments"),
    ("bedrock", "DeleteKnowledgeBaseDocuments"): _bedrock("DeleteKnowledgeBaseDocuments"),
    ("bedrock", "GetKnowledgeBaseDocuments"): _bedrock("GetKnowledgeBaseDocuments"),
    ("bedrock", "ListKnowledgeBaseDocuments"): _bedrock("ListKnowledgeBaseDocuments"),
    ("lambda", "Invoke"): Operation(("lambda:InvokeFunction",), _on_function),
    ("secretsmanager", "GetSecretValue"): _on("secretsmanager:GetSecretValue", "SecretId"),
    ("sqs", "SendMessage"): _on_queue("sqs:SendMessage"),
    ("sqs", "ReceiveMessage"): _on_queue("sqs:ReceiveMessage"),
    ("sqs", "DeleteMessage"): _on_queue("sqs:DeleteMessage"),
    ("sqs", "GetQueueAttributes"): _on_queue("sqs:GetQueueAttributes"),
    ("sns", "Publish"): _on("sns:Publish", "TopicArn"),
    ("events", "PutEvents"): Operation(("events:PutEvents",), _on_bus),
}
