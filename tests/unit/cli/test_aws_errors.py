"""An error of AWS says what is wrong and what to do."""

import boto3
import pytest
from botocore import exceptions
from botocore.exceptions import ClientError

from docferry.connector import Connector, Part
from docferry.errors import ConfigurationError
from docferry_cli.aws_errors import explain
from docferry_cli.targets import aws

ROLE = "arn:aws:sts::123456789012:assumed-role/Reader/ann"
BUCKET = "arn:aws:s3:::docferry-handbook-state"


def refused(code: str, message: str = "no", operation: str = "GetObject") -> ClientError:
    """What botocore raises for an answer of AWS."""
    return ClientError({"Error": {"Code": code, "Message": message}}, operation)


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (refused("ExpiredTokenException"), "the AWS credentials have expired: sign in again"),
        (refused("InvalidClientTokenId"), "AWS does not know these credentials (InvalidClientTokenId): sign in again"),
        (
            refused("AccessDenied", f"User: {ROLE} is not authorized to perform: s3:GetObject on resource: {BUCKET}/x"),
            f"the right s3:GetObject on {BUCKET}/x is missing: ask for it to be given to {ROLE}",
        ),
        (
            refused("AccessDeniedException", f"User: {ROLE} is not authorized to perform: states:ListExecutions"),
            f"the right states:ListExecutions is missing: ask for it to be given to {ROLE}",
        ),
        (refused("AccessDenied", "Access Denied"), "GetObject was refused (Access Denied): ask for the right"),
        (refused("ResourceNotFoundException", "Index x not found"), "Index x not found: it may have been deleted"),
        (refused("SlowDown", "wait"), "GetObject: SlowDown: wait"),
        (exceptions.NoCredentialsError(), "sign in again"),
        (exceptions.NoRegionError(), "set AWS_REGION"),
        (exceptions.ProfileNotFound(profile="prod"), "aws configure list-profiles"),
        (exceptions.EndpointConnectionError(endpoint_url="https://x"), "check the network, the region"),
        (exceptions.UnauthorizedSSOTokenError(), "sign in again"),
    ],
)
def test_an_error_names_the_thing_and_the_cure(error: Exception, said: str) -> None:
    """A missing right names its action and its resource."""
    assert said in explain(error)


class Services:
    """Answers DescribeStacks; there are no functions."""

    def __init__(self, answer: dict[str, object] | ClientError) -> None:
        self._answer = answer

    def describe_stacks(self, **_: object) -> dict[str, object]:
        """One stack, or an error."""
        if isinstance(self._answer, ClientError):
            raise self._answer
        return {"Stacks": [{"StackName": "docferry-handbook", **self._answer}]}

    def get_function_configuration(self, **_: object) -> dict[str, object]:
        """None of them."""
        raise refused("ResourceNotFoundException", "Function not found", "GetFunctionConfiguration")


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        (refused("ValidationError", "Stack does not exist", "DescribeStacks"), "handbook is not deployed"),
        ({"StackStatus": "CREATE_IN_PROGRESS"}, "docferry-handbook is CREATE_IN_PROGRESS and has no output"),
        ({"StackStatus": "ROLLBACK_COMPLETE", "Outputs": []}, "deploy it again with `docferry deploy handbook`"),
    ],
)
def test_a_stack_that_is_not_there_or_not_whole(
    monkeypatch: pytest.MonkeyPatch, answer: dict[str, object] | ClientError, said: str
) -> None:
    """The error says which, and what to do."""
    monkeypatch.setattr(boto3, "client", lambda _: Services(answer))

    with pytest.raises(ConfigurationError, match=said):
        aws.opened(Connector("handbook", Part("s3", {"bucket": "b"}), Part("kendra")))
