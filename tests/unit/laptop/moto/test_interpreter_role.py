"""A state machine works with its own role."""

import json
from collections.abc import Iterator
from typing import Any

import boto3
import pytest
from moto import mock_aws

from docferry_laptop.iam.enforcement import Iam
from docferry_laptop.moto.interpreter_role import with_its_role
from docferry_laptop.storage import MOTO, REGION
from tests.waiting import wait_for

MACHINE = "arn:aws:states:us-east-1:123456789012:stateMachine:shelves"
READS = {"Effect": "Allow", "Action": ["s3:GetObject", "s3:ListBucket"], "Resource": "*"}
STARTS = {"Effect": "Allow", "Action": "states:StartExecution", "Resource": MACHINE}
DEFINITION = {
    "StartAt": "Each",
    "States": {
        "Each": {
            "Type": "Map",
            "ItemReader": {
                "Resource": "arn:aws:states:::s3:getObject",
                "ReaderConfig": {"InputType": "JSON"},
                "Parameters": {"Bucket": "papers", "Key": "items.json"},
            },
            "ItemProcessor": {
                "ProcessorConfig": {"Mode": "DISTRIBUTED", "ExecutionType": "STANDARD"},
                "StartAt": "Done",
                "States": {"Done": {"Type": "Pass", "End": True}},
            },
            "End": True,
        }
    },
}


@pytest.fixture
def iam(monkeypatch: pytest.MonkeyPatch) -> Iterator[Iam]:
    """The interpreter, with its role, and a bucket with the items of a Map."""
    monkeypatch.setenv("AWS_DEFAULT_REGION", REGION)
    enforced = Iam()
    with mock_aws(config=MOTO), with_its_role(enforced):
        s3 = boto3.client("s3")
        s3.create_bucket(Bucket="papers")
        s3.put_object(Bucket="papers", Key="items.json", Body=b"[1, 2]")
        yield enforced


def ended(*statements: dict[str, Any]) -> dict[str, Any]:
    """An execution, when it has ended, of a state machine whose role has these statements."""
    roles, step_functions = boto3.client("iam"), boto3.client("stepfunctions")
    role = roles.create_role(RoleName="shelver", AssumeRolePolicyDocument="{}")["Role"]["Arn"]
    document = json.dumps({"Version": "2012-10-17", "Statement": list(statements)})
    roles.put_role_policy(RoleName="shelver", PolicyName="shelving", PolicyDocument=document)
    step_functions.create_state_machine(name="shelves", definition=json.dumps(DEFINITION), roleArn=role)
    arn = step_functions.start_execution(stateMachineArn=MACHINE, name="one", input="{}")["executionArn"]
    wait_for(lambda: step_functions.describe_execution(executionArn=arn)["status"] != "RUNNING")
    described: dict[str, Any] = dict(step_functions.describe_execution(executionArn=arn))
    return described


def test_with_all_that_it_needs_it_succeeds(iam: Iam) -> None:
    """And what it has used is known."""
    assert ended(READS, STARTS)["status"] == "SUCCEEDED"
    assert iam.used == {("shelver", "s3:GetObject"), ("shelver", "states:StartExecution")}


@pytest.mark.usefixtures("iam")
def test_items_that_may_not_be_read_fail_the_map() -> None:
    """Under the name that Step Functions has for it."""
    failed = ended(STARTS)

    assert (failed["status"], failed["error"]) == ("FAILED", "States.ItemReaderFailed")
    assert 'perform: s3:GetObject on resource: "arn:aws:s3:::papers/items.json"' in failed["cause"]


@pytest.mark.usefixtures("iam")
def test_children_that_may_not_be_started_fail_the_map() -> None:
    """Same."""
    failed = ended(READS)

    assert (failed["status"], failed["error"]) == ("FAILED", "States.Permissions")
    assert f"perform: states:StartExecution on resource: {MACHINE}" in failed["cause"]
