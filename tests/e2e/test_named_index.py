"""A connector that names its index by ids: an emulated one takes its place, also in what the functions are told."""

from pathlib import Path
from typing import Any

import boto3
import msgspec

from docferry.runtime.settings import CONNECTOR
from docferry_cli.targets.aws import opened
from docferry_infra.deployable import deployable
from docferry_laptop.assembly import Assembly
from docferry_laptop.deployed import cloud
from tests.e2e.world import CONNECTORS

IDS = ("application_id", "index_id", "data_source_id")


def test_the_ids_are_those_of_an_emulated_index(assembly: Assembly, tmp_path: Path) -> None:
    """The same ones in the outputs of the stack and in each function's environment; and in the next process."""
    connector = deployable(CONNECTORS)["named"].connector
    with cloud(state=tmp_path) as running:
        running.publish(assembly, connector)
        running.create(connector.name)
        first = opened(connector).part.settings
        function: Any = boto3.client("lambda").get_function_configuration(FunctionName="docferry-named-put_batch")
    with cloud(state=tmp_path) as running:
        running.create(connector.name)
        second = opened(connector).part.settings
        qbusiness: Any = boto3.client("qbusiness")
        source = qbusiness.get_data_source(
            applicationId=second["application_id"], indexId=second["index_id"], dataSourceId=second["data_source_id"]
        )

    told = msgspec.json.decode(function["Environment"]["Variables"][CONNECTOR])["index"]["settings"]
    assert source["status"] == "ACTIVE"
    for name in IDS:
        assert first[name] == second[name] == told[name]
        assert first[name] != connector.index.settings[name]
