"""The state machine's definition, as a graph: what must hold on every path, whatever the functions do."""

import json
import re
from collections.abc import Iterator
from typing import Any

from docferry.delivery.shards import MOST_SHARD_DOCUMENTS
from docferry.runtime.assets import DEFINITION
from docferry.workflow.crawl import Crawled

MACHINE: dict[str, Any] = json.loads(DEFINITION.read_text())
STATES: dict[str, dict[str, Any]] = MACHINE["States"]


def successors(name: str) -> set[str]:
    """The states that a state can lead to, by success, choice or catch."""
    state = STATES[name]
    choices = [choice["Next"] for choice in state.get("Choices", [])]
    caught = [catch["Next"] for catch in state.get("Catch", [])]
    return {*choices, *caught, *filter(None, (state.get("Next"), state.get("Default")))}


def paths(name: str, seen: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    """Every path from a state to an end, each state at most once."""
    here = (*seen, name)
    following = successors(name) - set(here)
    if STATES[name]["Type"] in {"Succeed", "Fail"}:
        yield here
    for successor in following:
        yield from paths(successor, here)


def test_every_path_after_the_start_of_a_job_stops_it() -> None:
    """StopSync is on each of them, and the janitor, which stops too, where StopSync itself fails."""
    for path in paths("StartSync"):
        assert "StopSync" in path, path
        assert path[-1] == "Succeeded" or {"CleanUp", "Commit"} & set(path), path


def test_every_path_ends_with_a_report_and_a_freed_lease() -> None:
    """Commit and CleanUp write the report and free the lease; no end is reached past both."""
    for path in paths("Begin"):
        assert {"Commit", "CleanUp"} & set(path), path


def test_success_is_reached_through_commit_alone() -> None:
    """No run succeeds without its manifest."""
    assert all(path[-2:] == ("Outcome", "Succeeded") for path in paths("Begin") if path[-1] == "Succeeded")


def test_every_task_retries_what_may_pass_and_catches_the_rest() -> None:
    """No state can end the execution past its clean-up."""
    for name, state in STATES.items():
        if state["Type"] in {"Task", "Map"}:
            assert state["Catch"][-1]["ErrorEquals"] == ["States.ALL"], name
        if state["Type"] == "Task":
            assert {"Throttled", "ServiceUnavailable", "States.Timeout"} <= {
                error for retry in state["Retry"] for error in retry["ErrorEquals"]
            }, name


def test_the_crawl_says_how_many_shards_are_sent_at_a_time() -> None:
    """The path leads to a member of what the crawl returns."""
    path = STATES["ApplyBatches"]["MaxConcurrencyPath"]

    assert path == f"{STATES['Crawl']['ResultPath']}.workers"
    assert "workers" in Crawled.__struct_fields__


def test_a_shard_goes_on_more_often_than_it_has_documents() -> None:
    """Each time it has recorded one at least: no shard uses up the attempts."""
    for name in ("PutBatch", "DeleteBatch"):
        retry = STATES["ApplyBatches"]["ItemProcessor"]["States"][name]["Retry"]
        (goes_on,) = (rule for rule in retry if rule["ErrorEquals"] == ["ShardUnfinished"])
        assert goes_on["MaxAttempts"] > MOST_SHARD_DOCUMENTS


def test_the_readme_has_a_row_for_every_state() -> None:
    """And none for a state that is not there."""
    readme = (DEFINITION.parent / "README.md").read_text().partition("## Input")[0]
    children = STATES["ApplyBatches"]["ItemProcessor"]["States"]
    assert set(re.findall(r"^\| `(\w+)`", readme, re.MULTILINE)) == {*STATES, *children}
