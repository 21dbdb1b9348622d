"""What to do about a document, in one sentence. Pure."""

from collections.abc import Iterator
from pathlib import Path
from shlex import join

from docferry.connector import Connector
from docferry_cli import connectors
from docferry_cli.options import HERE
from docferry_cli.why.answer import Became, Reads, Why


class Commands:
    """The commands that a person runs next, for one connector of one target."""

    def __init__(self, connector: Connector, target: str) -> None:
        self._connector = connector
        self._target = ("--target", target) if target != HERE else ()

    @property
    def sync(self) -> str:
        """What syncs the connector. A folder that no connectors.yaml describes is synced by its path."""
        path = str(self._connector.source.settings.get("path", ""))
        if self._of_folder(path):
            return self._written("sync", "--path", path, "--index", self._connector.index.kind)
        return self._written("sync", self._connector.name)

    def about(self, command: str, what: str) -> str:
        """A command about a run, or a document, of the connector."""
        return self._written(command, what, "--connector", self._connector.name)

    def of(self, command: str) -> str:
        """A command about the connector."""
        return self._written(command, self._connector.name)

    def _of_folder(self, path: str) -> bool:
        connector = self._connector
        if connector.source.kind != "files" or not Path(path).is_dir() or connector.index.kind == "":
            return False
        return connectors.of_folder(Path(path), connector.index.kind).name == connector.name  # type: ignore[arg-type]  # a kind of KINDS

    def _written(self, *words: str) -> str:
        return f"`{join(('docferry', *words, *self._target))}`"


def advice(why: Why, commands: Commands) -> str:
    """What to do first: the rules in their order, the first that applies."""
    if why.running:
        return f"Wait until run {why.running} has ended, then ask again."
    rules = (*_held_back(why, commands), *_due(why, commands), *_indexed(why, commands), *_reader(why, commands))
    return next(sentence for applies, sentence in rules if applies)


Rule = tuple[object, str]


def _held_back(why: Why, commands: Commands) -> Iterator[Rule]:
    """What waits for a person."""
    due, sync = why.next.due, commands.sync
    run = _latest(why, "exposed")
    yield (
        due in {"hold back", "unknown"} and run,
        f"If everybody may see it: {commands.about('approve', run)}; if not, restore its access control, then {sync}.",
    )
    yield due == "hold back", f"It would become public, so give it its access control back, then {sync}."
    run = _latest(why, "withheld")
    yield (
        due in {"delete", "unknown"} and run,
        f"If it is to be deleted: {commands.about('approve', run)}; if not, bring it back into the source.",
    )
    yield (
        due == "quarantine" or (due == "unknown" and _latest(why, "quarantined")),
        f"Mend the document, or release it with {commands.about('retry', why.id)}; then {sync}.",
    )


def _due(why: Why, commands: Commands) -> Iterator[Rule]:
    """What the next sync changes, or cannot change."""
    source, due, sync = why.source, why.next.due, commands.sync
    skipped = source.reason if source.state == "skipped" else ", ".join(why.next.why)
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


def _indexed(why: Why, commands: Commands) -> Iterator[Rule]:
    """What is between manifest and index."""
    held, status = why.manifest.held, why.index.status
    yield held is None, f"Mend the manifest first: {commands.of('rebuild')} starts it anew, and sends everything."
    yield why.manifest.doubtful, f"Nobody knows which version the index holds: {commands.sync} sends it again."
    yield (
        held and status in {"NOT_FOUND", "FAILED", "UPDATE_FAILED"},
        f"The index does not hold what it took: {commands.of('reconcile')} sends it again.",
    )
    yield status == "PROCESSING", "The index is still at work on it: wait, then ask again."


def _reader(why: Why, commands: Commands) -> Iterator[Rule]:
    """Who may see it; or that all is well."""
    reader = why.reader
    if reader is not None:
        yield (
            not _sees(reader),
            f"If {reader.user} is to see it, change its access control or the groups, then {commands.sync}.",
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
