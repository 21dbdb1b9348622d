"""Checks of the content role: the service may take it on, a function may pass it, and it may read the content."""

from typing import Any

from botocore.exceptions import ClientError

from docferry.state.keys import STAGING
from docferry_cli.doctor.context import Context
from docferry_cli.doctor.findings import Ok, Result, Wrong
from docferry_cli.doctor.indexes import kind
from docferry_cli.doctor.policies import allows, role_name, statements, trusts

NO_KEY = "ServerSideEncryptionConfigurationNotFoundError"
NONE = Wrong("the functions were given no role to read content with", "deploy the connector, or set index.role_arn")


def trusted(context: Context) -> Result:
    """Look whether the content role is there, and trusts the service for this index."""
    arn = context.content_role
    if arn is None:
        return _without(context)
    service = context.service.principal
    resource = kind(context.index.kind).resource(context.index.settings)
    try:
        role = context.client("iam").get_role(RoleName=role_name(arn))["Role"]
    except ClientError as error:
        if error.response["Error"]["Code"] != "NoSuchEntity":
            raise
        return Wrong(f"there is no role {arn}", "deploy the connector again, or name another role in index.role_arn")
    if not trusts(role["AssumeRolePolicyDocument"], service, arn.split(":")[4], resource):
        return Wrong(f"{arn} does not trust {service} for {resource}", f"let its trust policy name {service}")
    return Ok(f"{service} may take on {arn}")


def passable(context: Context) -> Result:
    """Look whether the function that puts documents may pass the role to the service."""
    arn = context.content_role
    if not context.service.takes_role:
        return Ok("the index reads with a role of its own, which is passed by nobody")
    if arn is None:
        return NONE
    function = role_name(context.function("put_batch")["Role"])
    if not allows(statements(context.client("iam"), function), "iam:PassRole", arn):
        return Wrong(f"{function} may not pass {arn}", "deploy the connector again: its template allows iam:PassRole")
    return Ok(f"{function} may pass it")


def readable(context: Context) -> Result:
    """Look whether the role may read staged content, and the documents of a source bucket."""
    arn = context.content_role
    if arn is None:
        return _without(context)
    opened = context.open()
    partition = arn.split(":")[1]
    wanted = [("s3:GetObject", f"arn:{partition}:s3:::{opened.bucket}/{STAGING}content")]
    source = context.connector.source
    if source.kind == "s3":
        key = f"{source.settings.get('prefix', '')}document"
        wanted.append(("s3:GetObject", f"arn:{partition}:s3:::{source.settings['bucket']}/{key}"))
    if key_arn := _key(context.client("s3"), opened.bucket):
        wanted.append(("kms:Decrypt", key_arn))
    granted = statements(context.client("iam"), role_name(arn))
    refused = [f"{action} on {resource}" for action, resource in wanted if not allows(granted, action, resource)]
    if refused:
        return Wrong(f"{arn} may not {', '.join(refused)}", "allow it in the policies of the role")
    return Ok(f"the role may read {' and '.join(resource for _, resource in wanted)}")


def _without(context: Context) -> Result:
    """What it means that there is no role. An index with a role of its own takes content inline."""
    return NONE if context.service.takes_role else Ok("content goes inline; index.role_arn is not set")


def _key(s3: Any, bucket: str) -> str | None:
    """The ARN of the key of yours that encrypts a bucket, or None."""
    try:
        found = s3.get_bucket_encryption(Bucket=bucket)["ServerSideEncryptionConfiguration"]["Rules"]
    except ClientError as error:
        if error.response["Error"]["Code"] == NO_KEY:
            return None
        raise
    ids = [rule.get("ApplyServerSideEncryptionByDefault", {}).get("KMSMasterKeyID") for rule in found]
    return next((one for one in ids if one and ":key/" in one), None)
