"""From connectors.yaml to templates: any number of connectors, each alone, and nothing from a bad file."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
from msgspec import structs

import docferry_infra.synth
from docferry.config.connectors import load_connectors
from docferry.config.deployment import Described
from docferry.errors import ConfigurationError
from docferry_infra.app import main
from docferry_infra.bundle import Bundle
from docferry_infra.deployable import deployable
from docferry_infra.request import Request
from docferry_infra.synth import application, synthesize
from docferry_infra.wheels import here
from tests.infra.synthesis import CONNECTORS

ROOT = Path(__file__).parents[2]
BUILDER = ("bundle.py", "wheels.py")
INDEX = "index: {kind: kendra, index_id: 0a1b2c3d-0000-0000-0000-000000000001, data_source_id: x}"
SOURCE = "source: {kind: s3, bucket: example-contracts}"


def templates(connectors: dict[str, Described], bundle: Bundle, out: Path) -> dict[str, str]:
    """Synthesize connectors, and read the templates."""
    application(connectors, lambda _: bundle, out=out).synth()
    return {file.name: file.read_text(encoding="utf-8") for file in out.glob("*.template.json")}


def test_removing_a_connector_leaves_the_others_as_they_are(
    described: dict[str, Described], empty_bundle: Bundle, tmp_path: Path
) -> None:
    """Byte by byte: the others are not deployed again."""
    before = templates(described, empty_bundle, tmp_path / "before")
    left = {name: one for name, one in described.items() if name != "handbook-q"}

    after = templates(left, empty_bundle, tmp_path / "after")

    assert after == {name: text for name, text in before.items() if "handbook-q" not in name}
    assert len(after) == len(described) - 1


def test_ten_connectors_are_ten_stacks(described: dict[str, Described], empty_bundle: Bundle, tmp_path: Path) -> None:
    """One assembly, one copy of the bundle."""
    one = described["contracts"]
    ten = {
        f"team-{number}": structs.replace(one, connector=structs.replace(one.connector, name=f"team-{number}"))
        for number in range(10)
    }

    assert len(templates(ten, empty_bundle, tmp_path / "out")) == 10
    assert len(list((tmp_path / "out").glob("asset.*"))) == 1


def test_connectors_on_one_index_share_nothing(
    described: dict[str, Described], empty_bundle: Bundle, tmp_path: Path
) -> None:
    """No physical name is in two templates, so that neither stack can take what is the other's."""
    one = described["contracts"]
    both = {
        name: structs.replace(one, connector=structs.replace(one.connector, name=name)) for name in ("left", "right")
    }
    found = templates(both, empty_bundle, tmp_path / "out")
    named = ("FunctionName", "StateMachineName", "LogGroupName", "DashboardName", "AlarmName", "Name")
    left, right = (
        {
            f"{resource['Type']}: {resource['Properties'][name]}"
            for resource in json.loads(text)["Resources"].values()
            for name in named
            if isinstance(resource.get("Properties", {}).get(name), str)
        }
        for text in found.values()
    )

    assert left
    assert left & right == set()


