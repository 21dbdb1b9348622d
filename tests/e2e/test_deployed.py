"""The deployed connector, by everything that starts it: a person, its schedule, uploads."""

import json
from itertools import islice
from pathlib import Path
from typing import Any

import boto3

from docferry.indexes import Reader
from docferry.reporting import ledger
from docferry.state.keys import LEASE
from docferry.sync_job.lease import Lease
from docferry_cli import finding
from docferry_cli.run_report import gathering as run_report
from docferry_cli.running import watch
from docferry_cli.status import gathering as status_of_all
from docferry_cli.sync_jobs.joining import joined
from docferry_cli.targets import Where
from docferry_cli.why.everywhere import ask
from docferry_cli.why.evidence import Question
from docferry_infra.deployable import deployable
from tests.e2e.world import BUCKET, CONNECTORS, World, handbook
from tests.messages import Listener
from tests.waiting import wait_for


def documents(files: dict[str, bytes]) -> set[str]:
    """Those of some files that are documents, and not sidecars."""
    return {key for key in files if not key.endswith(".metadata.json")}


def test_a_manual_execution_syncs_the_handbook(world: World) -> None:
    """With the input ``{}``; the next one finds nothing to do."""
    files = handbook()
    world.upload(files)

    first = world.run()
    second = world.run()

    assert (first.failed, first.withheld) == (0, 0)
    assert second.added == second.modified == second.deleted == 0
    assert second.execution_id is None
    world.assert_converged(documents(files))


def test_the_schedule_syncs(world: World) -> None:
    """By the target, the input and the role that stand in the template, as EventBridge Scheduler starts it."""
    world.upload({"schedule/rota.txt": b"The night watch begins at eight."})
    schedule: Any = boto3.client("scheduler")
    target = schedule.get_schedule(Name=f"docferry-{world.stack.connector.name}")["Target"]

    before = set(world.executions())
    world.cloud.schedules.fire(f"docferry-{world.stack.connector.name}")
    world.settle()

    after = world.executions()
    assert target["Arn"] == world.stack.state_machine
    assert {after[name] for name in set(after) - before} == {"SUCCEEDED"}
    world.assert_converged({"schedule/rota.txt"})


def test_a_burst_of_uploads_is_one_run_or_two(world: World) -> None:
    """150 objects: the first events start a run; all that come while it runs are the next one's."""
    world.settle()
    before = set(world.executions())
    keys = [f"burst/{number:03}.txt" for number in range(150)]

    world.upload(dict.fromkeys(keys[:75], b"Tide table of a day."))
    world.cloud.events.deliver()
    started = set(world.executions()) - before
    world.upload(dict.fromkeys(keys[75:], b"Tide table of a day."))
    world.settle()

    after = world.executions()
    runs = set(after) - before
    assert len(started) == 1
    assert len(runs) in {1, 2}
    assert all(name.startswith("upload-") and after[name] == "SUCCEEDED" for name in runs)
    world.assert_converged(set(keys))


def test_a_run_that_is_stopped_is_cleaned_up(world: World) -> None:
    """Nothing of the state machine runs after an abort: a rule calls the janitor, which frees the lease."""
    world.upload({"stopped/note.txt": b"To be continued."})
    execution = world.stack.start()
    wait_for(lambda: world.store.read(LEASE, Lease) is not None)
    boto3.client("stepfunctions").stop_execution(executionArn=execution.arn)
    world.settle()

    assert world.store.read(LEASE, Lease) is None
    assert world.executions()[execution.run] == "ABORTED"
    world.run()
    world.assert_converged({"stopped/note.txt"})


def test_a_change_set_in_the_inbox_is_taken(world: World) -> None:
    """Its arrival starts a run, which indexes what is in it and takes it out of the inbox."""
    world.settle()
    lines = [
        {"DocumentId": "inbox/leave.md", "Title": "Leave", "Content": "# Leave\n\nThirty days."},
        {"DocumentId": "inbox/rest.txt", "Content": "Ten hours in any twenty-four."},
    ]
    change_set = "".join(f"{json.dumps(line)}\n" for line in lines)
    before = set(world.executions())

    boto3.client("s3").put_object(Bucket=world.store.bucket, Key="inbox/hr.jsonl", Body=change_set.encode())
    world.settle()

    after = world.executions()
    assert [after[name] for name in set(after) - before] == ["SUCCEEDED"]
    assert not list(world.store.keys("inbox/"))
    world.assert_converged({f"{world.stack.connector.name}/{line['DocumentId']}" for line in lines})


