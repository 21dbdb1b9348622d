"""Deployed stacks on a laptop: moto's CloudFormation makes them from their templates; functions run in processes."""

import json
import logging
import os
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any
from unittest.mock import patch

import boto3
from botocore.exceptions import ClientError
from moto import mock_aws

import docferry_emulators
from docferry.connector import Connector, stack_name
from docferry.errors import NotDeployed
from docferry_emulators import Emulation
from docferry_emulators.clock import Clock, VirtualClock, WallClock
from docferry_emulators.server.application import serving
from docferry_laptop.assembly import Assembly
from docferry_laptop.executions import stop_all
from docferry_laptop.iam.enforcement import Iam
from docferry_laptop.moto.buckets import kept_in, shared
from docferry_laptop.moto.event_delivery import Events, event_delivery
from docferry_laptop.moto.gaps import gaps_filled, quietly
from docferry_laptop.moto.interpreter_role import with_its_role
from docferry_laptop.moto.speed import shortcuts
from docferry_laptop.moto.virtual_time import waiting_on
from docferry_laptop.processes.functions import in_processes
from docferry_laptop.provision import provision
from docferry_laptop.schedules import Schedules
from docferry_laptop.storage import ACCOUNT, MOTO, REGION, create_bucket, locked

ASSETS = f"cdk-hnb659fds-assets-{ACCOUNT}-{REGION}"
"""The bucket for assets that `cdk bootstrap` makes in an account."""
BOOTSTRAP_VERSION = "/cdk-bootstrap/hnb659fds/version"


class Cloud:
    """A laptop's AWS, with CloudFormation in it."""

    def __init__(self, emulation: Emulation, events: Events, clock: Clock, iam: Iam, url: str) -> None:
        self.emulation = emulation
        self.events = events
        self.iam = iam
        self.schedules = Schedules(iam)
        self.url = url
        self._clock = clock

    def publish(self, assembly: Assembly, connector: Connector) -> None:
        """Put a connector's template and assets into the bucket for assets.

        An emulated index stands in for the index that the connector names. So its ids replace those in the template.
        """
        stack = stack_name(connector.name)
        template = assembly.file(connector.name).read_text(encoding="utf-8")
        named = {name: value for name, value in connector.index.settings.items() if name.endswith("_id") and value}
        if named:
            emulated = provision(connector, self._clock).index.settings
            for name, value in named.items():
                template = template.replace(value, emulated[name])
        assembly.publish(stack, ACCOUNT, REGION)
        boto3.client("s3").put_object(Bucket=ASSETS, Key=_template(stack), Body=template.encode())

    def create(self, connector: str) -> None:
        """Make the stack of a connector from its published template. Raises NotDeployed when there is none."""
        stack = stack_name(connector)
        try:
            boto3.client("s3").head_object(Bucket=ASSETS, Key=_template(stack))
        except ClientError as error:
            raise NotDeployed(
                f"{connector} is not deployed on this machine: run `docferry local deploy {connector}`"
            ) from error
        url = f"https://s3.amazonaws.com/{ASSETS}/{_template(stack)}"
        with quietly():
            boto3.client("cloudformation").create_stack(
                StackName=stack, TemplateURL=url, Capabilities=["CAPABILITY_IAM"]
            )
        self.events.attach()

    def deployed(self) -> list[str]:
        """Return the connectors whose templates were published."""
        prefix, suffix = stack_name(""), _template("")
        listed = boto3.client("s3").list_objects_v2(Bucket=ASSETS, Prefix=prefix).get("Contents", [])
        keys = (item["Key"] for item in listed)
        return sorted(key.removeprefix(prefix).removesuffix(suffix) for key in keys if key.endswith(suffix))

    def outputs(self, connector: str) -> dict[str, str]:
        """Return the outputs of a connector's stack."""
        stacks: Any = boto3.client("cloudformation").describe_stacks(StackName=stack_name(connector))["Stacks"]
        return {output["OutputKey"]: output["OutputValue"] for output in stacks[0]["Outputs"]}

    def executions(self) -> list[str]:
        """Return the ARNs of the executions that run."""
        step_functions = boto3.client("stepfunctions")
        return [
            execution["executionArn"]
            for machine in step_functions.list_state_machines()["stateMachines"]
            for execution in step_functions.list_executions(
                stateMachineArn=machine["stateMachineArn"], statusFilter="RUNNING"
            )["executions"]
        ]

    def hear_uploads(self) -> list[str]:
        """Let every bucket that a rule is about tell EventBridge of its objects, and make it if it does not exist.

        In AWS, this is done once for each bucket, by hand. Returns the names of the buckets.
        """
        named = set()
        events, s3 = boto3.client("events"), boto3.client("s3")
        for rule in events.list_rules()["Rules"]:
            pattern: dict[str, Any] = json.loads(rule.get("EventPattern") or "{}")
            if pattern.get("source") == ["aws.s3"]:
                named.update(pattern["detail"]["bucket"]["name"])
        for bucket in sorted(named):
            create_bucket(bucket)
            told = s3.get_bucket_notification_configuration(Bucket=bucket)
            told.pop("ResponseMetadata")
            s3.put_bucket_notification_configuration(
                Bucket=bucket, NotificationConfiguration={**told, "EventBridgeConfiguration": {}}
            )
        return sorted(named)


@contextmanager
def cloud(
    *,
    state: Path | None = None,
    clock: Clock | None = None,
    settings: docferry_emulators.Settings = docferry_emulators.DEFAULTS,
    port: int = 0,
) -> Iterator[Cloud]:
    """Start a laptop's AWS for deployed stacks. The arguments are those of ``docferry_laptop.laptop.laptop``.

    It is served on a loopback port: ``port`` 0 takes any. What a function calls is checked against the policies of its
    role.

    Raises ConfigurationError when another process uses the folder, or Lambda's runtime client is not installed.
    """
    clock = clock or VirtualClock()
    # For the reasons in laptop().
    logging.getLogger("moto.stepfunctions").setLevel(logging.CRITICAL)
    with ExitStack() as stack:
        stack.enter_context(patch.dict(os.environ, {"AWS_DEFAULT_REGION": REGION, "AWS_EC2_METADATA_DISABLED": "true"}))
        log = None
        if state is not None:
            stack.enter_context(locked(state))
            log = stack.enter_context((state / "functions.log").open("ab"))
        database = state / "indexes.sqlite3" if state else None
        # The functions run in other processes and call this server. Code in this process needs no HTTP.
        iam = Iam()
        url, emulation = stack.enter_context(
            serving(
                port=port,
                clock=clock,
                database=database,
                settings=settings,
                moto_config=MOTO,
                middleware=iam.guarded,
            )
        )
        stack.enter_context(mock_aws(config=MOTO))
        stack.enter_context(shared())
        if state is not None:
            stack.enter_context(kept_in(state / "buckets"))
        stack.enter_context(shortcuts())
        stack.enter_context(gaps_filled())
        stack.enter_context(with_its_role(iam))
        stack.enter_context(in_processes(url, log, iam.credentials))
        events = stack.enter_context(event_delivery(iam))
        if not isinstance(clock, WallClock):
            stack.enter_context(waiting_on(clock))
        create_bucket(ASSETS)
        boto3.client("ssm").put_parameter(Name=BOOTSTRAP_VERSION, Value="21", Type="String", Overwrite=True)
        # A handler must not outlive the emulation that it calls.
        stack.callback(stop_all)
        yield Cloud(emulation, events, clock, iam, url)


def _template(stack: str) -> str:
    return f"{stack}.template.json"
