"""Which runs a month has: of a connector that was synced, by its last runs; of another, by given figures."""

from collections.abc import Iterable, Iterator
from itertools import islice
from math import ceil

import msgspec
from msgspec import Struct, structs

from docferry.changes.attributes import Attributes
from docferry.connector import Connector
from docferry.model import Document
from docferry.reporting import ledger
from docferry.reporting.ledger import Entry
from docferry.state import manifest
from docferry.state.store import Store
from docferry_laptop.costs.limits import HOURS_IN_MONTH
from docferry_laptop.costs.workload import Workload

LAST_RUNS = 10
SAMPLE = 10_000
"""Documents of the manifest whose sizes are looked at."""
ASSUMED_CHANGED = 0.01
DAILY = HOURS_IN_MONTH / 24
SENDING = frozenset({"sync", "approve", "apply"})


class Forecast(Struct, frozen=True):
    """The next run, and the runs of a month: how many of each kind. ``assumptions`` are sentences for a person."""

    next: Workload
    month: tuple[tuple[float, Workload], ...]
    assumptions: tuple[str, ...]


class Given(Struct, frozen=True, kw_only=True):
    """Figures that a person has given; None: by the connector's state, or assumed."""

    documents: int | None = None
    changed: int | None = None
    average_size: int | None = None
    sidecars: int | None = None
    runs: float | None = None


def of_connector(store: Store, connector: Connector, given: Given, scheduled: float | None) -> Forecast:
    """The forecast of a connector that was synced. ``scheduled`` are the runs of a month by its schedule, if any.

    Raises ManifestInvalid.
    """
    current = manifest.pointer(store)
    lines = list(islice(manifest.documents(store, current.value if current else None), SAMPLE))
    sample = [msgspec.json.decode(line, type=Document) for line in lines]
    held = current.value.documents if current else 0
    described = sum(bool(one.access_control or _has_fields(one)) for one in sample)
    assumptions = []
    sidecars = ceil(held * described / len(sample)) if sample and connector.source.kind == "s3" else 0
    if sidecars and given.sidecars is None:
        assumptions.append(f"{sidecars:,} documents have a sidecar: those with attributes or access control")
    usual = Workload(
        source=connector.source.kind,
        index=connector.index.kind,
        documents=held,
        average_size=round(sum(one.size for one in sample) / len(sample)) if sample else 0,
        sidecars=sidecars,
        attributes=any(map(_has_fields, sample)),
        groups=connector.groups is not None,
        verify=connector.index.settings.get("verify", "auto"),
    )
    if any(value is not None for value in (given.documents, given.average_size, given.sidecars)):
        usual = structs.replace(
            usual,
            documents=usual.documents if given.documents is None else given.documents,
            average_size=usual.average_size if given.average_size is None else given.average_size,
            sidecars=usual.sidecars if given.sidecars is None else given.sidecars,
        )
    runs = _runs(given.runs, scheduled, assumptions)
    entries = list(islice(_syncs(ledger.newest(store), store.data_source), LAST_RUNS))
    if given.changed is not None or not entries:
        changing, share = _changed(usual, given.changed, assumptions), 1.0
    else:
        changing, share = _typical(usual, entries)
        assumptions.append(f"a run changes as much as the last {len(entries)} did on average")
    return Forecast(changing, _mixed(runs, share, changing), tuple(assumptions))


def of_figures(source: str, index: str, given: Given, scheduled: float | None = None) -> Forecast:
    """The forecast of a connector that was never synced: the first run puts every document."""
    assumptions: list[str] = []
    work = Workload(
        source=source,
        index=index,
        documents=given.documents or 0,
        sidecars=given.sidecars or 0,
        attributes=bool(given.sidecars),
    )
    if given.average_size is None:
        assumptions.append(f"a document has {work.average_size:,} bytes")
    else:
        work = structs.replace(work, average_size=given.average_size)
    runs = _runs(given.runs, scheduled, assumptions)
    later = _changed(work, given.changed, assumptions)
    first = work.from_nothing()
    assumptions.append("the month has the first run, which sends every document")
    return Forecast(first, ((1.0, first), *_mixed(max(0.0, runs - 1), 1.0, later)), tuple(assumptions))


def _syncs(entries: Iterable[Entry], data_source: str) -> Iterator[Entry]:
    """The runs that tell how much usually changes: not the first one, which sends everything."""
    for entry in entries:
        counts = entry.data_source in {"", data_source} and entry.status == "SUCCEEDED" and entry.mode in SENDING
        if counts and entry.previous is not None and entry.unchanged:
            yield entry


def _typical(usual: Workload, entries: list[Entry]) -> tuple[Workload, float]:
    """A run with what those runs changed on average that changed anything, and their share of all."""
    changing = [entry for entry in entries if entry.added + entry.modified + entry.deleted]
    if not changing:
        return usual.unchanged(), 1.0
    mean = {
        name: round(sum(getattr(entry, name) for entry in changing) / len(changing))
        for name in ("added", "modified", "deleted")
    }
    if not any(mean.values()):
        mean["modified"] = 1
    return structs.replace(usual, **mean), len(changing) / len(entries)


def _changed(usual: Workload, changed: int | None, assumptions: list[str]) -> Workload:
    if changed is None:
        changed = ceil(usual.documents * ASSUMED_CHANGED)
        assumptions.append(f"a run changes {ASSUMED_CHANGED:.0%} of the documents: {changed:,}")
    return structs.replace(usual, modified=min(changed, usual.documents))


def _runs(given: float | None, scheduled: float | None, assumptions: list[str]) -> float:
    if given is not None:
        return given
    if scheduled is None:
        assumptions.append("there is no schedule: one run a day")
        return DAILY
    return scheduled


def _mixed(runs: float, share: float, changing: Workload) -> tuple[tuple[float, Workload], ...]:
    parts = ((runs * share, changing), (runs * (1 - share), changing.unchanged()))
    return tuple((number, work) for number, work in parts if number)


def _has_fields(document: Document) -> bool:
    """Whether a document has an attribute that not every index has."""
    attributes = Attributes()
    attributes.add(document)
    return bool(attributes.used)