@pytest.mark.parametrize(
    ("text", "told"),
    [
        (
            f"a: {{{SOURCE}, index: {{kind: kendra, index_id: short, data_source_id: x}}}}",
            "connectors.a.index.index_id: ",
        ),
        (f"a: {{{SOURCE}, {INDEX}, schedule: {{expression: now}}}}", "connectors.a.schedule.expression: "),
        (f"a: {{{SOURCE}, {INDEX}, deploy: {{kmz: own}}}}", "connectors.a.deploy.kmz: is unknown; did you mean kms?"),
        (f"a: {{{SOURCE}, {INDEX}, deploy: {{create: 1}}}}", "connectors.a.deploy.create: must be true or false"),
        (f"a: {{{SOURCE}, {INDEX}, deploy: {{log_retention: 8}}}}", "connectors.a.deploy.log_retention: "),
        (f"a: {{{SOURCE}, {INDEX}}}\n  a: {{{SOURCE}, {INDEX}}}", "connectors.a: is given twice, in lines 2 and 3"),
        (f"a: {{source: {{kind: s3, bucket: No_Bucket}}, {INDEX}}}", "connectors.a.source.bucket: "),
        (
            f"a: {{source: {{kind: s3, bucket: docs, password: hunter2}}, {INDEX}}}",
            "connectors.a.source.password: looks like a secret in plain text",
        ),
        (
            f"a: {{{SOURCE}, index: {{kind: kendra}}, deploy: {{}}}}",
            "connectors.a.index.index_id: is required to deploy",
        ),
        (
            f"a: {{{SOURCE}, index: {{kind: qbusiness}}, deploy: {{create: true}}}}",
            "connectors.a.deploy.identity_center: is required",
        ),
        (
            f"a: {{{SOURCE}, {INDEX}, deploy: {{edition: STARTER}}}}",
            "connectors.a.deploy.edition: 'STARTER' is none of",
        ),
        (
            f"a: {{{SOURCE}, index: {{kind: kendra, data_source_id: x}}, deploy: {{create: true}}}}",
            "connectors.a.index.index_id: is required with index.data_source_id",
        ),
        (f"a: {{source: {{kind: files, path: docs}}, {INDEX}}}", "connectors.a.source.path: a function has no folder"),
        (
            f"a: {{source: {{kind: feed, url: https://example.com/f}}, {INDEX}, deploy: {{uploads: true}}}}",
            "connectors.a.deploy.uploads: a source of kind feed has no bucket that tells of uploads",
        ),
        (
            f"a: {{source: {{kind: fsspec, protocol: dropbox}}, {INDEX}}}",
            "connectors.a.source.protocol: the bundle has no library for dropbox; it has those of abfs,",
        ),
        (
            f"a: {{source: {{kind: fsspec, protocol: zip, options: {{fo: /docs.zip}}}}, {INDEX}}}",
            "connectors.a.source.options.fo: a function has no folder /docs.zip",
        ),
        (
            f"a: {{source: {{kind: fsspec, protocol: git, options: {{path: repo}}}}, {INDEX}}}",
            "connectors.a.source.options.path: a function has no folder repo",
        ),
        (
            f"a: {{source: {{kind: fsspec, protocol: sftp, options: {{password: 'env:PW'}}}}, {INDEX}}}",
            "connectors.a.source.options.password: env: names a variable of this machine",
        ),
        (
            f"a: {{source: {{kind: fsspec, protocol: sftp, options: {{passphrase: hunter2}}}}, {INDEX}}}",
            "connectors.a.source.options.passphrase: looks like a secret in plain text",
        ),
        (f"a: {{{SOURCE}, index: {{kind: kendra}}}}", "has no connector to deploy"),
        ("a: [", "is not YAML"),
    ],
)
def test_a_bad_file_is_told_and_nothing_is_written(text: str, told: str, tmp_path: Path) -> None:
    """Whatever is wrong with it, by its path."""
    config, out = tmp_path / "connectors.yaml", tmp_path / "out"
    config.write_text(f"connectors:\n  {text}\n")

    with pytest.raises(ConfigurationError) as error:
        Request.from_env({"DOCFERRY_CONNECTORS": str(config)}, config=tmp_path / "none", out=out)

    assert told in str(error.value)
    assert "hunter2" not in str(error.value)
    assert list(tmp_path.iterdir()) == [config]


def test_everything_wrong_is_told_at_once(tmp_path: Path) -> None:
    """In the shape of the file first, then in what a deployment needs."""
    config = tmp_path / "connectors.yaml"
    config.write_text(
        f"connectors:\n  a: {{{SOURCE}, index: {{kind: kendra}}, deploy: {{}}}}\n"
        f"  b: {{source: {{kind: files, path: docs}}, index: {{kind: qbusiness}}, deploy: {{}}}}\n"
    )

    with pytest.raises(ConfigurationError) as error:
        deployable(config)

    assert [line.split(":")[0] for line in str(error.value).split("\n  ")[1:]] == [
        "connectors.a.index.index_id",
        "connectors.a.index.data_source_id",
        "connectors.b.index.application_id",
        "connectors.b.index.index_id",
        "connectors.b.index.data_source_id",
        "connectors.b.source.path",
    ]


def test_a_connector_for_the_laptop_is_left_out(tmp_path: Path) -> None:
    """It names no index, and has no deploy part: there is nothing in AWS that it could sync into."""
    config = tmp_path / "connectors.yaml"
    laptop = "laptop: {source: {kind: files, path: docs}, index: {kind: kendra}}"
    config.write_text(f"connectors:\n  {laptop}\n  aws: {{{SOURCE}, {INDEX}}}\n")

    assert list(deployable(config)) == ["aws"]


