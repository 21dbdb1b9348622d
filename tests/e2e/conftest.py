"""Stacks as AWS would make them: the synthesized template in moto's CloudFormation, the bundle in processes."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import boto3
import pytest

from docferry_cli.targets.aws import opened
from docferry_infra.deployable import deployable
from docferry_infra.request import Request
from docferry_infra.synth import synthesize
from docferry_infra.wheels import here
from docferry_laptop.assembly import Assembly
from docferry_laptop.deployed import cloud
from tests.e2e.world import BUCKET, CONNECTORS, World


@pytest.fixture(scope="session")
def assembly(tmp_path_factory: pytest.TempPathFactory) -> Assembly:
    """The connectors of this folder, synthesized as app.py does for this machine."""
    pytest.importorskip("awslambdaric", reason="Lambda's runtime client is for Linux")
    return Assembly(synthesize(Request(deployable(CONNECTORS), here(), tmp_path_factory.mktemp("assembly"))))


@pytest.fixture(scope="module", params=["handbook", "handbook-q"])
def world(request: pytest.FixtureRequest, assembly: Assembly) -> Iterator[World]:
    """A deployed connector of each service on virtual time, and its bucket, which is as it was after the test before.

    Tests share it, for what they share costs the most: the processes. Each works with documents of its own.
    """
    with deployed(request.param, assembly) as world:
        yield world


@contextmanager
def deployed(name: str, assembly: Assembly) -> Iterator[World]:
    """A connector of this folder's connectors.yaml, deployed."""
    described = deployable(CONNECTORS)[name]
    connector = described.connector
    with cloud() as running:
        s3: Any = boto3.client("s3")
        s3.create_bucket(Bucket=BUCKET)
        if not (described.deploy and described.deploy.uploads):
            s3.put_bucket_notification_configuration(
                Bucket=BUCKET, NotificationConfiguration={"EventBridgeConfiguration": {}}
            )
        running.publish(assembly, connector)
        running.create(connector.name)
        yield World(running, opened(connector))
