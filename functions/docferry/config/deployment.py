"""How a connector is deployed: the parts of connectors.yaml that its functions do not need."""

from typing import Annotated, Literal

from msgspec import Meta, Struct

from docferry.connector import Connector
from docferry.indexes import service

SECRETS_MANAGER = "^arn:[^:]+:secretsmanager:[^:]+:[0-9]{12}:secret:.+$"
KEY = "arn:[^:]+:kms:[^:]+:[0-9]{12}:key/.+"

Subnet = Annotated[str, Meta(pattern="^subnet-[0-9a-f]{8,17}$", description="the id of a subnet, subnet-0a1b2c3d")]
SecurityGroup = Annotated[
    str, Meta(pattern="^sg-[0-9a-f]{8,17}$", description="the id of a security group, sg-0a1b2c3d")
]
# https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_PutRetentionPolicy.html
Retention = Literal[
    1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288, 3653
]


class Schedule(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The ``schedule`` part of a connector: when EventBridge Scheduler starts a run."""

    expression: Annotated[str, Meta(description="such as cron(0 3 * * ? *), rate(12 hours), at(2026-01-31T03:00:00)")]
    timezone: str = "UTC"


class Vpc(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Where functions run that reach a source in a VPC. The subnets need a way to AWS: a NAT, or endpoints."""

    subnets: Annotated[tuple[Subnet, ...], Meta(min_length=1, description="at least one subnet")]
    security_groups: Annotated[tuple[SecurityGroup, ...], Meta(min_length=1, description="at least one security group")]


class Mount(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """An EFS file system that functions of a ``files`` source see under ``path``. Needs ``vpc``."""

    access_point: Annotated[
        str,
        Meta(
            pattern="^arn:[^:]+:elasticfilesystem:[^:]+:[0-9]{12}:access-point/fsap-[0-9a-f]+$",
            description="the ARN of an EFS access point",
        ),
    ]
    path: Annotated[str, Meta(pattern="^/mnt/[a-zA-Z0-9_.-]+$", description="a folder below /mnt, such as /mnt/wiki")]


class Messages(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The SNS topic that a connector's messages go to: one of the stack, or one that exists. ``email`` subscribes."""

    topic: Annotated[
        str,
        Meta(
            pattern="^(own|arn:[^:]+:sns:[^:]+:[0-9]{12}:[A-Za-z0-9_-]{1,256})$",
            description="own, or the ARN of an SNS topic",
        ),
    ] = "own"
    email: Annotated[str, Meta(pattern=r"^[^@\s]+@[^@\s]+$", description="an e-mail address")] | None = None

    def __post_init__(self) -> None:
        """Take an address for a topic of the stack alone. Raises ValueError."""
        if self.email is not None and self.topic != "own":
            raise ValueError("email is for topic: own; subscribe the address to your topic yourself")


class Deploy(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The ``deploy`` part of a connector. docs/deploy.md describes each setting.

    Retentions are in days; ``stale_hours`` without a success raise an alarm, left out as many as the schedule allows.
    """

    create: bool = False
    edition: str | None = None
    identity_center: (
        Annotated[
            str,
            Meta(
                pattern="^arn:[^:]+:sso:::instance/(sso)?ins-[a-zA-Z0-9-.]{16}$",
                description="the ARN of an IAM Identity Center instance",
            ),
        ]
        | None
    ) = None
    kms: Annotated[str, Meta(pattern=f"^(own|{KEY})$", description="own, or the ARN of a KMS key")] | None = None
    source_kms: Annotated[str, Meta(pattern=f"^{KEY}$", description="the ARN of a KMS key")] | None = None
    alarms_topic: bool = False
    uploads: bool = False
    messages: Messages | None = None
    vpc: Vpc | None = None
    mount: Mount | None = None
    log_retention: Retention = 90
    run_retention: Annotated[int, Meta(ge=7)] = 90
    stale_hours: Annotated[int, Meta(ge=1, le=168)] | None = None


class Described(Struct, frozen=True):
    """A connector as connectors.yaml describes it: what its functions are told, and how it is deployed."""

    connector: Connector
    schedule: Schedule | None = None
    deploy: Deploy | None = None


def for_laptop(described: Described) -> bool:
    """Whether a connector can only be meant for the emulated index of a laptop: no ids, and no ``deploy`` part."""
    index = described.connector.index
    return described.deploy is None and not any(index.settings.get(name) for name in service(index.kind).ids)
