"""What the checkers of others say of the templates, and whether a template has changed without anybody meaning it."""

import json
import re
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
import yaml
from aws_cdk import App, Stack, Validations
from aws_cdk import aws_sqs as sqs
from cdk_nag import AwsSolutionsChecks
from cfnlint import ManualArgs
from cfnlint import lint_by_config as lint
from syrupy.assertion import SnapshotAssertion
from syrupy.extensions.single_file import SingleFileSnapshotExtension, WriteMode

from docferry.runtime.assets import DEFINITION
from tests.infra.synthesis import NAMES, Assembly, Template, joined

# The specification allows it: https://states-language.net/#state-type-table; cfn-lint's schema does not know.
NOT_SO = {"Additional properties are not allowed ('OutputPath' was unexpected) at 'States/Succeeded/OutputPath'"}


def test_cdk_nag_finds_nothing_that_is_not_acknowledged(assembly: Assembly) -> None:
    """The pack AwsSolutions; a finding fails the synthesis itself."""
    assert assembly.report()["pluginReports"] == []


def test_cdk_nag_looks(tmp_path: Path) -> None:
    """A queue without TLS is found: the test above is not silent for want of looking."""
    app = App(outdir=str(tmp_path), auto_synth=False)
    sqs.Queue(Stack(app, "Bad"), "Queue")
    Validations.of(app).add_plugins(AwsSolutionsChecks(app))

    with pytest.raises(RuntimeError, match="ValidationFailed"):
        app.synth()
    assert "AwsSolutions-SQS4" in (tmp_path / "validation-report.json").read_text()


@pytest.mark.parametrize("name", NAMES)
def test_every_acknowledged_finding_has_its_reason(assembly: Assembly, name: str) -> None:
    """A sentence, not a word."""
    metadata = json.loads((assembly.folder / f"docferry-{name}.metadata.json").read_text(encoding="utf-8"))
    reasons = {
        finding: reason
        for entries in metadata.values()
        for entry in entries
        if entry["type"] == "aws:cdk:acknowledged-rules"
        for finding, reason in entry["data"].items()
    }

    assert reasons
    for finding, reason in reasons.items():
        assert re.search(r"\w+ \w+ .+\.$", reason), finding


@pytest.mark.parametrize("name", NAMES)
def test_cfn_lint_finds_nothing(assembly: Assembly, name: str) -> None:
    """Neither in the template nor in the workflow's definition, which it checks too."""
    template = assembly.folder / f"docferry-{name}.template.json"
    # W3005: CDK writes a DependsOn where a reference says the same.
    matches = lint(ManualArgs(templates=[str(template)], regions=["eu-west-1"], ignore_checks=["W3005"]))

    assert {match.message for match in matches} - NOT_SO == set()


def test_cfn_lint_checks_the_workflow(assembly: Assembly, tmp_path: Path) -> None:
    """A state of an unknown type is found."""
    body = json.loads(assembly.text("contracts"))
    for resource in body["Resources"].values():
        if resource["Type"] == "AWS::StepFunctions::StateMachine":
            text = resource["Properties"]["DefinitionString"]
            resource["Properties"]["DefinitionString"] = text.replace('"Type": "Wait"', '"Type": "Weight"')
    template = tmp_path / "bad.template.json"
    template.write_text(json.dumps(body))

    matches = lint(ManualArgs(templates=[str(template)], regions=["eu-west-1"], ignore_checks=["W3005"]))

    assert [match for match in matches if match.rule.id == "E3601" and match.message not in NOT_SO]


def test_the_definition_is_a_state_machine() -> None:
    """Each state is reached, and leads to a state that there is; so inside the Map."""
    machine = json.loads(DEFINITION.read_text(encoding="utf-8"))

    for part in (machine, machine["States"]["ApplyBatches"]["ItemProcessor"]):
        reached = {part["StartAt"]}
        for state in part["States"].values():
            ends = state.get("End") or state["Type"] in {"Succeed", "Fail"}
            following = {state.get("Next"), state.get("Default")} | {
                branch["Next"] for branch in (*state.get("Choices", ()), *state.get("Catch", ()))
            }
            assert bool(following - {None}) != bool(ends)
            reached |= following - {None}
        assert reached == set(part["States"])


class YamlSnapshot(SingleFileSnapshotExtension):
    """A snapshot as nested YAML, so that a review sees what has changed, and in which property."""

    _write_mode = WriteMode.TEXT
    file_extension = "yaml"

    def serialize(self, data: Any, **_: Any) -> str:
        """See syrupy."""
        text: str = yaml.safe_dump(data, width=120, allow_unicode=True)
        return text


@pytest.fixture
def snapshot_yaml(snapshot: SnapshotAssertion) -> SnapshotAssertion:
    """Snapshots as YAML files; written anew with ``pytest tests/infra --snapshot-update``."""
    return snapshot.use_extension(YamlSnapshot)


@pytest.mark.parametrize("name", NAMES)
def test_the_template_is_the_one_that_was_looked_at(
    assembly: Assembly, name: str, snapshot_yaml: SnapshotAssertion
) -> None:
    """A change of it is to be seen in the review. Digests are left out, and the definition, which has tests."""
    assert normalised(assembly.template(name)) == snapshot_yaml


def normalised(template: Template) -> dict[str, Any]:
    """The resources of a template, without what changes with the code of the bundle."""
    text = re.sub(r"[0-9a-f]{64}", "<digest>", json.dumps(template.body["Resources"]))
    resources: dict[str, Any] = json.loads(text)
    for resource in resources.values():
        if "DefinitionString" in resource.get("Properties", {}):
            resource["Properties"]["DefinitionString"] = "<statemachine/sync.asl.json>"
        if "ZipFile" in resource.get("Properties", {}).get("Code", {}):
            resource["Properties"]["Code"]["ZipFile"] = "<code of the CDK>"
    return {
        name: {"Type": resource["Type"], **nested(resource.get("Properties", {}))}
        for name, resource in resources.items()
    }


def nested(value: Any) -> Any:
    """A value of a template with what is JSON in a text, or in a joined one, as the structure that it is."""
    if isinstance(value, dict) and "Fn::Join" in value:
        value = joined(value)
    if isinstance(value, str) and value.startswith("{"):
        with suppress(json.JSONDecodeError):
            return nested(json.loads(value))
    if isinstance(value, dict):
        return {key: nested(inner) for key, inner in value.items()}
    return [nested(inner) for inner in value] if isinstance(value, list) else value
