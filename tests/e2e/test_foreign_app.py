"""A connector in the stack of somebody's CDK app: it runs, and the commands find it without a connectors.yaml."""

import json
from pathlib import Path
from typing import Any

import boto3
import pytest
from aws_cdk import App, Stack

from docferry_cli.doctor.examine import examine
from docferry_cli.status.gathering import gather
from docferry_cli.targets import Startable, Where
from docferry_infra import Connector, Deploy, KendraSettings, S3Settings, Schedule
from docferry_infra.bundle import bundle
from docferry_infra.wheels import here
from docferry_laptop.assembly import Assembly
from docferry_laptop.deployed import ASSETS, cloud
from docferry_laptop.moto.gaps import quietly
from docferry_laptop.storage import ACCOUNT, REGION
from tests.e2e.world import BUCKET, World


@pytest.fixture
def assembly(tmp_path: Path) -> Assembly:
    """An app with one stack of its own, and a connector in it."""
    pytest.importorskip("awslambdaric", reason="Lambda's runtime client is for Linux")
    app = App(outdir=str(tmp_path / "out"), analytics_reporting=False)
    Connector(
        Stack(app, "Documents"),
        "SignedContracts",
        source=S3Settings(bucket=BUCKET),
        index=KendraSettings(),
        schedule=Schedule(expression="rate(12 hours)"),
        deploy=Deploy(create=True),
        bundle=bundle("", here()),
    )
    return Assembly(Path(app.synth().directory))


def test_a_connector_of_another_app_is_synced_and_looked_at(assembly: Assembly, tmp_path: Path) -> None:
    """By its name alone."""
    where = Where("aws", tmp_path, tmp_path / "connectors.yaml")
    with cloud() as running:
        s3: Any = boto3.client("s3")
        s3.create_bucket(Bucket=BUCKET)
        s3.put_object(Bucket=BUCKET, Key="lease.txt", Body=b"The lease of the quay.")
        s3.put_bucket_notification_configuration(
            Bucket=BUCKET, NotificationConfiguration={"EventBridgeConfiguration": {}}
        )
        assembly.publish("Documents", ACCOUNT, REGION)
        template = (assembly.folder / "Documents.template.json").read_bytes()
        s3.put_object(Bucket=ASSETS, Key="Documents.template.json", Body=template)
        url = f"https://s3.amazonaws.com/{ASSETS}/Documents.template.json"
        with quietly():
            boto3.client("cloudformation").create_stack(
                StackName="Documents", TemplateURL=url, Capabilities=["CAPABILITY_IAM"]
            )
        with where.look("signed-contracts") as found:
            assert isinstance(found, Startable)
            report = World(running, found).run()
            examination = examine(where, "signed-contracts")
            (status,) = gather(where, "signed-contracts")

    assert (report.status, report.added) == ("SUCCEEDED", 1)
    assert (status.connector, status.health) == ("signed-contracts", "healthy")
    said = {one.check: (one.status, one.said) for one in examination.findings}
    assert examination.status == "ok", json.dumps(said, indent=2)
    assert said["stack"] == ("ok", "it is part of the stack of another app")
