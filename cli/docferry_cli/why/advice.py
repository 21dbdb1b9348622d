"""What to do about a document, in one sentence. Pure."""

from collections.abc import Iterator

from docferry_cli.next_steps import NextSteps
from docferry_cli.why.answer import Became, Reads, Why


def advice(why: Why, steps: NextSteps) -> str:
    """What to do first: the rules in their order, the first that applies."""
    if why.running:
        return f"Wait until run {why.running} has ended, then ask again."
    rules = (*_held_back(why, steps), *_due(why, steps), *_indexed(why, steps), *_reader(why, steps))
    return next(sentence for applies, sentence in rules if applies)


Rule = tuple[object, str]


def _held_back(why: Why, steps: NextSteps) -> Iterator[Rule]:
    """What waits for a person."""
    due, sync = why.next.due, _typed(steps.sync())
    run = _latest(why, "exposed")
    approve = _typed(steps.of_run("approve", run))
    yield (
        due in {"hold back", "unknown"} and run,
        f"If everybody may see it: {approve}; if not, restore its access control, then {sync}.",
    )
    yield due == "hold back", f"It would become public, so give it its access control back, then {sync}."
    run = _latest(why, "withheld")
    yield (
        due in {"delete", "unknown"} and run,
        f"If it is to be deleted: {_typed(steps.of_run('approve', run))}; if not, bring it back into the source.",
    )
    yield (
        due == "quarantine" or (due == "unknown" and _latest(why, "quarantined")),
        f"Mend the document, or release it with {_typed(steps.of_run('retry', why.id))}; then {sync}.",
    )


def _due(why: Why, steps: NextSteps) -> Iterator[Rule]:
    """What the next sync changes, or cannot change."""
    source, due, sync = why.source, why.next.due, _typed(steps.sync())
    skipped = source.reason if source.state == "skipped" else ", ".join(why.next.why)
    yield source.state == "skipped" and due == "delete", f"It {skipped}: {sync} deletes it from the index."
    yield source.state == "skipped" or due in {"skip", "keep"}, f"Mend it in the source ({skipped}), then {sync}."
    yield (
        source.state == "left out" and due != "delete",
        f"To index it, change the settings of the source ({source.reason}), then {sync}.",
    )
    yield due == "delete", f"It is not in the source: {sync} deletes it from the index."
    yield (
        due in {"add", "modify"} and why.failures,
        f"The index refuses it: mend the document, then {sync}, which sends it again.",
    )
    yield due in {"add", "modify"}, f"The index does not hold it as the source has it: {sync} sends it."
    yield (
        source.state in {"unknown", "not asked"} and why.manifest.held is False,
        f"Look at the source, which was not read; {sync} says what it does with the document.",
    )
    yield (
        source.state == "absent" and why.manifest.held is False,
        f"It is not in the source: put it there, then {sync}.",
    )


def _indexed(why: Why, steps: NextSteps) -> Iterator[Rule]:
    """What is between manifest and index."""
    held, status = why.manifest.held, why.index.status
    yield (
        held is None,
        f"Mend the manifest first: {_typed(steps.about('rebuild'))} starts it anew, and sends everything.",
    )
    yield why.manifest.doubtful, f"Nobody knows which version the index holds: {_typed(steps.sync())} sends it again."
    yield (
        held and status in {"NOT_FOUND", "FAILED", "UPDATE_FAILED"},
        f"The index does not hold what it took: {_typed(steps.about('reconcile'))} sends it again.",
    )
    yield status == "PROCESSING", "The index is still at work on it: wait, then ask again."


def _reader(why: Why, steps: NextSteps) -> Iterator[Rule]:
    """Who may see it; or that all is well."""
    reader = why.reader
    if reader is not None:
        yield (
            not _sees(reader),
            f"If {reader.user} is to see it, change its access control or the groups, then {_typed(steps.sync())}.",
        )
    yield why.source.state == "not asked", "Nothing is known to be wrong; without --no-source the source is asked, too."
    yield why.source.state == "unknown", "Nothing is known to be wrong; only the source could not be asked."
    yield True, "Nothing: the index holds it as the source has it."


def _sees(reader: Reads) -> bool:
    if reader.index is not None:
        return reader.index
    return reader.indexed is None or reader.indexed.may_see != "no"


def _latest(why: Why, became: Became) -> str:
    """The run that has last made something of the document, if it made this of it; else nothing."""
    return why.fates[0].run if why.fates and why.fates[0].became == became else ""


def _typed(command: str) -> str:
    return f"`{command}`"
