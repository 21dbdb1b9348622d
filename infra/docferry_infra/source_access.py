"""Who may read a source's documents: the functions that list and open them, and the service that indexes them."""

import re
from collections.abc import Iterator
from typing import Any

from aws_cdk import Stack
from aws_cdk import aws_iam as iam

from docferry.config.deployment import SECRETS_MANAGER, Deploy
from docferry.connector import Groups, Part
from docferry.runtime.lambdas import SourceCall
from docferry.state.keys import STAGING
from docferry_infra.grants import allow
from docferry_infra.state import StateBucket

UNDER_PREFIX = "The documents of the connector's source; their keys are not known before they are listed."
STAGED = "Staged content of any run of this connector; the keys are digests of document ids."


def grant_source(role: iam.Role, source: Part, deploy: Deploy, calls: tuple[SourceCall, ...]) -> None:
    """Allow a function to list or open the documents of a source, and each secret of it, one by one."""
    if not calls:
        return
    if source.kind == "s3" and calls != ("groups",):
        bucket = bucket_arn(role, source)
        allow(role, ["s3:ListBucket"], [bucket])
        prefixes = sidecar_prefixes(source) if calls == ("pages",) else [source.settings.get("prefix", "")]
        acl = [f"{bucket}/{key}" for key in acl_keys(source) if "pages" in calls]
        allow(role, ["s3:GetObject"], [*(f"{bucket}/{prefix}*" for prefix in prefixes), *acl], because=UNDER_PREFIX)
        if deploy.source_kms:
            allow(role, ["kms:Decrypt"], [deploy.source_kms])
    for secret in dict.fromkeys(secrets(source.settings)):
        allow(role, ["secretsmanager:GetSecretValue"], [secret])


def grant_groups(role: iam.Role, groups: Groups | None, deploy: Deploy) -> None:
    """Allow a function to read the list of groups, where it is an object on S3."""
    if groups is None or groups.file is None or not groups.file.startswith("s3://"):
        return
    bucket, _, key = groups.file.removeprefix("s3://").partition("/")
    arn = f"arn:{Stack.of(role).partition}:s3:::{bucket}"
    # Without s3:ListBucket S3 answers AccessDenied for an object that is not there.
    allow(role, ["s3:ListBucket"], [arn])
    allow(role, ["s3:GetObject"], [f"{arn}/{key}"])
    if deploy.source_kms:
        allow(role, ["kms:Decrypt"], [deploy.source_kms])


def grant_reader(role: iam.Role, source: Part, deploy: Deploy, state: StateBucket) -> None:
    """Allow the service to read what is staged, and the documents of a bucket, which never pass through a function."""
    stack = Stack.of(role)
    here: dict[str, Any] = {"StringEquals": {"aws:ResourceAccount": stack.account}}
    allow(role, ["s3:GetObject"], [state.bucket.arn_for_objects(f"{STAGING}*")], because=STAGED, conditions=here)
    if source.kind == "s3":
        objects = f"{bucket_arn(role, source)}/{source.settings.get('prefix', '')}*"
        allow(role, ["s3:GetObject"], [objects], because=UNDER_PREFIX, conditions=here)
    keys = [*([state.key.key_arn] if state.key else []), *([deploy.source_kms] if deploy.source_kms else [])]
    if keys:
        through_s3 = {"StringEquals": {"kms:ViaService": f"s3.{stack.region}.{stack.url_suffix}"}}
        allow(role, ["kms:Decrypt"], keys, conditions=through_s3)


def bucket_arn(role: iam.Role, source: Part) -> str:
    """The ARN of the bucket of an ``s3`` source."""
    return f"arn:{Stack.of(role).partition}:s3:::{source.settings['bucket']}"


def sidecar_prefixes(source: Part) -> list[str]:
    """Where the sidecars of an ``s3`` source lie: beside the documents, or under a prefix of their own."""
    metadata = source.settings.get("metadata_prefix", "")
    return [f"{metadata.rstrip('/')}/" if metadata else source.settings.get("prefix", "")]


def event_prefixes(source: Part) -> list[str]:
    """The prefixes under which an upload or a deletion changes what a crawl finds."""
    return sorted({source.settings.get("prefix", ""), *sidecar_prefixes(source), *acl_keys(source)})


def acl_keys(source: Part) -> list[str]:
    """The key of the file of an ``s3`` source that says who may see what is below each prefix."""
    return [source.settings["acl"]] if source.settings.get("acl") else []


def secrets(value: Any) -> Iterator[str]:
    """The ARNs of Secrets Manager secrets anywhere in the settings of a source."""
    if isinstance(value, str) and re.match(SECRETS_MANAGER, value):
        yield value
    for inner in value.values() if isinstance(value, dict) else value if isinstance(value, list) else ():
        yield from secrets(inner)
