"""`docferry doctor` on a deployed connector: nothing is wrong with it, and everything that a person breaks is named."""

import json
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import boto3
import pytest

from docferry.state.keys import LEASE
from docferry.sync_job.lease import Lease
from docferry_cli.doctor.checks import stack as stack_checks
from docferry_cli.doctor.examine import examine
from docferry_cli.doctor.findings import Finding
from docferry_cli.doctor.policies import role_name
from docferry_cli.targets import Where
from tests.e2e.world import BUCKET, CONNECTORS, World

Broken = Callable[[World], Any]


def doctor(connector: str, config: Path = CONNECTORS) -> dict[str, Finding]:
    """The findings about a connector, by check. Inside the cloud, AWS is moto."""
    return {one.check: one for one in examine(Where("aws", Path(), config), connector).findings}


def wrong(connector: str, config: Path = CONNECTORS) -> dict[str, str]:
    """What is wrong or cannot be told, by check."""
    found = doctor(connector, config)
    return {name: one.said for name, one in found.items() if one.status in {"wrong", "unknown"}}


@pytest.fixture(scope="module")
def healthy(world: World) -> World:
    """A connector that has synced a document."""
    world.upload({"doctor/tides.txt": b"High water is at noon."})
    world.run()
    return world


@contextmanager
def dead_letter(world: World) -> Iterator[None]:
    """An event that nobody could handle."""
    sqs: Any = boto3.client("sqs")
    (queue,) = (url for url in sqs.list_queues()["QueueUrls"] if f"{world.stack.connector.name}-TriggersDead" in url)
    sqs.send_message(QueueUrl=queue, MessageBody="{}")
    yield
    sqs.purge_queue(QueueUrl=queue)


@contextmanager
def silent_bucket(_: World) -> Iterator[None]:
    """A source bucket whose notifications somebody has replaced."""
    s3: Any = boto3.client("s3")
    s3.put_bucket_notification_configuration(Bucket=BUCKET, NotificationConfiguration={})
    yield
    s3.put_bucket_notification_configuration(Bucket=BUCKET, NotificationConfiguration={"EventBridgeConfiguration": {}})


@contextmanager
def stale_lease(world: World) -> Iterator[None]:
    """The lease of a run that has ended."""
    machine = world.stack.state_machine.replace(":stateMachine:", ":execution:")
    run = next(iter(world.executions()))
    world.store.write(LEASE, Lease(f"{machine}:{run}", run, datetime.now(UTC)))
    yield
    world.store.delete(LEASE)


@contextmanager
def foreign_job(world: World) -> Iterator[None]:
    """A sync job that another program has started."""
    index = world.stack.index
    index.start()
    yield
    index.stop()


@contextmanager
def without_policies(role: str) -> Iterator[None]:
    """A role whose own policies are gone."""
    iam: Any = boto3.client("iam")
    names = iam.list_role_policies(RoleName=role)["PolicyNames"]
    kept = {name: iam.get_role_policy(RoleName=role, PolicyName=name)["PolicyDocument"] for name in names}
    for name in names:
        iam.delete_role_policy(RoleName=role, PolicyName=name)
    yield
    for name, document in kept.items():
        iam.put_role_policy(RoleName=role, PolicyName=name, PolicyDocument=json.dumps(document))


def function_without_rights(world: World) -> Any:
    """The function that puts documents may nothing any more."""
    name = f"docferry-{world.stack.connector.name}-put_batch"
    return without_policies(role_name(boto3.client("lambda").get_function_configuration(FunctionName=name)["Role"]))


def content_role(world: World) -> str:
    """The name of the role that the service reads content with."""
    name = f"docferry-{world.stack.connector.name}-put_batch"
    function: Any = boto3.client("lambda").get_function_configuration(FunctionName=name)
    told = json.loads(function["Environment"]["Variables"]["CONNECTOR"])
    return role_name(told["index"]["settings"]["role_arn"])


def content_role_without_rights(world: World) -> Any:
    """The content role may read nothing any more."""
    return without_policies(content_role(world))


@contextmanager
def content_role_of_another(world: World) -> Iterator[None]:
    """The content role trusts another service."""
    iam: Any = boto3.client("iam")
    role = content_role(world)
    document = iam.get_role(RoleName=role)["Role"]["AssumeRolePolicyDocument"]
    other = json.dumps(document).replace("kendra.", "ec2.").replace("qbusiness.", "ec2.")
    iam.update_assume_role_policy(RoleName=role, PolicyDocument=other)
    yield
    iam.update_assume_role_policy(RoleName=role, PolicyDocument=json.dumps(document))


@contextmanager
def other_code(_: World) -> Iterator[None]:
    """A command that is newer than the stack."""
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(stack_checks, "fingerprint", lambda: "0123456789abcdef")
        yield


BROKEN: tuple[tuple[Broken, str, str], ...] = (
    (dead_letter, "dead letters", "1 events did not reach"),
    (silent_bucket, "uploads", f"{BUCKET} does not tell EventBridge"),
    (stale_lease, "lease", "has ended, and still holds the lease"),
    (function_without_rights, "passing the role", " may not pass arn:"),
    (content_role_without_rights, "reading content", " may not s3:GetObject on arn:"),
    (content_role_of_another, "content role", " does not trust "),
    (other_code, "code", "and this Docferry is 0123456789abcdef"),
    # The last one: until the next run has reported it, it stays foreign.
    (foreign_job, "sync job", "1 sync jobs were not started by this connector"),
)


def test_a_connector_that_was_deployed_is_healthy(healthy: World) -> None:
    """Each check has looked, and found nothing."""
    found = doctor(healthy.stack.connector.name)

    assert {name: one for name, one in found.items() if one.status != "ok"} == {}
    assert found["source"].said == "the first page has 1 documents, 0 skipped"


def test_each_thing_that_is_broken_is_found(healthy: World) -> None:
    """By one check, and with a cure; when it is mended, nothing is wrong any more."""
    for broken, check, said in BROKEN:
        with ExitStack() as stack:
            stack.enter_context(broken(healthy))
            found = doctor(healthy.stack.connector.name)
            seen = {name: one for name, one in found.items() if one.status != "ok"}
        assert list(seen) == [check], seen
        assert said in seen[check].said
        assert seen[check].cure
    healthy.run()
    assert wrong(healthy.stack.connector.name) == {}


def test_what_connectors_yaml_says_is_compared(healthy: World, tmp_path: Path) -> None:
    """A field of another type, and settings that do not fit into the environment of a function."""
    config = tmp_path / "connectors.yaml"
    patterns = json.dumps([f"a-very-long-folder-name-{number}/**" for number in range(150)])
    text = CONNECTORS.read_text().replace("department: STRING", "department: NUMBER, color: STRING")
    config.write_text(text.replace(f"bucket: {BUCKET}", f"bucket: {BUCKET}, exclude: {patterns}"))

    found = wrong(healthy.stack.connector.name, config)

    assert set(found) == {"fields", "environment"}
    assert "color (STRING) is not declared; department is a STRING in the index, and a NUMBER in" in found["fields"]
    assert "(connectors.yaml); Lambda takes 4,096" in found["environment"]


def test_a_connector_without_a_stack(healthy: World) -> None:
    """One check says what to do, and the others that they could not look."""
    found = doctor("named")

    assert healthy.stack.connector.name != "named"
    assert found["stack"].status == "wrong"
    assert "`docferry deploy named` deploys it" in found["stack"].said
    assert {one.status for name, one in found.items() if name in {"index", "lease", "uploads"}} == {"unknown"}
