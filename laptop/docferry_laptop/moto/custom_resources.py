"""Makes the custom resources of a stack as CloudFormation does: it calls their function, and waits for the answer.

Moto 5.2.5 calls the function in a thread of its own, under an address of its own server, and never deletes.
https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/crpg-ref.html
"""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from threading import Thread
from typing import Any, Literal
from unittest.mock import patch
from uuid import uuid4

import msgspec
from moto.awslambda.utils import get_backend as lambdas
from moto.cloudformation.custom_model import CustomModel
from moto.cloudformation.parsing import ResourceMap
from moto.moto_api._internal import mock_random
from moto.s3.models import s3_backends
from moto.s3.responses import S3Response
from moto.utilities.utils import get_partition
from msgspec import Struct

from docferry.errors import ConfigurationError

NOTIFICATIONS = "Custom::S3BucketNotifications"
"""The CDK's resource for the notifications of a bucket."""


class Answer(Struct, frozen=True, rename="pascal"):
    """What the function sends to CloudFormation."""

    status: Literal["SUCCESS", "FAILED"]
    physical_resource_id: str = ""
    reason: str = ""


class CustomResourceFailed(ConfigurationError):  # noqa: N818  # named after what happened
    """The function of a custom resource has answered FAILED, or not at all. AWS would roll the stack back."""


class Custom(CustomModel):  # type: ignore[misc]  # moto is untyped
    """A custom resource whose function has answered."""

    def __init__(self, event: dict[str, Any], region_name: str, resource_name: str) -> None:
        super().__init__(region_name, event["RequestId"], event["LogicalResourceId"], resource_name)
        self.event = event

    def delete(self, account_id: str, region_name: str) -> None:
        """Tell the function to delete the resource."""
        answered({**self.event, "RequestType": "Delete"}, account_id, region_name)


@contextmanager
def custom_resources() -> Iterator[None]:
    """Let CloudFormation make custom resources, and S3 say whether EventBridge is on for a bucket."""
    with (
        patch.object(CustomModel, "create_from_cloudformation_json", _create),
        patch.object(ResourceMap, "delete", _delete),
        patch.object(S3Response, "get_bucket_notification", _get_bucket_notification),
    ):
        yield


def _create(
    resource_name: str, cloudformation_json: dict[str, Any], account_id: str, region_name: str, **options: Any
) -> Custom:
    properties = cloudformation_json["Properties"]
    if options["ResourceType"] == NOTIFICATIONS:
        _bucket(properties["BucketName"], account_id, region_name)
    event = {
        "RequestType": "Create",
        "StackId": options["StackId"],
        "RequestId": str(mock_random.uuid4()),
        "ResourceType": options["ResourceType"],
        "LogicalResourceId": options["LogicalId"],
        # CloudFormation turns every value into a text.
        "ResourceProperties": _texts(properties),
    }
    made = Custom(event, region_name, resource_name)
    answer = answered(event, account_id, region_name)
    made.event["PhysicalResourceId"] = answer.physical_resource_id
    made.set_data({})
    return made


_plain_delete = ResourceMap.delete


def _delete(stack: ResourceMap) -> None:
    """Delete custom resources while their functions and roles are there. Moto's order is that of a set: any."""
    for name, resource in list(stack._parsed_resources.items()):  # noqa: SLF001  # moto's own
        if isinstance(resource, Custom):
            resource.delete(stack._account_id, stack._region_name)  # noqa: SLF001  # the same
            del stack._parsed_resources[name]  # noqa: SLF001  # the same
    _plain_delete(stack)


def _bucket(name: str, account_id: str, region_name: str) -> None:
    """Make the bucket of others, which on this machine is a folder that need not be there yet."""
    backend = s3_backends[account_id][get_partition(region_name)]
    if name not in backend.buckets:
        backend.create_bucket(name, region_name)


def _texts(value: Any) -> Any:
    match value:
        case dict():
            return {name: _texts(inner) for name, inner in value.items()}
        case list():
            return [_texts(inner) for inner in value]
        case bool():
            return str(value).lower()
        case _:
            return str(value)


def answered(event: dict[str, Any], account_id: str, region_name: str) -> Answer:
    """Call the function of a custom resource, and return its answer. Raises CustomResourceFailed."""
    heard: list[bytes] = []
    with _listening(heard) as url:
        payload = json.dumps({**event, "ResponseURL": url, "RequestId": str(uuid4())})
        function = event["ResourceProperties"]["ServiceToken"]
        reply = lambdas(account_id, region_name).invoke(function, None, payload, {}, {})
    if not heard:
        raise CustomResourceFailed(f"the function of {event['LogicalResourceId']} has not answered: {reply!r}")
    answer = msgspec.json.decode(heard[-1], type=Answer)
    if answer.status == "FAILED":
        raise CustomResourceFailed(f"{event['RequestType']} of {event['LogicalResourceId']}: {answer.reason}")
    return answer


@contextmanager
def _listening(heard: list[bytes]) -> Iterator[str]:
    """Receive the answer on a loopback port. The function answers before it returns."""

    class Receiver(BaseHTTPRequestHandler):
        def do_PUT(self) -> None:
            heard.append(self.rfile.read(int(self.headers.get("Content-Length", 0))))
            self.send_response(200)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_: Any) -> None:
            """Log nothing: the log belongs to the function."""

    server = HTTPServer(("127.0.0.1", 0), Receiver)
    thread = Thread(target=server.serve_forever, args=(0.05,), name="custom-resource", daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


_plain_get = S3Response.get_bucket_notification


def _get_bucket_notification(response: Any) -> Any:
    """Say that EventBridge is on, which moto knows and leaves out."""
    configured = response.backend.get_bucket_notification_configuration(response.bucket_name)
    serialized = response.serialized

    def with_event_bridge(result: Any) -> Any:
        if configured is not None and configured.event_bridge is not None:
            result.result["EventBridgeConfiguration"] = {}
        return serialized(result)

    with patch.object(response, "serialized", with_event_bridge):
        return _plain_get(response)
