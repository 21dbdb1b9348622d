"""`docferry synth` and `docferry deploy`, with a synthesis and a CDK CLI that only note what they are asked."""

import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

import docferry_laptop.assembly
from tests.cli.command import Docferry

SYNTHESIS = """
import json, os, pathlib
out = pathlib.Path(os.environ["CDK_OUTDIR"])
out.mkdir(exist_ok=True)
(out / "docferry-handbook.template.json").write_text("{}")
made = {"docferry-handbook": {"type": "aws:cloudformation:stack"}}
(out / "manifest.json").write_text(json.dumps({"artifacts": made}))
(out / "bundle").write_text(os.environ["DOCFERRY_BUNDLE"])
"""


@pytest.fixture
def synthesis(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Stands in for docferry_infra.app, which the tests of the templates run for real."""
    program = tmp_path / "synthesis.py"
    program.write_text(SYNTHESIS)
    monkeypatch.setattr(docferry_laptop.assembly, "PROGRAM", [str(program)])


@pytest.fixture
def npx(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[], list[str]]:
    """An npx that writes down its arguments and exits with 3; what it was given."""
    folder = tmp_path / "bin"
    folder.mkdir()
    (folder / "npx").write_text(f'#!/bin/sh\nprintf "%s\\n" "$@" > {tmp_path}/asked\nexit 3\n')
    (folder / "npx").chmod(0o755)
    monkeypatch.setenv("PATH", os.pathsep.join([str(folder), os.environ["PATH"]]))
    return lambda: (tmp_path / "asked").read_text().splitlines()


@pytest.mark.usefixtures("synthesis")
def test_synth_says_where_each_template_is(docferry: Docferry, tmp_path: Path) -> None:
    """Of Lambda's bundle, which is what is deployed."""
    assert docferry.json("synth") == {"handbook": "cdk.out/docferry-handbook.template.json"}
    assert docferry("synth")[1] == "handbook: cdk.out/docferry-handbook.template.json\n"
    assert (tmp_path / "cdk.out" / "bundle").read_text() == "lambda"


@pytest.mark.usefixtures("synthesis")
def test_the_cdk_cli_deploys_what_was_synthesized(docferry: Docferry, npx: Callable[[], list[str]]) -> None:
    """It asks before it widens permissions; its exit code is the command's."""
    assert docferry("deploy", "handbook")[0] == 3
    assert npx() == [
        *("--yes", "aws-cdk@2", "deploy", "--app", "cdk.out"),
        *("--require-approval", "broadening", "docferry-handbook"),
    ]


@pytest.mark.usefixtures("synthesis")
def test_arguments_for_the_cdk_cli_are_handed_on(docferry: Docferry, npx: Callable[[], list[str]]) -> None:
    """Whatever it knows; a choice of one's own takes the place of ours."""
    docferry("deploy", "handbook", "--", "--require-approval", "never", "--profile", "x")

    assert npx()[5:] == ["--require-approval", "never", "--profile", "x", "docferry-handbook"]

    docferry("deploy", "handbook", "--", "--require-approval=never")

    assert npx()[5:] == ["--require-approval=never", "docferry-handbook"]


@pytest.mark.usefixtures("synthesis")
def test_a_connector_that_cannot_be_deployed_is_refused(docferry: Docferry, npx: Callable[[], list[str]]) -> None:
    """Before the CDK CLI is asked."""
    code, _, err = docferry("deploy", "other")

    assert code == 2
    assert "other was not synthesized; there are: handbook" in err
    with pytest.raises(FileNotFoundError):
        npx()


@pytest.mark.usefixtures("synthesis")
def test_a_missing_npx_is_told_with_its_cure(docferry: Docferry, monkeypatch: pytest.MonkeyPatch) -> None:
    """It comes with the extra."""
    monkeypatch.setattr(shutil, "which", lambda *_, **__: None)

    code, _, err = docferry("deploy", "handbook")

    assert code == 2
    assert "pip install 'docferry[deploy]'" in err


def test_a_synthesis_without_its_libraries_names_the_extra(docferry: Docferry, tmp_path: Path) -> None:
    """As from a wheel that was installed without it."""
    (tmp_path / "aws_cdk.py").write_text("import no_such_library")
    program = tmp_path / "program.py"
    program.write_text("import aws_cdk")
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(docferry_laptop.assembly, "PROGRAM", [str(program)])
        code, _, err = docferry("synth")

    assert code == 2
    assert "pip install 'docferry[deploy]'" in err
