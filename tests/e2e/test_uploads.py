"""`deploy.uploads`: EventBridge is turned on for a bucket of others, which keeps its own notifications."""

import json
from collections.abc import Iterator
from typing import Any

import boto3
import pytest

from docferry_laptop.assembly import Assembly
from docferry_laptop.deployed import cloud
from docferry_laptop.moto.custom_resources import CustomResourceFailed
from docferry_laptop.moto.gaps import quietly
from tests.e2e.world import BUCKET

EVENTS = ["s3:ObjectCreated:*"]
RULES = [{"Name": "prefix", "Value": "signed/"}]
ON: dict[str, Any] = {"EventBridgeConfiguration": {}}


@pytest.fixture(scope="module")
def template(assembly: Assembly) -> dict[str, Any]:
    """The part of a connector's template that makes the custom resource, with its function and its role."""
    whole = json.loads(assembly.file("handbook-q").read_text())
    of_it = ("BucketNotificationsHandler", "TriggersSource")
    return {"Resources": {name: one for name, one in whole["Resources"].items() if name.startswith(of_it)}}


@pytest.fixture(scope="module")
def s3() -> Iterator[Any]:
    """The S3 of a laptop's cloud."""
    with cloud():
        yield boto3.client("s3")


@pytest.fixture
def theirs(s3: Any) -> dict[str, Any]:
    """What a bucket of others tells already: a queue, and another one under a prefix."""
    sqs: Any = boto3.client("sqs")
    s3.create_bucket(Bucket=BUCKET)
    found: list[dict[str, Any]] = []
    for name, more in (("all", {}), ("signed", {"Filter": {"Key": {"FilterRules": RULES}}})):
        url = sqs.create_queue(QueueName=name)["QueueUrl"]
        arn = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
        found.append({"Id": f"their-{name}", "QueueArn": arn, "Events": EVENTS, **more})
    s3.put_bucket_notification_configuration(Bucket=BUCKET, NotificationConfiguration={"QueueConfigurations": found})
    return {"QueueConfigurations": found}


def told(s3: Any) -> dict[str, Any]:
    """The notifications of the bucket."""
    found = s3.get_bucket_notification_configuration(Bucket=BUCKET)
    return {name: value for name, value in found.items() if name != "ResponseMetadata"}


def create(name: str, template: dict[str, Any]) -> None:
    """Make a stack."""
    with quietly():
        boto3.client("cloudformation").create_stack(StackName=name, TemplateBody=json.dumps(template))


def test_two_stacks_share_a_bucket_that_keeps_its_notifications(
    s3: Any, theirs: dict[str, Any], template: dict[str, Any]
) -> None:
    """The first one that is deleted turns nothing off for the other; the last one leaves EventBridge on."""
    cloudformation: Any = boto3.client("cloudformation")
    states = [told(s3)]
    for stack in ("docferry-one", "docferry-other"):
        create(stack, template)
        states.append(told(s3))
    for stack in ("docferry-one", "docferry-other"):
        cloudformation.delete_stack(StackName=stack)
        states.append(told(s3))

    assert states == [theirs, *([theirs | ON] * 4)]


@pytest.mark.usefixtures("s3")
def test_a_resource_that_cannot_be_made_is_an_error(template: dict[str, Any]) -> None:
    """As CloudFormation would roll the stack back, with the reason of the function."""
    broken = json.loads(json.dumps(template))
    for resource in broken["Resources"].values():
        if resource["Type"].startswith("Custom::"):
            resource["Properties"]["NotificationConfiguration"] = {"QueueConfigurations": [{"QueueArn": "arn:no"}]}

    with pytest.raises(CustomResourceFailed, match=r"Create of TriggersSource.*Error: "):
        create("docferry-broken", broken)
