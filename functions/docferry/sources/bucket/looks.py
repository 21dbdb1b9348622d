"""Single objects of a bucket, looked at without listing anything: one HeadObject each.

https://docs.aws.amazon.com/AmazonS3/latest/API/API_HeadObject.html: 404 says that there is no object only to who may
list the bucket; others are refused. The answer has no body, so 404 may also mean that there is no bucket.
"""

from datetime import UTC
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from docferry.errors import DocumentUnreadable
from docferry.sources.bucket.errors import MISSING, code, no_bucket, only_here, translated
from docferry.sources.bucket.listing import Entry

NOT_FOUND = 404


class Looks:
    """Looks at objects of a bucket, one by one."""

    def __init__(self, s3: Any, bucket: str) -> None:
        self._s3 = s3
        self._bucket = bucket

    def entry(self, key: str) -> Entry | None:
        """An object as a listing has it; None when HeadObject answers 404.

        Raises DocumentUnreadable when only this object cannot be looked at, and SourceUnavailable.
        """
        bucket = self._bucket
        try:
            head = self._s3.head_object(Bucket=bucket, Key=key)
        except ClientError as error:
            if error.response["ResponseMetadata"]["HTTPStatusCode"] == NOT_FOUND:
                return None
            raise only_here(error, bucket, DocumentUnreadable(f"cannot be looked at: {error}")) from error
        except BotoCoreError as error:
            raise translated(error, bucket) from error
        return Entry(
            key,
            head["LastModified"].astimezone(UTC),
            head["ETag"].strip('"'),
            head["ContentLength"],
            head.get("StorageClass", ""),
        )

    def check_bucket(self) -> None:
        """Make sure that the bucket is there, after an object in it was not.

        No answer but success says that what is not there is gone from the source. Raises ConfigurationError and
        SourceUnavailable.
        """
        bucket = self._bucket
        try:
            self._s3.head_bucket(Bucket=bucket)
        except (ClientError, BotoCoreError) as error:
            if isinstance(error, ClientError) and code(error) in MISSING:
                raise no_bucket(bucket) from error
            raise translated(error, bucket) from error
