"""A connector in AWS is found by its own stack, or by its functions in the stack of another app."""

from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError

from docferry.connector import Connector, Part
from docferry.errors import ConfigurationError
from docferry.runtime.settings import Settings
from docferry_cli.status.gathering import gather
from docferry_cli.targets import Where

ARN = "arn:aws:lambda:eu-west-1:123456789012:function:docferry-signed-contracts-crawl"
IDS = {"index_id": "index-1", "data_source_id": "source-1"}
SIGNED = Connector("signed-contracts", Part("s3", {"bucket": "contracts"}), Part("kendra", IDS))
CONNECTORS = """
connectors:
  laptop:
    source: {kind: files, path: docs}
    index: {kind: kendra}
  signed-contracts:
    source: {kind: s3, bucket: contracts, prefix: signed/}
    index: {kind: kendra}
    deploy: {create: true}
"""


class Services:
    """No stack of a connector; some functions, with what they were told."""

    missing = "ResourceNotFoundException"
    stack: dict[str, str] | None = None

    def __init__(self, **functions: dict[str, str]) -> None:
        self._functions = functions

    def __call__(self, _: str) -> "Services":
        """Stand in for the client of any service."""
        return self

    def describe_stacks(self, **_: Any) -> Any:
        """There is none of ours."""
        if self.stack is not None:
            return {"Stacks": [self.stack]}
        raise ClientError({"Error": {"Code": "ValidationError", "Message": "does not exist"}}, "DescribeStacks")

    def get_function_configuration(self, *, FunctionName: str) -> Any:  # noqa: N803  # AWS's name
        """What a function was told."""
        if FunctionName not in self._functions:
            error = {"Error": {"Code": self.missing, "Message": "no function"}}
            raise ClientError(error, "GetFunctionConfiguration")  # type: ignore[arg-type]  # a part is enough
        return {"FunctionArn": ARN, "Environment": {"Variables": self._functions[FunctionName]}}


@pytest.fixture
def config(tmp_path: Path) -> Path:
    """A connectors.yaml, which is not there yet."""
    return tmp_path / "connectors.yaml"


@pytest.fixture
def foreign(monkeypatch: pytest.MonkeyPatch) -> None:
    """A connector in the stack of another app."""
    told = {"docferry-signed-contracts-crawl": Settings("state-bucket", SIGNED).to_env()}
    monkeypatch.setattr(boto3, "client", Services(**told))


@pytest.mark.usefixtures("foreign")
def test_a_connector_of_another_app_needs_no_connectors_yaml(config: Path) -> None:
    """Its functions know what it is, and where its index and its state are."""
    where = Where("aws", config.parent, config)

    with where.look("signed-contracts") as found:
        pass

    assert found.connector == SIGNED
    assert (found.part, found.bucket) == (SIGNED.index, "state-bucket")
    machine = "arn:aws:states:eu-west-1:123456789012:stateMachine:docferry-signed-contracts"
    assert getattr(found, "state_machine", None) == machine


@pytest.mark.usefixtures("foreign")
def test_connectors_yaml_may_describe_it_too(config: Path) -> None:
    """The index is the one that the functions were told."""
    config.write_text(CONNECTORS)

    with Where("aws", config.parent, config).look("signed-contracts") as found:
        pass

    assert (found.connector.source.settings["prefix"], found.part) == ("signed/", SIGNED.index)


@pytest.mark.parametrize("described", [False, True])
def test_one_that_is_nowhere_is_named(config: Path, monkeypatch: pytest.MonkeyPatch, described: bool) -> None:  # noqa: FBT001  # the case
    """With what there is, or what deploys it."""
    monkeypatch.setattr(boto3, "client", Services())
    if described:
        config.write_text(CONNECTORS)
    where = Where("aws", config.parent, config)

    with pytest.raises(
        ConfigurationError, match="is not deployed: there is no stack" if described else "there is no .*connectors.yaml"
    ):
        where.look("signed-contracts").__enter__()
    with pytest.raises(
        ConfigurationError, match="no connector 'other'" if described else "there is no .*connectors.yaml"
    ):
        where.connector("other")


def test_a_function_that_is_not_ours_is_refused(config: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It happens to have the name."""
    monkeypatch.setattr(boto3, "client", Services(**{"docferry-signed-contracts-crawl": {}}))

    with pytest.raises(ConfigurationError, match="CONNECTOR is not set"):
        Where("aws", config.parent, config).connector("signed-contracts")


def test_connectors_for_a_laptop_are_not_asked_about_in_aws(config: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """They are never deployed, so monitoring must not call them unknown."""
    monkeypatch.setattr(boto3, "client", Services())
    config.write_text(CONNECTORS)

    assert [one.connector for one in gather(Where("aws", config.parent, config), None)] == ["signed-contracts"]


def test_a_slip_in_a_name_is_no_missing_right(config: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Who may look at a stack need not have the right to look at functions."""
    services = Services()
    monkeypatch.setattr(services, "missing", "AccessDeniedException")
    monkeypatch.setattr(boto3, "client", services)
    config.write_text(CONNECTORS)
    where = Where("aws", config.parent, config)

    with pytest.raises(ConfigurationError, match="no connector 'signed'; there are: laptop, signed-contracts"):
        where.connector("signed")
    with pytest.raises(ConfigurationError, match=r"is not deployed: .* the right lambda:GetFunctionConfiguration"):
        where.look("signed-contracts").__enter__()


@pytest.mark.parametrize(("status", "found"), [("UPDATE_COMPLETE", True), ("UPDATE_IN_PROGRESS", False)])
def test_a_stack_of_another_app_may_have_our_name(
    config: Path,
    monkeypatch: pytest.MonkeyPatch,
    status: str,
    found: bool,  # noqa: FBT001  # the case
) -> None:
    """It must not be deployed over. One that is being made is waited for."""
    services = Services(**{"docferry-signed-contracts-crawl": Settings("state-bucket", SIGNED).to_env()})
    monkeypatch.setattr(services, "stack", {"StackName": "docferry-signed-contracts", "StackStatus": status})
    monkeypatch.setattr(boto3, "client", services)
    where = Where("aws", config.parent, config)

    if found:
        with where.look("signed-contracts") as opened:
            assert opened.bucket == "state-bucket"
    else:
        with pytest.raises(ConfigurationError, match="wait until it is complete"):
            where.look("signed-contracts").__enter__()


def test_the_kind_of_index_has_to_be_the_one_it_has(config: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As for a connector of connectors.yaml."""
    told = {"docferry-signed-contracts-crawl": Settings("state-bucket", SIGNED).to_env()}
    monkeypatch.setattr(boto3, "client", Services(**told))

    with pytest.raises(ConfigurationError, match="syncs into kendra, not qbusiness"):
        Where("aws", config.parent, config).look("signed-contracts", "qbusiness").__enter__()
