"""Errors of botocore that may pass: S3 asks for patience, a server fails, a connection breaks."""

from botocore.exceptions import BotoCoreError, ClientError, HTTPClientError, IncompleteReadError
from botocore.exceptions import ConnectionError as NotConnected

BUSY = frozenset({"RequestTimeout", "SlowDown", "Throttling", "ThrottlingException", "RequestLimitExceeded", "429"})
SERVER_ERROR = 500


def may_pass(error: ClientError | BotoCoreError) -> bool:
    """Whether the same call may succeed later. botocore has made its own attempts already.

    https://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html
    """
    if isinstance(error, ClientError):
        status = error.response["ResponseMetadata"]["HTTPStatusCode"]
        return error.response["Error"]["Code"] in BUSY or status >= SERVER_ERROR
    return isinstance(error, HTTPClientError | NotConnected | IncompleteReadError)