def test_the_command_drives_a_stack_in_aws(world: World) -> None:
    """Found by the outputs of the stack, followed in its bucket: with these clients as with those of an account."""
    world.upload({"command/order.txt": b"Standing orders."})
    connector = deployable(CONNECTORS)[world.stack.connector.name].connector

    where = Where("aws", Path(), CONNECTORS)
    with where.run(connector) as opened:
        plan = watch(opened, opened.start(mode="plan").run)
        applied = watch(opened, opened.start(apply=plan.report.run).run)
        runs = [entry.run for entry in islice(ledger.newest(opened.store), 2)]
        again = watch(opened, applied.report.run)
        described = run_report.gather(opened, finding.find(opened.store, applied.report.run))
        jobs = joined(opened.store, opened.index.jobs())
    statuses = {status.connector: status for status in status_of_all.gather(where, None)}

    ids = [document.id for document in plan.planned]
    assert f"{world.stack.connector.name}/command/order.txt" in ids
    assert (applied.report.status, applied.report.added, applied.failed) == ("SUCCEEDED", len(ids), [])
    world.assert_converged({"command/order.txt"})
    assert runs == [applied.report.run, plan.report.run]
    assert again == applied
    assert (described.unknown, described.result) == ((), applied.report)
    assert described.job is not None
    assert jobs[0].run == applied.report.run
    mine = statuses.pop(connector.name)
    assert mine.success is not None
    assert (mine.success.run, mine.success.overdue, mine.lease) == (applied.report.run, False, None)
    assert all(one.health == "unknown" and "is not deployed" in one.error for one in statuses.values())


def test_the_connector_tells_what_happens_to_it(world: World) -> None:
    """On the bus and on the topic of its stack: a failed run, a document without access control, and their ends."""
    (topic,) = boto3.client("sns").list_topics()["Topics"]
    listener = Listener(topic["TopicArn"])
    name = world.stack.connector.name
    access = json.dumps({"AccessControlList": [{"Name": "ann", "Type": "USER", "Access": "ALLOW"}]}).encode()

    failed = world.stack.start(mode="no such mode")
    wait_for(lambda: failed.status() == "FAILED")
    world.upload({"told/pay.txt": b"What everybody earns.", "told/pay.txt.metadata.json": access})
    well = world.run()
    boto3.client("s3").delete_object(Bucket=BUCKET, Key="told/pay.txt.metadata.json")
    exposing = world.run()
    world.upload({"told/pay.txt.metadata.json": access})
    restored = world.run()

    wanted = [
        f"{name}/{failed.run}/failed",
        f"{name}/{well.run}/recovered",
        f"{name}/{exposing.run}/exposed",
        f"{name}/{restored.run}/recovered",
    ]
    assert [event["id"] for event in listener.events()] == wanted
    assert [mail.attributes["id"] for mail in listener.mails()] == wanted


def test_a_document_of_a_stack_in_aws_is_explained(world: World) -> None:
    """By its address in the bucket: source, manifest, run and index are asked where they are."""
    world.upload({"why/orders.txt": b"Standing orders."})
    run = world.run()

    question = Question(text=f"s3://{BUCKET}/why/orders.txt", reader=Reader("ann"))
    said = ask(Where("aws", Path(), CONNECTORS), world.stack.connector.name, question).document

    assert said is not None
    assert (said.target, said.id) == ("aws", f"{world.stack.connector.name}/why/orders.txt")
    assert (said.source.state, said.next.due, said.index.status) == ("listed", "nothing", "INDEXED")
    assert (said.manifest.since, said.fates[0].became) == (run.run, "added")
    assert said.reader is not None
    assert said.reader.index is True
    assert said.advice == "Nothing: the index holds it as the source has it."
