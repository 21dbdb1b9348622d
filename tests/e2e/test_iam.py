"""The roles of a stack are enforced: what a role does not allow is refused as AWS refuses it."""

import json
import logging
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError

from docferry_cli.targets.aws import opened
from docferry_infra.deployable import deployable
from docferry_laptop.assembly import Assembly
from docferry_laptop.deployed import Cloud, cloud
from docferry_laptop.storage import REGION
from tests.e2e.world import BUCKET, CONNECTORS, World
from tests.waiting import wait_for_end

UNUSED = {
    ("WorkflowRole", "logs:"): "Step Functions delivers logs; the emulation has none",
    ("WorkflowRole", "xray:"): "Step Functions traces; nothing is sampled here",
    ("WorkflowRole", "states:DescribeExecution"): "Step Functions follows the children of a Map; moto runs them itself",
    ("WorkflowRole", "states:StopExecution"): "Same, when the parent is stopped",
    ("TriggerRole", "logs:"): "Lambda writes the log",
    ("TriggerRole", "xray:"): "Lambda traces; nothing is sampled here",
}
"""Actions that a role has, but nothing here uses: who does in AWS. Functions: tests/infra/test_keys.py."""


@pytest.fixture(scope="module")
def world(assembly: Assembly) -> Iterator[World]:
    """A deployed connector."""
    connector = deployable(CONNECTORS)["handbook"].connector
    with cloud() as running:
        boto3.client("s3").create_bucket(Bucket=BUCKET)
        running.publish(assembly, connector)
        running.create(connector.name)
        running.hear_uploads()
        yield World(running, opened(connector))


def role(part: str) -> tuple[str, str, str]:
    """The name of the one role with this in it, its ARN, and the name of its policy."""
    iam: Any = boto3.client("iam")
    (found,) = (one for one in iam.list_roles()["Roles"] if part in one["RoleName"])
    (policy,) = iam.list_role_policies(RoleName=found["RoleName"])["PolicyNames"]
    return found["RoleName"], found["Arn"], policy


@contextmanager
def without(part: str, action: str) -> Iterator[None]:
    """Take an action away from a role, until the block ends."""
    iam: Any = boto3.client("iam")
    name, _, policy = role(part)
    document = iam.get_role_policy(RoleName=name, PolicyName=policy)["PolicyDocument"]
    fewer = [statement for statement in document["Statement"] if action not in listed(statement["Action"])]
    assert len(fewer) < len(document["Statement"])
    narrowed = json.dumps({**document, "Statement": fewer})
    iam.put_role_policy(RoleName=name, PolicyName=policy, PolicyDocument=narrowed)
    try:
        yield
    finally:
        iam.put_role_policy(RoleName=name, PolicyName=policy, PolicyDocument=json.dumps(document))


def listed(value: Any) -> list[str]:
    """A member of a statement, which is one value or a list."""
    return value if isinstance(value, list) else [value]


def client(running: Cloud, service: Any, credentials: dict[str, str] | None = None) -> Any:
    """A client of the served endpoint: with the credentials of a role, or as a person."""
    given = credentials or {"AWS_ACCESS_KEY_ID": "any", "AWS_SECRET_ACCESS_KEY": "any"}
    options: dict[str, Any] = {name.lower(): value for name, value in given.items()}
    return boto3.client(service, region_name=REGION, endpoint_url=running.url, **options)


@pytest.mark.parametrize(
    ("service", "method", "params", "code", "status", "action"),
    [
        ("s3", "put_object", {"Bucket": BUCKET, "Key": "<a>&", "Body": b"x"}, "AccessDenied", 403, "s3:PutObject"),
        ("s3", "get_object", {"Bucket": "docferry-other", "Key": "a"}, "AccessDenied", 403, "s3:GetObject"),
        (
            "stepfunctions",
            "start_execution",
            {"stateMachineArn": "arn:aws:states:us-east-1:123456789012:stateMachine:docferry-handbook"},
            "AccessDeniedException",
            400,
            "states:StartExecution",
        ),
        ("kendra", "delete_index", {"Id": "i" * 36}, "AccessDeniedException", 400, "kendra:DeleteIndex"),
        (
            "qbusiness",
            "get_index",
            {"applicationId": "a" * 36, "indexId": "i" * 36},
            "AccessDeniedException",
            403,
            "qbusiness:GetIndex",
        ),
        ("iam", "list_roles", {}, "AccessDenied", 403, "a call of iam"),
    ],
)
def test_a_call_of_a_function_is_refused(
    world: World, service: str, method: str, params: dict[str, Any], code: str, status: int, action: str
) -> None:
    """With the error of the service, which names the role, the action and the resource."""
    _, arn, _ = role("CrawlRole")
    credentials = dict(world.cloud.iam.credentials(arn, "docferry-handbook-crawl"))

    with pytest.raises(ClientError) as refused:
        getattr(client(world.cloud, service, credentials), method)(**params)

    error = refused.value.response
    assert error["ResponseMetadata"]["HTTPStatusCode"] == status
    assert error["Error"]["Code"] == code
    assert action in error["Error"]["Message"]
    assert f":assumed-role/{arn.rpartition('/')[2]}/docferry-handbook-crawl " in error["Error"]["Message"]


