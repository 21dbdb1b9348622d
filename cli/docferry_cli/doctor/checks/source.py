"""Checks of the source: whether it can be listed, and whether its bucket tells of uploads."""

from contextlib import closing
from typing import Any

from botocore.exceptions import ClientError

from docferry.errors import AccessDenied, DocferryError
from docferry.model import Document
from docferry.runtime import wiring
from docferry_cli.doctor.context import Context
from docferry_cli.doctor.findings import Ok, Result, Unknown, Wrong

GONE = frozenset({"404", "NoSuchBucket"})


def reachable(context: Context) -> Result:
    """List the first page of the source, with the credentials of this command."""
    context.open()
    source = context.connector.source
    if context.target == "aws" and source.kind == "files":
        return Unknown("the folder is mounted by the functions alone; the next run tells")
    try:
        pages: Any = wiring.source(context.connector.name, source).pages(None)
        with closing(pages):
            page = next(pages, None)
    except AccessDenied:
        raise
    except DocferryError as error:
        if context.in_vpc:
            return Unknown(f"the functions reach it from their VPC, and this machine does not: {error}")
        return Wrong(str(error), "check the settings of the source, its network and its credentials")
    listed = page.listed if page else []
    documents = sum(isinstance(one, Document) for one in listed)
    if not listed:
        return Wrong(
            "the source lists nothing", "check its path, prefix and patterns; a run would withhold all deletes"
        )
    return Ok(f"the first page has {documents:,} documents, {len(listed) - documents:,} skipped")


def uploads(context: Context) -> Result:
    """Look whether the bucket of the source tells EventBridge of uploads."""
    source = context.connector.source
    if source.kind != "s3":
        return Ok(f"a source of kind {source.kind} tells of none; runs start by schedule, by hand, or from the inbox")
    bucket = source.settings["bucket"]
    try:
        found = context.client("s3").get_bucket_notification_configuration(Bucket=bucket)
    except ClientError as error:
        if error.response["Error"]["Code"] in GONE:
            return Wrong(f"there is no bucket {bucket}", "name an existing one in connectors.yaml")
        raise
    if "EventBridgeConfiguration" in found:
        return Ok(f"{bucket} tells EventBridge of uploads")
    return Wrong(
        f"{bucket} does not tell EventBridge of uploads, so that none starts a run",
        "set deploy.uploads: true and deploy, or turn EventBridge on in the properties of the bucket",
    )
