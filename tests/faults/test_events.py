"""A storm of events while a run is going: each twice, in any order."""

import random
from pathlib import Path

import pytest

from tests.faults.stage import NAME, SERVICES, stage

EVENTS = 1_000
BATCH = 25


@pytest.mark.parametrize("service", SERVICES)
def test_a_thousand_events_during_a_run_become_one_more_run(service: str, tmp_path: Path) -> None:
    """At most one run is going and one is to come; at the end the index is what the source is."""
    with stage(service, tmp_path) as on:
        uploads = [{"source": "aws.s3", "detail": {"object": {"key": f"{n}.txt"}}} for n in range(EVENTS // 2)] * 2
        random.Random(7).shuffle(uploads)
        said: list[str] = []

        def storm() -> None:
            """Most events are of files that the crawl did not see any more."""
            on.aws.emulation.faults.hooks.clear()
            for number in range(20):
                on.write(f"{number}.txt", f"{number}, uploaded late")
            said.extend(on.tell(*uploads[start : start + BATCH]).outcome for start in range(0, EVENTS, BATCH))

        on.write("first.txt", "uploaded first")
        (put, *_) = on.wired.index.service.on_index["put"]
        on.aws.emulation.faults.hooks[f"{put}#1"] = storm
        first = on.tell(uploads[0])
        assert first.execution is not None
        end = on.news(first.execution)
        assert set(said) == {"pending"}

        second = on.tell(end)
        assert second.outcome == "started"
        assert second.execution is not None
        assert on.tell(end, end).execution != first.execution
        news = on.news(second.execution)
        assert {on.tell(news, end, news).outcome for _ in range(3)} == {"nothing"}

        runs = on.step_functions.list_executions(stateMachineArn=on.deployment.state_machine)["executions"]
        assert [run["status"] for run in runs] == ["SUCCEEDED", "SUCCEEDED"]
        assert on.index() == on.source()
        assert set(on.manifest()) == {f"{NAME}/{name}.txt" for name in ["first", *map(str, range(20))]}
