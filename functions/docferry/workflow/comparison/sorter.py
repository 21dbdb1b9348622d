"""The stage that compares: each change goes where it belongs, to a shard or to a stream of the report."""

from collections.abc import Container, Iterable, Iterator

from msgspec import structs

from docferry.changes import access, detection, quarantine, scope
from docferry.changes.access import Exposed
from docferry.changes.attributes import Attributes
from docferry.changes.detection import WITHDRAWN, Unchanged
from docferry.changes.guard import Findings
from docferry.changes.quarantine import Failing
from docferry.delivery.carried import Spans
from docferry.delivery.shards import ShardWriter
from docferry.model import Change, Skipped
from docferry.state import sorting
from docferry.state.ahead import Behind, behind
from docferry.state.keys import DELETES, EXPOSED, QUARANTINED, SKIPPED, parts_key, run_key
from docferry.state.runs import Counts
from docferry.state.windows import Steps
from docferry.sync_job import job as sync_job
from docferry.workflow.comparison import inputs, renaming
from docferry.workflow.comparison.progress import Progress, Work
from docferry.workflow.fields import check_fields

Event = Change | Skipped | Unchanged | Exposed | Failing

STREAMS = (DELETES, SKIPPED, EXPOSED, QUARANTINED)


def sort(work: Work, progress: Progress) -> Iterator[Progress]:
    """Compare the listing with the manifest, and write the shards of what is to be put.

    At the end it says whether the index takes the attributes, and what speaks for or against the deletes. Raises
    ManifestInvalid, and ConfigurationError for attributes that the index does not take; then nothing is sent.
    """
    after = progress.after
    steps = Steps(inputs.held(work, progress), inputs.listed(work, after), size=inputs.step_lines(work))
    with behind() as sending:
        sorter = Sorter(work, progress, sending)
        while True:
            spans = Spans(sorting.merge(work.store, work.checkpoint.contents, after=after))
            sorter.sort_events(_events(work, progress, steps, after), work.approved(after), spans)
            if not steps.left:
                break
            after = steps.after
            progress = sorter.end_step(progress, after)
            yield progress
        progress = sorter.end(progress)
    attributes = Attributes(progress.attributes)
    wrong = tuple(check_fields(work.wired, attributes, sends=work.task.input.sends))
    now = scope.of(work.wired.settings.connector.source, work.wired.source.presentation)
    found = _findings(work, progress, scope.changed(work.store, now))
    yield structs.replace(progress, stage="withhold", after="", wrong=wrong, scope=now, found=found)


def _events(work: Work, progress: Progress, steps: Steps, after: str) -> Iterator[Event]:
    """The changes of the next step, without those that the access guard and the quarantine hold back."""
    uncertain = work.checkpoint.uncertain
    found: Iterator[Change | Skipped | Unchanged] = (
        event
        for window in steps.step()
        for event in detection.detect(filter(None, [window.left]), filter(None, [window.right]), uncertain)
    )
    if "tells_changes" in work.wired.source.abilities:
        found = detection.without_absences(found)
    policy = work.wired.settings.connector.access
    renamed = renaming.found(work, progress, after)
    allowed = access.guard(found, policy, approved=work.approved(after), renamed=renamed)
    return quarantine.quarantine(allowed, quarantine.read(work.store, after=after))


def _findings(work: Work, progress: Progress, changed: tuple[str, ...]) -> Findings:
    """What speaks for or against the deletes of the crawl."""
    record = sync_job.read(work.store)
    # Only jobs of the service tell whether others write to the data source. Where it has none, nobody can tell.
    seen = bool(work.task.strangers or (record and record.foreign))
    others = seen or not work.wired.index.service.has_jobs
    return Findings(
        deletes=progress.counts.deleted - progress.withdrawn,
        of_source=progress.of_source,
        manifest=work.base.documents if work.base else 0,
        incomplete=work.checkpoint.incomplete,
        empty=not work.checkpoint.documents and work.checkpoint.looked is None,
        changed=changed,
        approval=work.task.input.approve,
        strangers=progress.strays if others else 0,
    )


class Sorter:
    """Writes each change where it belongs, and counts them all, after what was written and counted before."""

    def __init__(self, work: Work, before: Progress, sending: Behind) -> None:
        self._run = work.run
        self._sending = sending
        exact = work.task.plan is not None
        self._puts = ShardWriter(
            work.store, work.run, "put", exact=exact, documents=work.shard_documents, begun=before.puts, behind=sending
        )
        self._streams = {
            name: work.store.part_writer(parts_key(work.run, name), before.streams.get(name, ()), behind=sending)
            for name in STREAMS
        }
        self._counts = structs.asdict(before.counts)
        self._of_source = before.of_source
        self._strays = before.strays
        self._withdrawn = before.withdrawn
        self._attributes = Attributes(before.attributes)

    def sort_events(self, events: Iterable[Event], approved: Container[str], spans: Spans) -> None:
        """Write and count.

        ``approved`` are the documents whose exposure a person approved, and ``spans`` say where the content is that
        the listing has carried; both are asked for in order.
        """
        counts = self._counts
        for event in events:
            match event:
                case Unchanged():
                    counts["unchanged"] += event.documents
                case Skipped():
                    self._note(SKIPPED, "skipped", event)
                case Exposed():
                    self._note(EXPOSED, "exposed", event)
                case Failing():
                    self._note(QUARANTINED, "quarantined", event)
                case Change(kind="deleted"):
                    self._note(DELETES, "deleted", event)
                    self._withdrawn += event.why == WITHDRAWN
                    self._of_source += event.document.origin == "source" and event.why != WITHDRAWN
                    self._strays += not event.document.locator
                case Change():
                    counts[event.kind] += 1
                    self._attributes.add(event.document)
                    counts["approved"] += event.id in approved
                    self._puts.add(event, spans.of(event.document))

    def end_step(self, before: Progress, after: str) -> Progress:
        """How far the comparison came, once everything up to the id ``after`` is written."""
        for stream in self._streams.values():
            stream.end_part()
        self._sending.wait()
        return structs.replace(self._counted(before), after=after)

    def end(self, before: Progress) -> Progress:
        """How far the comparison came, once everything is written."""
        self._puts.close()
        for name, stream in self._streams.items():
            stream.end(run_key(self._run, name))
        self._sending.wait()
        return self._counted(before)

    def _note(self, name: str, counted: str, event: Event) -> None:
        self._streams[name].add(event)
        self._counts[counted] += 1

    def _counted(self, before: Progress) -> Progress:
        return structs.replace(
            before,
            counts=Counts(**self._counts),
            of_source=self._of_source,
            strays=self._strays,
            withdrawn=self._withdrawn,
            attributes=tuple(self._attributes.used.items()),
            puts=self._puts.begun(),
            streams={name: tuple(stream.parts) for name, stream in self._streams.items()},
        )
