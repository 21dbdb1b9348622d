"""What S3 answers, in Docferry's terms."""

from botocore.exceptions import BotoCoreError, ClientError

from docferry.errors import AccessDenied, ConfigurationError, DocferryError, DocumentError, SourceUnavailable
from docferry.state.passing import may_pass

MISSING = frozenset({"404", "NoSuchKey", "NotFound"})
DENIED = frozenset({"401", "403", "AccessDenied", "AllAccessDisabled"})


def code(error: ClientError) -> str:
    """The code of an error."""
    return error.response["Error"]["Code"]


def no_bucket(bucket: str) -> ConfigurationError:
    """What is wrong when there is no such bucket."""
    return ConfigurationError(f"source.bucket: there is no bucket {bucket}; name an existing one")


def only_here(error: ClientError, bucket: str, otherwise: DocumentError) -> DocferryError:
    """Tell trouble with one object from trouble with S3, which would meet the next object too."""
    meant = translated(error, bucket)
    return meant if isinstance(meant, SourceUnavailable) else otherwise


def translated(error: ClientError | BotoCoreError, bucket: str) -> DocferryError:
    """Say in Docferry's terms what keeps a bucket from being read."""
    if isinstance(error, BotoCoreError):
        if may_pass(error):
            return SourceUnavailable(f"s3://{bucket} cannot be reached: {error}")
        return ConfigurationError(f"s3://{bucket} cannot be called: {error}")
    named = code(error)
    said = f"{error.operation_name}: {named}: {error.response['Error'].get('Message', '')}"
    if named == "NoSuchBucket":
        return no_bucket(bucket)
    if may_pass(error):
        return SourceUnavailable(f"s3://{bucket}: {said}")
    if named in DENIED:
        return AccessDenied(f"s3://{bucket}: {said}; allow s3:ListBucket on the bucket and s3:GetObject on its objects")
    return ConfigurationError(f"s3://{bucket}: {said}")
