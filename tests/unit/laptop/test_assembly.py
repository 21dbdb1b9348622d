"""How a laptop synthesizes: by a program of its own, whose complaints are told."""

import json
from pathlib import Path

import pytest

import docferry_laptop.assembly
from docferry.errors import ConfigurationError
from docferry_laptop.assembly import Assembly, synthesize


@pytest.fixture
def app(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Stands in for docferry_infra.app."""
    program = tmp_path / "app.py"
    monkeypatch.setattr(docferry_laptop.assembly, "PROGRAM", [str(program)])
    return program


def test_it_is_told_what_to_synthesize(app: Path, tmp_path: Path) -> None:
    """The connectors, with bundles for this machine, into the folder."""
    app.write_text(
        "import json, os, pathlib\n"
        "out = pathlib.Path(os.environ['CDK_OUTDIR'])\n"
        "out.mkdir()\n"
        "said = {name: os.environ[name] for name in ('DOCFERRY_CONNECTORS', 'DOCFERRY_BUNDLE')}\n"
        "(out / 'docferry-one.template.json').write_text(json.dumps(said))\n"
        "made = {'docferry-one': {'type': 'aws:cloudformation:stack'}, 'Tree': {'type': 'cdk:tree'}}\n"
        "(out / 'manifest.json').write_text(json.dumps({'artifacts': made}))\n"
    )
    connectors = tmp_path / "connectors.yaml"

    made = synthesize(connectors, tmp_path / "out", "here")

    assert json.loads(made.file("one").read_text()) == {
        "DOCFERRY_CONNECTORS": str(connectors),
        "DOCFERRY_BUNDLE": "here",
    }
    assert made.connectors() == ["one"]


@pytest.mark.parametrize(
    ("program", "told"),
    [
        ("import sys; sys.exit('connectors.a.index: is required')", "^connectors.a.index: is required$"),
        ("import no_such_library", "pip install 'docferry.deploy.'.*No module named 'no_such_library'"),
    ],
)
def test_what_is_wrong_is_told(app: Path, tmp_path: Path, program: str, told: str) -> None:
    """As app.py tells it; or what to install."""
    app.write_text(program)

    with pytest.raises(ConfigurationError, match=told):
        synthesize(tmp_path / "connectors.yaml", tmp_path / "out")


def test_a_connector_for_the_laptop_has_no_template(tmp_path: Path) -> None:
    """Those that have one are named; what an earlier synthesis has left in the folder is none of them."""
    (tmp_path / "docferry-other.template.json").write_text("{}")
    made = {"artifacts": {"docferry-one": {"type": "aws:cloudformation:stack"}}}
    (tmp_path / "manifest.json").write_text(json.dumps(made))

    with pytest.raises(ConfigurationError, match="other was not synthesized; there are: one"):
        Assembly(tmp_path).file("other")
