"""Every command about a connector, on every target: with both services here, and with one of them elsewhere."""

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import boto3
import pytest
from msgspec import Struct

import docferry_laptop.deployed
from docferry_infra.deployable import deployable
from docferry_laptop.assembly import Assembly
from docferry_laptop.deployed import Cloud, cloud
from tests.cli.command import check
from tests.cli.test_schemas import ALL
from tests.e2e.command_process import call
from tests.e2e.world import BUCKET, CONNECTORS

Call = Callable[[Sequence[str]], tuple[int, str, str]]

CONNECTOR = {"kendra": "handbook", "qbusiness": "handbook-q"}
MOVES = {"kendra": "qbusiness", "qbusiness": "kendra"}
"""Where each service is left for. Both connectors have the same source."""
TARGETED = {name for name, command in ALL.items() if any("--target" in one.opts for one in command.params)}
JUDGING = {"status", "doctor"}
"""Commands that exit with 1 when they find something to complain of."""


class Place(Struct, frozen=True):
    """Where commands act: the connector, the one that it is moved to, the options that lead there, and its source.

    ``folder`` is for files of the commands; ``write`` and ``empty`` change the source.
    """

    connector: str
    new: str
    folder: Path
    options: tuple[str, ...]
    call: Call
    write: Callable[[str], object]
    empty: Callable[[], None]

    def run(self, command: str, *arguments: str) -> Any:
        """Run a command with --json, and read what it has printed, which fits its schema."""
        words = [*command.split(), *arguments]
        code, out, err = self.call([*words, *self.options, "--json"])
        assert code in ({0, 1} if command in JUDGING else {0}), f"{words}: {err or out}"
        printed = json.loads(out)
        check(words, printed)
        return printed


@pytest.fixture(scope="module", params=sorted(CONNECTOR))
def service(request: pytest.FixtureRequest) -> str:
    """Both services, one after the other."""
    return str(request.param)


@pytest.fixture(scope="module")
def running(service: str, assembly: Assembly) -> Iterator[Cloud]:
    """A stack of the service, and one of another. The targets share them: what costs are the processes of functions."""
    with cloud() as started:
        boto3.client("s3").create_bucket(Bucket=BUCKET)
        for kind in (service, MOVES[service]):
            connector = deployable(CONNECTORS)[CONNECTOR[kind]].connector
            started.publish(assembly, connector)
            started.create(connector.name)
        yield started


def test_every_command_works_here(service: str, tmp_path: Path) -> None:
    """In the command itself."""
    documents, config = tmp_path / "documents", tmp_path / "connectors.yaml"
    documents.mkdir()
    described = (
        f"{name}: {{source: {{kind: files, path: {documents}}}, index: {{kind: {kind}}}}}"
        for name, kind in (("crew", service), ("crew-new", MOVES[service]))
    )
    config.write_text(f"connectors: {{{', '.join(described)}}}")

    def empty() -> None:
        for file in documents.iterdir():
            file.unlink()

    every_command(
        Place(
            "crew",
            "crew-new",
            tmp_path,
            ("--config", str(config), "--state", str(tmp_path / "state")),
            call,
            lambda name: (documents / name).write_text(f"{name}: high water is at noon."),
            empty,
        )
    )