def test_the_bundle_holds_the_library_of_the_protocol(empty_bundle: Bundle, tmp_path: Path) -> None:
    """Connectors with the same protocol share one; each may read its own secret, however deep it is named."""
    arn = "arn:aws:secretsmanager:eu-west-1:123456789012:secret:sftp-AbCdEf"
    options = f"{{host: files.example.com, username: reader, client_keys: ['{arn}']}}"
    archive = f"{{fo: 'sftp://files.example.com/docs.zip', target_options: {options}}}"
    config = tmp_path / "connectors.yaml"
    config.write_text(
        f"connectors:\n  a: {{source: {{kind: fsspec, protocol: sftp, options: {options}}}, {INDEX}}}\n"
        f"  b: {{source: {{kind: fsspec, protocol: zip, options: {archive}}}, {INDEX}}}\n"
        f"  c: {{source: {{kind: fsspec, protocol: ftp, options: {{host: x}}}}, {INDEX}}}\n"
    )
    asked = []

    def bundle_of(name: str) -> Bundle:
        asked.append(name)
        return empty_bundle

    application(deployable(config), bundle_of, out=tmp_path / "out").synth()

    assert asked == ["fsspec", "fsspec-sftp"]
    written = {file.name[9]: file.read_text() for file in (tmp_path / "out").glob("docferry-*.template.json")}
    assert [arn in written[name] for name in "abc"] == [True, True, False]


def test_the_context_of_cdk_says_the_same_as_the_environment(
    empty_bundle: Bundle, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """``cdk synth -c connectors=FILE -c bundle=here`` works as well."""
    asked = []

    def bundle(kind: str, target: object) -> Bundle:
        asked.append((kind, target))
        return empty_bundle

    monkeypatch.setattr(docferry_infra.synth, "bundle", bundle)
    context = json.dumps({"connectors": str(CONNECTORS), "bundle": "here"})

    order = Request.from_env({"CDK_CONTEXT_JSON": context}, config=tmp_path / "none", out=tmp_path / "out")
    out = synthesize(order)

    assert asked == [("files", here()), ("s3", here())]
    written = {template.name for template in out.glob("*.template.json")}
    assert written == {f"docferry-{name}.template.json" for name in load_connectors(CONNECTORS)}


def test_app_py_ends_with_2_for_a_bad_file(tmp_path: Path) -> None:
    """As the docferry command does; what is wrong is on standard error, without a traceback."""
    config = tmp_path / "connectors.yaml"
    config.write_text("connectors: {a: {}}")

    ended = subprocess.run(
        [sys.executable, str(ROOT / "app.py")],
        env={"DOCFERRY_CONNECTORS": str(config), "CDK_OUTDIR": str(tmp_path / "out"), "PATH": ""},
        capture_output=True,
        text=True,
        check=False,
    )

    assert ended.returncode == 2
    assert "connectors.a.source: is required" in ended.stderr
    assert "Traceback" not in ended.stderr
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("problem", "told"),
    [
        (ConfigurationError("pip finds no wheels of lxml"), "pip finds no wheels of lxml"),
        (subprocess.CalledProcessError(1, ["python", "-m", "pip", "download"]), "`python -m pip download …` failed"),
    ],
)
def test_what_keeps_a_bundle_from_being_built_is_one_line(
    problem: Exception, told: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """No traceback: whoever deploys has named a library without a wheel, or has no network."""

    def synthesize(_: Request) -> None:
        raise problem

    (tmp_path / "connectors.yaml").write_text(CONNECTORS.read_text())
    monkeypatch.setattr(docferry_infra.synth, "synthesize", synthesize)

    assert main(tmp_path) == 2
    said = capsys.readouterr().err
    assert told in said
    assert "Traceback" not in said


@pytest.mark.parametrize("folder", ["emulators", "laptop", "cli", "functions"])
def test_a_laptop_needs_no_cdk(folder: str) -> None:
    """Neither the command nor the functions import it; nor does the builder of the bundle, which the laptop uses."""
    files = [*(ROOT / folder).rglob("*.py"), *((ROOT / "infra" / "docferry_infra" / name) for name in BUILDER)]

    assert not [file for file in files if "aws_cdk" in file.read_text(encoding="utf-8")]


def test_an_unknown_bundle_is_refused(tmp_path: Path) -> None:
    """There are two."""
    with pytest.raises(ConfigurationError, match="no bundle 'arm'; there are: lambda, here"):
        Request.from_env({"DOCFERRY_BUNDLE": "arm"}, config=CONNECTORS, out=tmp_path / "out")
