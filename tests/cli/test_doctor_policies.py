"""What policies allow and trust, in the words of IAM."""

from typing import Any

import pytest

from docferry_cli.doctor.policies import allows, role_name, trusts

BUCKET = "arn:aws:s3:::docferry-state"
ACCOUNT = "123456789012"


def statement(effect: str, action: Any, resource: Any, **more: Any) -> dict[str, Any]:
    """One statement of a policy."""
    return {"Effect": effect, "Action": action, "Resource": resource, **more}


@pytest.mark.parametrize(
    ("statements", "allowed"),
    [
        ([statement("Allow", "s3:GetObject", f"{BUCKET}/staging/*")], True),
        ([statement("Allow", ["S3:Get*"], ["*"])], True),
        ([statement("Allow", "s3:GetObject", f"{BUCKET}/runs/*")], False),
        ([statement("Allow", "s3:PutObject", "*")], False),
        (
            [statement("Allow", "s3:GetObject", f"{BUCKET}/[s]taging/*")],
            False,
        ),  # as IAM has it, brackets are themselves
        ([], False),
        ([statement("Allow", "*", "*"), statement("Deny", "s3:*", f"{BUCKET}/*")], False),
        ([statement("Allow", "*", "*"), statement("Deny", "s3:*", "*", Condition={"Bool": {}})], True),
    ],
)
def test_what_is_allowed(statements: list[dict[str, Any]], allowed: bool) -> None:  # noqa: FBT001  # a case
    """Wildcards fit, actions have no case, and a refusal without conditions wins."""
    assert allows(statements, "s3:GetObject", f"{BUCKET}/staging/content") == allowed


@pytest.mark.parametrize(
    ("more", "trusted"),
    [
        ({}, True),
        ({"Principal": {"Service": ["ec2.amazonaws.com", "kendra.amazonaws.com"]}}, True),
        ({"Principal": {"Service": "ec2.amazonaws.com"}}, False),
        ({"Principal": {"AWS": "*"}}, False),
        ({"Effect": "Deny"}, False),
        ({"Condition": {"StringEquals": {"aws:SourceAccount": ACCOUNT}}}, True),
        ({"Condition": {"StringEquals": {"aws:SourceAccount": "210987654321"}}}, False),
        ({"Condition": {"ArnLike": {"aws:SourceArn": f"arn:aws:kendra:eu-west-1:{ACCOUNT}:index/*"}}}, True),
        ({"Condition": {"ArnLike": {"aws:SourceArn": f"arn:aws:kendra:eu-west-1:{ACCOUNT}:index/two"}}}, False),
    ],
)
def test_who_is_trusted(more: dict[str, Any], trusted: bool) -> None:  # noqa: FBT001  # a case
    """The service, for this account and this index."""
    one = {"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": {"Service": "kendra.amazonaws.com"}, **more}

    assert trusts({"Statement": [one]}, "kendra.amazonaws.com", ACCOUNT, "index/one") == trusted


def test_a_role_may_have_a_path() -> None:
    """Its name is the last part."""
    assert role_name(f"arn:aws:iam::{ACCOUNT}:role/teams/search/Reader") == "Reader"
