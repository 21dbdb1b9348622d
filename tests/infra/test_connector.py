"""The construct, in stacks that are not ours."""

import json
import re
import sys
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from aws_cdk import App, CfnParameter, Stack, Token

import docferry_infra.bundle
from docferry.config.deployment import Described
from docferry.errors import ConfigurationError
from docferry.runtime.lambdas import DEPLOYED
from docferry_infra import (
    Connector,
    DeleteGuard,
    Deploy,
    FilesSettings,
    Groups,
    KendraSettings,
    QBusinessSettings,
    S3Settings,
    Schedule,
)
from docferry_infra.bundle import Bundle
from docferry_infra.connector import part_of
from tests.infra.synthesis import Assembly, Template

PAGE = (Path(__file__).parents[2] / "docs" / "deploy.md").read_text(encoding="utf-8")
CONTRACTS = S3Settings(bucket="example-contracts", prefix="signed/")
KENDRA = KendraSettings(index_id="0a1b2c3d-0000-0000-0000-000000000001", data_source_id="contracts")

SETTINGS = {"kendra": KendraSettings, "qbusiness": QBusinessSettings}


class Foreign(Stack):
    """Somebody's stack."""


@pytest.fixture
def stack(tmp_path: Path) -> Foreign:
    """A stack of an app that synthesizes into a folder of the test."""
    return Foreign(App(outdir=str(tmp_path / "out"), analytics_reporting=False), "Foreign")


def synthesized(stack: Stack) -> Template:
    """The template of a stack."""
    app = stack.node.root
    assert isinstance(app, App)
    return Template(json.loads((Path(app.synth().directory) / f"{stack.stack_name}.template.json").read_text()))


