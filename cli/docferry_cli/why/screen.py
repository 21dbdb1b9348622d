"""The answer of `docferry why` on the terminal. Ids, titles and names are anybody's text: nothing of them is markup."""

from datetime import datetime

from rich.console import Console
from rich.text import Text

from docferry.groups.readers import Verdict
from docferry.model import Principal
from docferry_cli.safe_text import printable
from docferry_cli.times import utc
from docferry_cli.why.answer import Answer, Fate, Manifest, Next, Reads, Source, Why

EXPLAINED, UNKNOWN, CANNOT_TELL = 0, 1, 2
WIDTH = 12
SHOWN = 20
"""How many access control entries are shown."""
DUE = {
    "nothing": "leaves it as it is",
    "add": "adds it",
    "modify": "sends it again",
    "delete": "deletes it",
    "keep": "cannot describe it, and keeps it as it is indexed",
    "skip": "skips it",
    "hold back": "holds it back, so it stays as it is indexed",
    "quarantine": "does not send it: it has failed too often",
    "unknown": "cannot be told",
}
SEES = {"yes": "may see it", "no": "may not see it", "unknown": "may or may not see it"}


def exit_code(answer: Answer) -> int:
    """0: one document is explained. 1: no connector knows it. 2: several fit, or it cannot be told."""
    if answer.document is not None:
        return EXPLAINED
    return CANNOT_TELL if answer.matches or answer.problems else UNKNOWN


def show(console: Console, answer: Answer) -> None:
    """Print an answer."""
    if answer.document is not None:
        _explain(console, answer.document)
    elif answer.matches:
        console.print(_text(f"{len(answer.matches)} documents fit {answer.asked}; ask for one of them by its id:"))
    else:
        console.print(_text(f"no document is known under {answer.asked}"))
    if answer.document is None:
        if answer.nearest:
            console.print("Did you mean one of these?")
        for match in (*answer.matches, *answer.nearest):
            place = match.locator if not match.id.endswith(f"/{match.locator}") else ""
            console.print(_text(f"  {match.id}  {place}".rstrip()))
    for problem in answer.problems:
        console.print(_text(problem, "yellow"))


def _explain(console: Console, why: Why) -> None:
    console.print(_text(why.id, "bold"))
    _line(console, "connector", f"{why.connector} → {why.service} ({why.target})")
    _line(console, "source", _source(why.source), "green" if why.source.state == "listed" else "yellow")
    _line(console, "next sync", _next(why.next))
    _line(console, "manifest", _manifest(why.manifest))
    for fate in why.fates:
        _line(console, "run", _fate(fate))
    if why.failures is not None:
        mark = "quarantined" if why.failures.quarantined else "failing"
        _line(console, mark, f"in {why.failures.runs} runs, the last {why.failures.last_run}: {why.failures.reason}")
    status = why.index.status or "cannot be told"
    said = f"{status}: {why.index.message}" if why.index.message else status
    _line(console, "index", said, "green" if why.index.status == "INDEXED" else "yellow")
    _access(console, why)
    if why.reader is not None:
        _reader(console, why.reader)
    for note in why.notes:
        _line(console, "note", note, "yellow")
    _line(console, "to do", why.advice, "bold")


def _source(source: Source) -> str:
    if source.document is not None and source.state == "listed":
        return f"lists it: {source.document.locator}, {source.document.size:,} bytes, version {source.document.version}"
    states = {
        "skipped": "lists it, and it cannot be indexed",
        "left out": "leaves it out",
        "absent": "does not have it",
        "not asked": "was not asked",
        "unknown": "cannot be told",
    }
    said = states.get(source.state, source.state)
    return f"{said}: {source.reason}" if source.reason else said


def _next(following: Next) -> str:
    said = DUE[following.due]
    return f"{said} ({', '.join(following.why)})" if following.why else said


def _manifest(manifest: Manifest) -> str:
    if manifest.held is None:
        return f"cannot be read: {manifest.problem}"
    if manifest.document is None:
        return "does not have it: the index is not known to hold it"
    what = (
        "has it, but in which version is doubtful" if manifest.doubtful else f"has version {manifest.document.version}"
    )
    when = [f"added by run {manifest.since}"] if manifest.since else []
    if manifest.sent and manifest.sent != manifest.since:
        when.append(f"last sent by run {manifest.sent}")
    return ", ".join([what, *(when or ["sent by a run that is not kept any more"])])


def _fate(fate: Fate) -> str:
    since = f", and {fate.runs - 1:,} more since {fate.since}" if fate.runs > 1 else ""
    reason = f": {fate.reason}" if fate.reason else ""
    return f"{fate.run}{_when(fate.ended)}{since}: {fate.became}{reason}"


def _when(time: datetime | None) -> str:
    return f" ({utc(time)} UTC)" if time else ""


def _access(console: Console, why: Why) -> None:
    """The access control as the index was given it, and, where it differs, as the source has it now."""
    held = why.manifest.document.access_control if why.manifest.document else None
    listed = why.source.document.access_control if why.source.document else None
    if held is not None:
        _line(console, "access", _principals(held))
    if listed is not None and listed != held:
        _line(console, "in source", _principals(listed), "yellow" if held is not None else "default")


def _principals(those: tuple[Principal, ...]) -> str:
    if not those:
        return "none, so everybody may see it"
    said = [f"{one.access} {one.type.lower()} {one.name}" for one in those[:SHOWN]]
    return ", ".join(said) + (f", and {len(those) - SHOWN:,} more" if len(those) > SHOWN else "")


def _reader(console: Console, reader: Reads) -> None:
    if reader.indexed is not None:
        _line(console, "reader", f"{reader.user} {_verdict(reader.indexed)}", _colour(reader.indexed.may_see == "yes"))
    if reader.listed is not None and reader.listed != reader.indexed:
        _line(console, "reader", f"{reader.user} {_verdict(reader.listed)}, once it is indexed as the source has it")
    if reader.indexed is None and reader.listed is None:
        _line(console, "reader", f"whether {reader.user} may see it is not known: neither source nor manifest has it")
    if reader.index is None:
        _line(console, "index says", f"it cannot tell whether {reader.user} may see it: {reader.index_says}", "yellow")
        return
    known = f"; it knows the user in {', '.join(reader.index_groups)}" if reader.index_groups else ""
    said = f"{reader.user} {'may' if reader.index else 'may not'} see it{known}"
    _line(console, "index says", said, _colour(reader.index))
    if reader.indexed is not None and reader.indexed.may_see == ("no" if reader.index else "yes"):
        others = "the index may know groups, members or aliases that this connector has not sent"
        _line(console, "note", f"the two differ: {others}", "yellow")


def _verdict(verdict: Verdict) -> str:
    way = f" ({' → '.join(verdict.through)})" if verdict.through else ""
    return f"{SEES[verdict.may_see]}: {verdict.because}{way}"


def _colour(good: bool) -> str:  # noqa: FBT001  # which of two colours
    return "green" if good else "yellow"


def _line(console: Console, name: str, text: str, style: str = "default") -> None:
    console.print(Text(f"{name:<{WIDTH}}", style="dim"), _text(text, style), sep="")


def _text(text: str, style: str = "default") -> Text:
    return Text.from_markup(printable(text), style=style, emoji=False)
