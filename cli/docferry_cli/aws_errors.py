"""Says what an error of AWS means for the person at the terminal, and what to do."""

import re

from botocore import exceptions
from botocore.exceptions import ClientError

from docferry.errors import AccessDenied

SIGN_IN = "sign in again (such as `aws sso login`), or set AWS_PROFILE"
EXPIRED = frozenset({"ExpiredToken", "ExpiredTokenException", "RequestExpired"})
UNKNOWN = frozenset(
    {"InvalidClientTokenId", "UnrecognizedClientException", "InvalidAccessKeyId", "SignatureDoesNotMatch"}
)
DENIED = frozenset({"AccessDenied", "AccessDeniedException", "UnauthorizedOperation"})
GONE = frozenset({"ResourceNotFoundException", "NoSuchBucket", "StateMachineDoesNotExist"})
# User: <who> is not authorized to perform: <action> on resource: <what> because ...
# https://docs.aws.amazon.com/IAM/latest/UserGuide/troubleshoot_access-denied.html
REFUSAL = re.compile(
    r"User: (?P<who>\S+) is not authorized to perform: (?P<action>[\w:*-]+)(?: on resource: (?P<what>\S+))?"
)


# What the client itself finds wrong, the first that fits, and what to do.
CURES: tuple[tuple[tuple[type[Exception], ...], str], ...] = (
    ((exceptions.NoRegionError,), "set AWS_REGION, or give the profile a region"),
    ((exceptions.NoCredentialsError, exceptions.PartialCredentialsError, exceptions.CredentialRetrievalError), SIGN_IN),
    ((exceptions.SSOError, exceptions.SSOTokenLoadError, exceptions.TokenRetrievalError), SIGN_IN),
    ((exceptions.ProfileNotFound,), "`aws configure list-profiles` lists the profiles there are"),
    (
        (exceptions.ConnectionError, exceptions.HTTPClientError),
        "check the network, the region, and AWS_ENDPOINT_URL if it is set",
    ),
    ((Exception,), "check the credentials and the region of the environment"),
)


def of_aws(error: Exception) -> bool:
    """Whether a client of AWS has raised this, for an answer or for want of one."""
    return type(error).__module__.startswith(("botocore.", "boto3."))


def explain(error: Exception) -> str:
    """Return one sentence or two: what is wrong, and the cure. A missing right names its action and its resource."""
    if isinstance(error, ClientError):
        return _refusal(error)
    cure = next(cure for kinds, cure in CURES if isinstance(error, kinds))
    return f"{str(error).rstrip('.')}: {cure}"


def explained(error: AccessDenied) -> str:
    """What an index or a source refuses. AWS's own answer says more where it names the right, or the credentials."""
    cause = error.__cause__
    if not isinstance(cause, ClientError):
        return str(error)
    code, message = cause.response["Error"].get("Code", ""), cause.response["Error"].get("Message", "")
    return _refusal(cause) if code in EXPIRED | UNKNOWN or REFUSAL.search(message) else str(error)


def _refusal(error: ClientError) -> str:
    code, message = error.response["Error"].get("Code", ""), error.response["Error"].get("Message", "")
    operation = error.operation_name
    if code in EXPIRED:
        return f"the AWS credentials have expired: {SIGN_IN}"
    if code in UNKNOWN:
        return f"AWS does not know these credentials ({code}): {SIGN_IN}"
    if code in DENIED or "not authorized to perform" in message:
        found = REFUSAL.search(message)
        if found is None:
            return f"{operation} was refused ({message or code}): ask for the right to call it"
        what = f" on {found['what']}" if found["what"] else ""
        return f"the right {found['action']}{what} is missing: ask for it to be given to {found['who']}"
    if code in GONE:
        return f"{operation}: {message}: it may have been deleted; `docferry deploy` makes it again"
    return f"{operation}: {code}: {message}"