@pytest.mark.usefixtures("running")
@pytest.mark.parametrize("service", ["kendra"], indirect=True)
def test_every_command_works_on_the_stack(service: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """On the stack of this machine, which does not come up anew for each command here; see test_command.py."""

    @contextmanager
    def shared(**_: object) -> Iterator[SimpleNamespace]:
        # The stack is there. Uploads start nothing: a run of theirs would hold the lease when a command wants it.
        yield SimpleNamespace(create=lambda _: None, events=SimpleNamespace(deliver=lambda: 0))

    monkeypatch.setattr(docferry_laptop.deployed, "cloud", shared)

    every_command(in_bucket(service, "stack", call, tmp_path))


@pytest.mark.parametrize("service", ["qbusiness"], indirect=True)
def test_every_command_works_in_aws(service: str, running: Cloud, tmp_path: Path) -> None:
    """In another process, which knows nothing of this machine's stack but the address at which it is served."""
    environment = {
        **os.environ,
        "AWS_ENDPOINT_URL": running.url,
        "AWS_DEFAULT_REGION": "us-east-1",
        "AWS_ACCESS_KEY_ID": "somebody",
        "AWS_SECRET_ACCESS_KEY": "secret",
    }
    with subprocess.Popen(
        [sys.executable, "-m", "tests.e2e.command_process"],
        env=environment,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:

        def ask(arguments: Sequence[str]) -> tuple[int, str, str]:
            assert process.stdin is not None
            assert process.stdout is not None
            process.stdin.write(json.dumps(arguments) + "\n")
            process.stdin.flush()
            code, out, err = json.loads(process.stdout.readline())
            return code, out, err

        every_command(in_bucket(service, "aws", ask, tmp_path))


def in_bucket(service: str, target: str, ask: Call, folder: Path) -> Place:
    """The deployed connector of a service, with a bucket as its source."""
    s3: Any = boto3.client("s3")

    def empty() -> None:
        for one in s3.list_objects_v2(Bucket=BUCKET).get("Contents", []):
            s3.delete_object(Bucket=BUCKET, Key=one["Key"])

    return Place(
        CONNECTOR[service],
        CONNECTOR[MOVES[service]],
        folder,
        ("--config", str(CONNECTORS), "--state", str(folder / "state"), "--target", target),
        ask,
        lambda name: s3.put_object(Bucket=BUCKET, Key=name, Body=f"{name}: high water is at noon.".encode()),
        empty,
    )


def every_command(place: Place) -> None:
    """Run each command that has --target, in an order in which each finds something to do."""
    name, done = place.connector, set()

    def run(command: str, *arguments: str) -> Any:
        done.add(command)
        return place.run(command, *arguments)

    place.empty()
    for file in ("tides.txt", "moon.txt"):
        place.write(file)
    first = run("sync", name)
    assert (first["status"], first["added"]) == ("SUCCEEDED", 2)
    assert run("runs", name)[0]["run"] == first["run"]
    assert run("history", name)[0]["run"] == first["run"]
    assert run("report", first["run"], "--connector", name)["result"]["added"] == 2
    assert run("watch", first["run"], "--connector", name)["run"] == first["run"]
    assert next(one for one in run("status", name) if one["connector"] == name)["last"]["run"] == first["run"]
    assert run("doctor", name)["connector"] == name
    assert {hit["document_id"] for hit in run("search", "water", "--connector", name)} == {
        f"{name}/{file}" for file in ("tides.txt", "moon.txt")
    }
    assert run("why", f"{name}/tides.txt", "--connector", name)["document"]["index"]["status"] == "INDEXED"
    assert run("failures", name) == []
    assert run("retry", "--connector", name) == {"released": 0}
    assert run("cost", name)["next_run"]["workload"]["documents"] == 2

    moved = run("migrate", name, "--to", place.new, "--yes")
    # On the shared stacks another target may have filled it.
    assert (moved["stage"], moved["due"] + moved["there"], moved["missing"]) == ("filled", 2, [])
    queries = place.folder / "queries.txt"
    queries.write_text("water\n")
    compared = run("compare", name, place.new, "--queries", str(queries))
    assert (len(compared["queries"][0]["new"]), compared["mean_overlap_10"]) == (2, 1.0)

    place.write("fog.txt")
    plan = run("plan", name)
    assert [one["why"] for one in plan["documents"]] == [["added"]]
    assert run("apply", plan["run"], "--connector", name)["added"] == 1
    assert run("reconcile", name)["status"] == "SUCCEEDED"
    assert run("rebuild", name)["status"] == "SUCCEEDED"

    place.empty()
    withheld = run("sync", name)
    assert withheld["withheld"] == 3
    assert run("approve", withheld["run"], "--connector", name)["deleted"] == 3

    assert done == TARGETED
