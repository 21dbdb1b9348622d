"""Everything about a run: what is damaged hides nothing else, and nothing on the page is markup but the page's own."""

import base64
import hashlib
import re
from collections.abc import Callable
from datetime import timedelta
from html.parser import HTMLParser
from typing import TYPE_CHECKING, cast

import pytest
from msgspec import structs
from rich.console import Console

from docferry.model import Outcome, Skipped
from docferry.reporting import ledger, report
from docferry.reporting.report import Report
from docferry.reporting.timeline import PhaseTime, Point
from docferry.state.keys import APPROVAL, CHANGES, EXPOSED, FAILED, REPORT, SKIPPED, WITHHELD, run_key
from docferry.state.runs import ChangeSet, Counts, Input, Run
from docferry.state.store import Store
from docferry_cli.run_report.charts import HEIGHT, WIDTH, bars, curve
from docferry_cli.run_report.facts import RunReport
from docferry_cli.run_report.gathering import gather
from docferry_cli.run_report.page import ROWS, page
from docferry_cli.run_report.showing import show
from tests.unit.fakes import NOON, FakeIndex, document, job

if TYPE_CHECKING:
    from docferry_cli.targets import Opened

NASTY = (
    "</script><script>alert(1)</script>",
    "<img src=x onerror=alert(1)>",
    "\"'><svg onload=alert(1)>",
    "{{ 7 * 7 }} {% raw %}",
    "\u202egnp.exe \x1b[2J \x00",
    "javascript:alert(1)",
    "[red]markup[/]",
    "</td></tr></table></style>",
)


class Place:
    """A connector in memory, with one run."""

    target = "aws"
    running_now = False

    def __init__(self, store: Store) -> None:
        self.store = store
        self.answering: FakeIndex | None = FakeIndex()
        self.connector = self.part = self
        self.name, self.kind = "handbook", "kendra"

    def running(self, run: str) -> bool:
        """Whether the execution of a run has not ended."""
        assert run == "run-1"
        return self.running_now

    def why(self, run: str) -> str:
        """Why it has left no report."""
        return f"{run} has died"

    def gather(self) -> RunReport:
        """Read everything about the run."""
        entry = ledger.find(self.store, "run-1")
        assert entry is not None
        return gather(cast("Opened", self), entry)


@pytest.fixture
def place(store: Store) -> Place:
    """A connector with a run that has failures of all kinds, whose names are nasty."""
    ledger.register(store, Run("run-1", "arn:run-1"), Input(trigger="schedule"))
    with store.writing(run_key("run-1", FAILED)) as stream:
        for text in sorted(NASTY):
            stream.add(Outcome(text, "added", document(text), "rejected", f"reason {text}"))
    with store.writing(run_key("run-1", SKIPPED)) as stream:
        stream.add(Skipped("skipped-1", ".exe is no document"))
    for name in (WITHHELD, EXPOSED):
        with store.writing(run_key("run-1", name)) as stream:
            stream.add({"id": f"{name}-1"})
    asked = Input(mode="reconcile", approve="run-0")
    store.write(run_key("run-1", CHANGES), ChangeSet(counts=Counts(), manifest=None, input=asked))
    written = Report(
        run="run-1",
        connector="handbook",
        status="SUCCEEDED",
        added=1200,
        failed=len(NASTY),
        withheld=1,
        execution_id="job-1",
        job_status="INCOMPLETE",
        notes=(NASTY[0],),
        withheld_because=NASTY[1],
        error=NASTY[2],
    )
    report.write(store, written)
    ledger.finish(store, written)
    place = Place(store)
    assert place.answering is not None
    place.answering.history = [structs.replace(job("job-1", "INCOMPLETE", added=1200), error=NASTY[3])]
    return place


def text_of(found: RunReport) -> str:
    """What a person reads."""
    console = Console(record=True, width=300)
    show(console, found)
    return console.export_text()


def test_everything_about_a_run_is_there(place: Place) -> None:
    """Who started it, what it was asked for, its counts, its job, and each document."""
    place.store.write(run_key("run-1", APPROVAL), {"used_by": "run-2"})

    found = place.gather()
    text = text_of(found)

    assert found.unknown == ()
    assert (len(found.failures), len(found.skipped), found.approved_by) == (len(NASTY), 1, "run-2")
    assert found.job is not None
    assert found.job.metrics.added == 1200
    for words in (
        "started by   schedule, as run 1",
        "of run run-0",
        "1,200 added",
        "job-1 INCOMPLETE",
        "skipped skipped-1: .exe is no document",
        "approved     by run run-2",
    ):
        assert words in text


def test_nothing_of_it_is_a_command_for_a_terminal(place: Place) -> None:
    """Ids, reasons, notes and errors are texts."""
    text = text_of(place.gather())

    assert not {"\x1b", "\x00", "\u202e"} & set(text)
    assert "[red]markup[/]" in text


def damage(name: str) -> Callable[[Store], None]:
    """Half of an object."""
    return lambda store: store.put_content(run_key("run-1", name), b"(\xb5/\xfd half")


