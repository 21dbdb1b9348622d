"""What a policy allows."""

import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from docferry_laptop.iam.policy import Demand, UnreadablePolicy, arn_matches, decide, matches, read

BUCKET = "arn:aws:s3:::papers"
ROLE = "arn:aws:iam::123456789012:role/reader"


def allowing(actions: Any, resources: Any, **more: Any) -> dict[str, Any]:
    """A statement that allows."""
    return {"Effect": "Allow", "Action": actions, "Resource": resources, **more}


def decision(*statements: dict[str, Any], action: str, resource: str, **context: str) -> str:
    """What the statements decide."""
    return decide(read({"Statement": list(statements)}), Demand(action, resource, context))


@pytest.mark.parametrize(
    ("pattern", "resource", "decided"),
    [
        (f"{BUCKET}/runs/*", f"{BUCKET}/runs/1/report.json", "allowed"),
        (f"{BUCKET}/runs/*/batches.json", f"{BUCKET}/runs/a/b/batches.json", "allowed"),
        (f"{BUCKET}/page-?.txt", f"{BUCKET}/page-7.txt", "allowed"),
        (f"{BUCKET}/page-?.txt", f"{BUCKET}/page-77.txt", "not allowed"),
        (f"{BUCKET}/a.txt", f"{BUCKET}/aXtxt", "not allowed"),
        (f"{BUCKET}/runs/*", f"{BUCKET}/RUNS/1", "not allowed"),
        (f"{BUCKET}/runs/*", f"{BUCKET}/prefix/runs/1", "not allowed"),
        (f"{BUCKET}/*", f"{BUCKET}/two\nlines", "allowed"),
        (BUCKET, f"{BUCKET}/key", "not allowed"),
        ("*", "arn:aws:sqs:us-east-1:123456789012:letters", "allowed"),
    ],
)
def test_resources(pattern: str, resource: str, decided: str) -> None:
    """A star is any characters, a question mark is one, and everything else is itself."""
    assert decision(allowing("s3:GetObject", [pattern]), action="s3:GetObject", resource=resource) == decided


@pytest.mark.parametrize(
    ("pattern", "decided"),
    [("s3:GetObject", "allowed"), ("S3:getobject", "allowed"), ("s3:Get*", "allowed"), ("s3:PutObject", "not allowed")],
)
def test_actions(pattern: str, decided: str) -> None:
    """Upper and lower case are the same."""
    assert decision(allowing(pattern, "*"), action="s3:GetObject", resource=f"{BUCKET}/a") == decided


def test_a_deny_wins_over_every_allow() -> None:
    """Wherever it stands; and only for what it is about."""
    deny = {"Effect": "Deny", "Action": "s3:*", "Resource": f"{BUCKET}/secret/*"}
    allow = allowing("s3:GetObject", f"{BUCKET}/*")

    for statements in ((deny, allow), (allow, deny)):
        assert decision(*statements, action="s3:GetObject", resource=f"{BUCKET}/secret/a") == "denied"
        assert decision(*statements, action="s3:GetObject", resource=f"{BUCKET}/open/a") == "allowed"


def test_without_a_statement_nothing_is_allowed() -> None:
    """Nor by a statement about something else."""
    assert decision(action="s3:GetObject", resource=BUCKET) == "not allowed"
    assert decision({"Effect": "Allow", "Action": "s3:GetObject"}, action="s3:GetObject", resource="") == "not allowed"


def test_everything_but() -> None:
    """NotAction and NotResource."""
    statement = {"Effect": "Allow", "NotAction": "s3:Delete*", "NotResource": f"{BUCKET}/secret/*"}

    assert decision(statement, action="s3:GetObject", resource=f"{BUCKET}/a") == "allowed"
    assert decision(statement, action="s3:DeleteObject", resource=f"{BUCKET}/a") == "not allowed"
    assert decision(statement, action="s3:GetObject", resource=f"{BUCKET}/secret/a") == "not allowed"


@pytest.mark.parametrize(
    ("condition", "value", "decided"),
    [
        ({"StringEquals": {"iam:PassedToService": "kendra.amazonaws.com"}}, "kendra.amazonaws.com", "allowed"),
        ({"StringEquals": {"iam:passedtoservice": ["a", "kendra.amazonaws.com"]}}, "kendra.amazonaws.com", "allowed"),
        ({"StringEquals": {"iam:PassedToService": "kendra.amazonaws.com"}}, "ec2.amazonaws.com", "not allowed"),
        ({"StringEquals": {"iam:PassedToService": "*"}}, "ec2.amazonaws.com", "not allowed"),
        ({"StringLike": {"iam:PassedToService": "*.amazonaws.com"}}, "ec2.amazonaws.com", "allowed"),
        ({"StringEquals": {"aws:SourceAccount": "1"}}, "ec2.amazonaws.com", "not allowed"),
        ({"ArnLike": {"iam:PassedToService": "arn:aws:s3:::*"}}, BUCKET, "allowed"),
        ({"Bool": {"iam:PassedToService": False}}, "false", "allowed"),
    ],
)
def test_conditions(condition: dict[str, Any], value: str, decided: str) -> None:
    """All have to hold; a key that the call does not have holds for none."""
    statement = allowing("iam:PassRole", ROLE, Condition=condition)

    context = {"iam:PassedToService": value}
    assert decide(read({"Statement": statement}), Demand("iam:PassRole", ROLE, context)) == decided


def test_a_condition_that_does_not_hold_denies_nothing() -> None:
    """The statement is as if it were not there."""
    deny = {"Effect": "Deny", "Action": "*", "Resource": "*", "Condition": {"Bool": {"aws:SecureTransport": "false"}}}

    assert decision(allowing("*", "*"), deny, action="s3:GetObject", resource=BUCKET) == "allowed"


@pytest.mark.parametrize(
    ("statement", "told"),
    [
        (allowing("s3:*", "*", Condition={"NumericLessThan": {"s3:TlsVersion": 1.2}}), "NumericLessThan"),
        (allowing("s3:*", "arn:aws:s3:::papers/${aws:username}/*"), "${aws:username}"),
        ({"Effect": "Allow", "Action": "s3:*", "Resource": "*", "Principal": "*"}, "Principal"),
    ],
)
def test_what_cannot_be_evaluated_is_said(statement: dict[str, Any], told: str) -> None:
    """It is neither an Allow nor a Deny."""
    with pytest.raises(UnreadablePolicy, match=re.escape(told)):
        read({"Statement": [statement]})


def test_an_arn_is_compared_part_by_part() -> None:
    """A star does not reach over a colon before the resource."""
    assert arn_matches("arn:aws:kendra:*:123456789012:index/*", "arn:aws:kendra:eu-west-1:123456789012:index/a:b")
    assert not arn_matches("arn:aws:*:index/*", "arn:aws:kendra:eu-west-1:123456789012:index/a")


@given(st.text(), st.text())
def test_a_star_matches_anything_between(before: str, after: str) -> None:
    """And a text without wildcards matches itself alone."""
    plain = before.replace("*", "").replace("?", "")

    assert matches(f"{plain}*", plain + after)
    assert matches(plain, plain)
    assert matches(plain, plain + after) == (after == "")