def test_a_person_is_not_restricted(world: World) -> None:
    """Any credentials that are not those of a role."""
    s3 = client(world.cloud, "s3")
    s3.put_object(Bucket=world.store.bucket, Key="person/note.txt", Body=b"x")

    assert s3.get_object(Bucket=world.store.bucket, Key="person/note.txt")["Body"].read() == b"x"
    assert client(world.cloud, "iam").list_roles()["Roles"]


def test_a_role_that_is_assumed_is_restricted(world: World) -> None:
    """A person can see with it what a function may do."""
    _, arn, _ = role("CommitRole")
    given = client(world.cloud, "sts").assume_role(RoleArn=arn, RoleSessionName="me")["Credentials"]
    s3 = client(
        world.cloud,
        "s3",
        {
            "AWS_ACCESS_KEY_ID": given["AccessKeyId"],
            "AWS_SECRET_ACCESS_KEY": given["SecretAccessKey"],
            "AWS_SESSION_TOKEN": given["SessionToken"],
        },
    )

    with pytest.raises(ClientError, match=r"assumed-role/.*/me is not authorized to perform: s3:PutObject"):
        s3.put_object(Bucket=world.store.bucket, Key="lease.json", Body=b"{}")


def test_a_state_machine_that_may_not_invoke_fails(world: World) -> None:
    """By the name of the action and the function, in the history of the execution."""
    with without("WorkflowRole", "lambda:InvokeFunction"):
        execution = world.stack.start()
        wait_for_end(execution)
        world.settle()

    step_functions: Any = boto3.client("stepfunctions")
    history = json.dumps(step_functions.get_execution_history(executionArn=execution.arn), default=str)
    assert execution.status() == "FAILED"
    assert "is not authorized to perform: lambda:InvokeFunction on resource: arn:aws:lambda:" in history
    assert "function:docferry-handbook-crawl" in history


def test_a_schedule_that_may_not_start_is_a_dead_letter(world: World, caplog: pytest.LogCaptureFixture) -> None:
    """Nothing starts, and the dead-letter queue has what should have."""
    before = world.executions()
    with without("ScheduleRole", "states:StartExecution"), caplog.at_level(logging.ERROR):
        world.cloud.schedules.fire("docferry-handbook")

    sqs: Any = boto3.client("sqs")
    (queue,) = (url for url in sqs.list_queues()["QueueUrls"] if "DeadLetters" in url)
    (letter,) = sqs.receive_message(QueueUrl=queue)["Messages"]
    assert world.executions() == before
    assert "is not authorized to perform: states:StartExecution" in letter["Body"]
    assert "states:StartExecution" in caplog.text


def test_a_queue_that_may_not_be_read_is_left_alone(world: World, caplog: pytest.LogCaptureFixture) -> None:
    """Lambda takes messages with the role of the function; what is in the queue waits for it."""
    world.settle()
    with without("TriggerRole", "sqs:ReceiveMessage"), caplog.at_level(logging.ERROR):
        world.upload({"queue/note.txt": b"x"})
        delivered = world.cloud.events.deliver()

    assert delivered == 0
    assert "is not authorized to perform: sqs:ReceiveMessage" in caplog.text
    world.settle()
    world.assert_converged({"queue/note.txt"})


def test_every_action_of_a_service_is_used(world: World) -> None:
    """Those of the roles of the state machine, the trigger and the schedule, when a run starts by each; or listed."""
    world.upload({"used/note.txt": b"x"})
    world.settle()
    world.cloud.schedules.fire("docferry-handbook")
    world.settle()
    with without("ScheduleRole", "states:StartExecution"):
        world.cloud.schedules.fire("docferry-handbook")

    iam: Any = boto3.client("iam")
    for part in ("WorkflowRole", "TriggerRole", "ScheduleRole"):
        name, _, policy = role(part)
        document = iam.get_role_policy(RoleName=name, PolicyName=policy)["PolicyDocument"]
        granted = {action for statement in document["Statement"] for action in listed(statement["Action"])}
        listed_here = tuple(action for owner, action in UNUSED if owner == part)
        idle = {action for action in granted if (name, action) not in world.cloud.iam.used}
        assert {action for action in idle if not action.startswith(listed_here)} == set(), part
        assert all(any(action.startswith(one) for action in idle) for one in listed_here), part
