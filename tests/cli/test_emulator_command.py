"""docferry emulator, as another program sees it."""

import json
import signal
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import boto3
import pytest

EMULATOR = [sys.executable, "-c", "from docferry_cli.main import main; main()", "emulator", "--port", "0"]


@contextmanager
def emulator(*options: str) -> Iterator[tuple[str, "subprocess.Popen[str]"]]:
    """The command, ready; yields its address."""
    process = subprocess.Popen([*EMULATOR, *options], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    try:
        assert process.stdout is not None
        line = process.stdout.readline()
        assert line.startswith("ready http://127.0.0.1:"), process.communicate()[1]
        yield line.split()[1], process
    finally:
        process.kill()
        process.communicate()


@pytest.fixture(autouse=True)
def credentials(monkeypatch: pytest.MonkeyPatch) -> None:
    """Any will do."""
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "testing")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "eu-west-1")


def test_both_services_and_s3_answer_on_one_port(monkeypatch: pytest.MonkeyPatch) -> None:
    """With only AWS_ENDPOINT_URL set."""
    with emulator() as (url, _):
        monkeypatch.setenv("AWS_ENDPOINT_URL", url)
        index_id = boto3.client("kendra").create_index(Name="one", RoleArn="arn:aws:iam::123456789012:role/x")["Id"]
        boto3.client("qbusiness").create_application(displayName="two")
        boto3.client("s3").create_bucket(
            Bucket="three-buckets", CreateBucketConfiguration={"LocationConstraint": "eu-west-1"}
        )

        assert len(index_id) == 36
        assert boto3.client("qbusiness").list_applications()["applications"][0]["displayName"] == "two"
        assert boto3.client("s3").list_buckets()["Buckets"][0]["Name"] == "three-buckets"


def test_what_it_held_is_there_after_a_kill(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Indexes and buckets, with --state."""
    with emulator("--state", str(tmp_path)) as (url, process):
        monkeypatch.setenv("AWS_ENDPOINT_URL", url)
        index_id = boto3.client("kendra").create_index(Name="one", RoleArn="arn:aws:iam::123456789012:role/x")["Id"]
        s3 = boto3.client("s3", region_name="us-east-1")
        s3.create_bucket(Bucket="papers")
        s3.put_object(Bucket="papers", Key="a.txt", Body=b"text")
        process.kill()
        process.wait()

    with emulator("--state", str(tmp_path)) as (url, _):
        monkeypatch.setenv("AWS_ENDPOINT_URL", url)
        assert boto3.client("kendra").describe_index(Id=index_id)["Name"] == "one"
        assert boto3.client("s3", region_name="us-east-1").get_object(Bucket="papers", Key="a.txt")["ETag"]


def test_ctrl_c_ends_it_cleanly() -> None:
    """With exit code 0, and no traceback."""
    with emulator() as (_, process):
        process.send_signal(signal.SIGINT)
        _, err = process.communicate(timeout=30)

    assert process.returncode == 0
    assert "Traceback" not in err


def test_faults_come_from_a_file(tmp_path: Path) -> None:
    """And can be read back from the control endpoint; a wrong file is refused by name."""
    faults = tmp_path / "faults.yaml"
    faults.write_text("throttle_every: {BatchPutDocument: 3}\n")
    with (
        emulator("--faults", str(faults)) as (url, _),
        urllib.request.urlopen(f"{url}/_docferry/faults") as reply,
    ):
        assert json.load(reply)["throttle_every"] == {"BatchPutDocument": 3}

    faults.write_text("throttle_evry: 3\n")
    refused = subprocess.run([*EMULATOR, "--faults", str(faults)], check=False, capture_output=True, text=True)

    assert refused.returncode == 2
    assert "throttle_evry" in refused.stderr
    assert "Traceback" not in refused.stderr


def test_a_port_in_use_is_said(tmp_path: Path) -> None:
    """Not a traceback."""
    with emulator() as (url, _):
        port = url.rpartition(":")[2]
        command = [*EMULATOR[:-1], port, "--state", str(tmp_path)]
        refused = subprocess.run(command, check=False, capture_output=True, text=True)

    assert refused.returncode != 0
    assert "Traceback" not in refused.stderr
    assert "in use" in refused.stderr


def test_a_setting_of_the_emulators_can_be_given(monkeypatch: pytest.MonkeyPatch) -> None:
    """Here: everything is ACTIVE at once, and a Stop without a job is refused."""
    with emulator("--set", "resource_seconds=0", "--set", "kendra_stop_idle=invalid") as (url, _):
        monkeypatch.setenv("AWS_ENDPOINT_URL", url)
        kendra = boto3.client("kendra")
        index_id = kendra.create_index(Name="one", RoleArn="arn:aws:iam::123456789012:role/x")["Id"]
        source = kendra.create_data_source(IndexId=index_id, Name="wiki", Type="CUSTOM")["Id"]

        with pytest.raises(kendra.exceptions.ValidationException):
            kendra.stop_data_source_sync_job(IndexId=index_id, Id=source)


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ("kendra_stop_idel=invalid", "there is no setting kendra_stop_idel; did you mean kendra_stop_idle?"),
        ("kendra_stop_idle=maybe", "Invalid enum value 'maybe'"),
        ("resource_seconds", "resource_seconds: give NAME=VALUE"),
    ],
)
def test_a_bad_setting_is_one_line(given: str, told: str) -> None:
    """With what there is; exit 2."""
    ended = subprocess.run([*EMULATOR, "--set", given], capture_output=True, text=True, check=False)

    assert ended.returncode == 2
    assert told in ended.stderr
    assert "Traceback" not in ended.stderr