@pytest.mark.parametrize(
    ("broken", "said"),
    [
        (damage(REPORT), "the report cannot be read"),
        (damage(FAILED), "the failed documents cannot be read"),
        (damage(CHANGES), "what the run was asked for cannot be read"),
        (damage("batches.json"), "the times cannot be read"),
        (damage(APPROVAL), "whether the run was approved cannot be read"),
        (lambda store: store.delete(run_key("run-1", REPORT)), "the run has left no report: run-1 has died"),
    ],
)
def test_what_is_damaged_or_gone_hides_nothing_else(place: Place, broken: Callable[[Store], None], said: str) -> None:
    """The counts are still those of the ledger, and why the rest is not known is said."""
    broken(place.store)

    found = place.gather()

    assert len(found.unknown) == 1
    assert found.unknown[0].startswith(said)
    assert found.counts["added"] == 1200
    assert "1,200 added" in text_of(found)
    assert said in page(found)


def test_a_run_that_goes_on_has_no_report_yet(place: Place) -> None:
    """That is no damage."""
    place.store.delete(run_key("run-1", REPORT))
    place.running_now = True

    found = place.gather()

    assert found.going_on
    assert found.unknown == ("the run has left no report: it has not ended",)


def test_a_job_that_cannot_be_looked_at_is_said(place: Place) -> None:
    """It is not listed any more, or the index cannot be asked."""
    assert place.answering is not None
    place.answering.history = []
    gone = place.gather()
    place.answering = None
    beside = place.gather()

    assert gone.unknown == ("the index does not list the sync job job-1 any more",)
    assert "while another process uses the state folder" in beside.unknown[0]
    assert "job-1 INCOMPLETE" in text_of(beside)


class Elements(HTMLParser):
    """The elements of a page, with their attributes, and the text."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: dict[str, int] = {}
        self.attributes: list[tuple[str, str | None]] = []
        self.text = ""
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Count an element."""
        self.tags[tag] = self.tags.get(tag, 0) + 1
        self.attributes += attrs

    def handle_data(self, data: str) -> None:
        """Keep the text."""
        self.text += data


def test_the_page_is_the_page_s_own_markup_and_nothing_else(place: Place) -> None:
    """No id, reason, note or error adds an element, an attribute that acts, or a character that is not seen."""
    text = page(place.gather())
    found = Elements(text)

    assert found.tags["script"] == found.tags["style"] == 1
    assert "img" not in found.tags
    assert not [name for name, _ in found.attributes if name.startswith("on") or name in {"src", "href", "style"}]
    assert not {"\x1b", "\x00", "\u202e"} & set(text)
    for nasty in (NASTY[0], NASTY[1], NASTY[3], "\\u202egnp.exe \\x1b[2J \\x00"):
        assert nasty in found.text


def test_the_page_may_ask_nobody_for_anything(place: Place) -> None:
    """Its policy names the digests of its own style and script, and allows nothing else."""
    text = page(place.gather())

    policy = re.search(r'Content-Security-Policy" content="([^"]+)"', text)
    assert policy is not None
    allowed = policy[1].replace("&#39;", "'")
    assert allowed.startswith("default-src 'none'; style-src 'sha256-")
    assert "; script-src 'sha256-" in allowed
    assert "unsafe" not in allowed
    for element in ("style", "script"):
        inside = re.search(rf"<{element}>(.*?)</{element}>", text, re.DOTALL)
        assert inside is not None
        assert base64.b64encode(hashlib.sha256(inside[1].encode()).digest()).decode() in allowed
    assert not re.search(r"https?://", text)


def test_a_long_list_is_cut_and_says_so(place: Place) -> None:
    """A browser searches no million rows."""
    found = place.gather()
    one = found.failures[0]
    long = structs.replace(found, failures=(one,) * (ROWS + 1))

    assert f"The first {ROWS:,} are shown" in page(long)
    assert "are shown" not in page(found)


def test_bars_and_curve_fit_their_box() -> None:
    """A count of one among millions is seen; the curve ends at the top right."""
    drawn = bars({"added": 1_000_000, "failed": 1})
    began = NOON
    points = [Point(NOON + timedelta(seconds=seconds), seconds * 100, 0) for seconds in (0, 5, 10)]
    sending = PhaseTime("sending", began, NOON + timedelta(seconds=10), 10.0)

    line = curve(points, [sending])

    assert all(2 <= bar.length < WIDTH for bar in drawn)
    assert line is not None
    assert line.line.endswith(f"L{WIDTH} 0.0")
    assert (line.documents, line.seconds) == (1000, 10.0)
    assert line.line.startswith(f"M0.0 {HEIGHT}")
    assert curve([], [sending]) is curve(points, []) is None
    assert bars({}) == []


def test_a_run_of_uploads_says_how_many_keys_it_has_looked_at(store: Store) -> None:
    """Its counts are of their documents alone, and not of the whole source."""
    ended = Report(run="run-1", connector="handbook", status="SUCCEEDED", unchanged=2, keys=2)
    ledger.register(store, Run("run-1", "arn:run-1"), Input(trigger="upload"))
    report.write(store, ended)
    ledger.finish(store, ended)

    assert "2 keys that have changed" in text_of(Place(store).gather())