def test_a_kind_whose_library_is_not_installed_is_in_nobodys_way(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever installs the extra `deploy` alone has none of the libraries that single kinds of sources need."""
    for library, module in (("feedparser", "records.feed"), ("sqlalchemy", "records.sql"), ("fsspec", "remote.source")):
        monkeypatch.setitem(sys.modules, library, None)
        monkeypatch.delitem(sys.modules, f"docferry.sources.{module}", raising=False)

    assert part_of("source", CONTRACTS) == {"kind": "s3", "bucket": "example-contracts", "prefix": "signed/"}


def test_two_connectors_fit_into_one_foreign_stack(stack: Foreign, empty_bundle: Bundle) -> None:
    """Each has all of its resources, and no name in common with the other."""
    Connector(stack, "Contracts", source=CONTRACTS, index=KENDRA, bundle=empty_bundle)
    Connector(
        stack,
        "Wiki",
        source=S3Settings(bucket="example-wiki"),
        index=QBusinessSettings(fields={"department": "STRING"}),
        schedule=Schedule(expression="rate(12 hours)"),
        deploy=Deploy(create=True, identity_center="arn:aws:sso:::instance/ssoins-0123456789abcdef"),
        bundle=empty_bundle,
    )

    template = synthesized(stack)
    functions = template.resources("AWS::Lambda::Function").values()

    assert {properties["FunctionName"] for properties in functions} == {
        f"docferry-{name}-{function.name}" for name in ("contracts", "wiki") for function in DEPLOYED
    }
    machines = template.resources("AWS::StepFunctions::StateMachine").values()
    assert {one["StateMachineName"] for one in machines} == {"docferry-contracts", "docferry-wiki"}
    assert len(template.resources("AWS::S3::Bucket")) == 2
    assert len(template.resources("AWS::Scheduler::Schedule")) == 1
    assert len(template.resources("AWS::QBusiness::Index")) == 1
    assert template.resources("AWS::Kendra::Index") == {}


def test_two_connectors_of_one_stack_turn_on_event_bridge(stack: Foreign, empty_bundle: Bundle) -> None:
    """With one function, which may change the two buckets. The name of one is known only when it is deployed."""
    named = CfnParameter(stack, "Bucket").value_as_string
    for name, bucket in (("Contracts", "example-contracts"), ("Wiki", named)):
        source, index = S3Settings(bucket=bucket), KENDRA
        Connector(stack, name, source=source, index=index, deploy=Deploy(uploads=True), bundle=empty_bundle)

    template = synthesized(stack)
    resources = template.resources("Custom::S3BucketNotifications").values()
    (handler,) = {json.dumps(one["ServiceToken"]) for one in resources}
    role = template.body["Resources"][json.loads(handler)["Fn::GetAtt"][0]]["Properties"]["Role"]

    assert [one["BucketName"] for one in resources] == ["example-contracts", {"Ref": "Bucket"}]
    assert {str(one["Resource"]).count("example-contracts") for one in template.statements(role)} == {0, 1}


def test_a_connector_is_what_its_own_stack_has(
    described: dict[str, Described], assembly: Assembly, empty_bundle: Bundle, tmp_path: Path
) -> None:
    """The same resources, whether keywords or connectors.yaml describe it."""
    one = described["contracts"]
    stack = Stack(App(outdir=str(tmp_path / "out"), analytics_reporting=False), "Foreign")
    Connector(
        stack,
        "Default",
        name="contracts",
        source=S3Settings(**one.connector.source.settings),
        index=SETTINGS[one.connector.index.kind](**one.connector.index.settings),
        schedule=one.schedule,
        deploy=one.deploy,
        deletes=one.connector.deletes,
        access=one.connector.access,
        groups=one.connector.groups,
        bundle=empty_bundle,
    )

    ours, theirs = (
        Counter(one["Type"] for one in template.body["Resources"].values())
        for template in (synthesized(stack), assembly.template("contracts"))
    )
    assert ours == theirs


def test_what_was_made_can_be_used_by_the_stack(stack: Foreign, empty_bundle: Bundle) -> None:
    """For grants and alarms of one's own."""
    made = Connector(
        stack, "Contracts", source=CONTRACTS, index=KENDRA, deploy=Deploy(alarms_topic=True), bundle=empty_bundle
    )

    assert stack.resolve(made.state_machine.state_machine_arn)
    assert stack.resolve(made.state_bucket.bucket_name)
    assert made.index.settings["index_id"] == KENDRA.index_id
    assert made.alarms
    assert made.alarms_topic is not None


def test_a_value_may_be_known_only_when_the_stack_is_deployed(stack: Foreign, empty_bundle: Bundle) -> None:
    """A bucket of the same stack, a parameter: wherever a setting is used, its reference stands."""
    bucket = CfnParameter(stack, "BucketName")
    index = CfnParameter(stack, "IndexId")
    Connector(
        stack,
        "Contracts",
        source=S3Settings(bucket=bucket.value_as_string),
        index=KendraSettings(index_id=index.value_as_string, data_source_id=Token.as_string({"Ref": "DataSource"})),
        bundle=empty_bundle,
    )

    text = json.dumps(synthesized(stack).body)

    assert "Token[" not in text
    assert '{"Ref": "BucketName"}' in text
    assert '{"Ref": "IndexId"}' in text


@pytest.mark.parametrize(
    ("wrong", "told"),
    [
        ({"source": S3Settings(bucket="No_Bucket")}, "connectors.contracts.source.bucket: 'No_Bucket' is not valid"),
        ({"index": KendraSettings()}, "connectors.contracts.index.index_id: is required to deploy"),
        ({"source": FilesSettings(path="docs")}, "connectors.contracts.source.path: a function has no folder docs"),
        (
            {"groups": Groups(file="groups.csv")},
            "connectors.contracts.groups.file: a function has no folder",
        ),
        ({"schedule": Schedule(expression="now")}, "connectors.contracts.schedule.expression: "),
        ({"deploy": Deploy(stale_hours=200)}, "connectors.contracts.deploy.stale_hours: "),
        ({"deletes": DeleteGuard(percent=200)}, "connectors.contracts.deletes.percent: must be at most 100"),
        ({"name": "No Name"}, "'No Name' is not a valid name"),
        (
            {"index": CONTRACTS},
            "index: S3Settings is no settings of a kind; there are: BedrockSettings, KendraSettings, QBusinessSettings",
        ),
    ],
)
def test_what_is_wrong_is_told_as_for_the_file(
    stack: Foreign, empty_bundle: Bundle, wrong: dict[str, Any], told: str
) -> None:
    """By its path, and nothing is made."""
    keywords: dict[str, Any] = {"source": CONTRACTS, "index": KENDRA, **wrong}

    with pytest.raises(ConfigurationError, match=re.escape(told)):
        Connector(stack, "Contracts", bundle=empty_bundle, **keywords)

    assert stack.node.children == []


def test_the_example_of_the_page_is_synthesized(empty_bundle: Bundle, monkeypatch: pytest.MonkeyPatch) -> None:
    """As it stands in docs/deploy.md."""
    (example,) = (block for block in re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL) if "Connector(" in block)
    monkeypatch.setattr(docferry_infra.bundle, "bundle", lambda _: empty_bundle)
    made: dict[str, Any] = {}

    exec(compile(example, "docs/deploy.md", "exec"), made)

    template = synthesized(made["stack"])
    assert template.only("AWS::StepFunctions::StateMachine")["StateMachineName"] == "docferry-signed-contracts"
    assert len(template.resources("AWS::SNS::Topic")) == 1
