"""Which document is meant: by its id, by its place in the source, or by its address."""

from msgspec import Struct

from docferry.model import Document
from docferry_cli.why.evidence import Evidence
from docferry_cli.why.fates import Told
from docferry_cli.why.held import NEAREST, Name, Scan, nearest
from docferry_cli.why.looking import Seen


class Meant(Struct, kw_only=True):
    """The one document that is meant, and what was learnt of it on the way."""

    id: str
    held: Document | None = None
    seen: Seen | None = None
    told: Told | None = None


class Identified(Struct, kw_only=True):
    """Which document is meant. ``several`` when more than one fits; ``near`` come near it when none does.

    ``doubts`` say why the source may have it all the same.
    """

    meant: Meant | None = None
    several: list[Document] = []
    near: list[Name] = []
    doubts: list[str] = []


def identify(evidence: Evidence) -> Identified:
    """Look where it costs least first: the manifest, one place of the source, the inbox, the runs, the whole source."""
    known = evidence.by_id()
    if known is not None:
        return Identified(meant=Meant(id=known.id, held=known))
    scan = evidence.scan()
    if len(scan.fitting) > 1:
        return Identified(several=scan.fitting)
    if scan.fitting:
        return Identified(meant=Meant(id=scan.fitting[0].id, held=scan.fitting[0]))
    meant = _elsewhere(evidence)
    if meant is not None:
        return Identified(meant=meant)
    if scan.beginning:
        return _beginning(scan.beginning)
    return _listed(evidence, scan)


def _elsewhere(evidence: Evidence) -> Meant | None:
    """A document that the manifest does not have: in the source, in the inbox, or in what runs have left."""
    seen = evidence.look(evidence.places.locators)
    if seen is not None:
        id_ = seen.listed.id if seen.listed is not None else f"{evidence.opened.connector.name}/{seen.place}"
        return Meant(id=id_, seen=seen)
    for id_ in evidence.places.ids:
        handed_in = evidence.handed_in(id_)
        if handed_in is not None:
            return Meant(id=id_, seen=handed_in)
        told = evidence.told(id_)
        if told.fates:
            return Meant(id=id_, told=told)
    return None


def _beginning(found: list[Document]) -> Identified:
    """What begins as was asked for: one such document is meant."""
    if len(found) > 1:
        return Identified(several=found)
    return Identified(meant=Meant(id=found[0].id, held=found[0]))


def _listed(evidence: Evidence, scan: Scan) -> Identified:
    """List the source, up to the limit. What it lists is compared with what was asked for, too."""
    seen = evidence.listing(evidence.places)
    if seen is not None and seen.listed is not None:
        return Identified(meant=Meant(id=seen.listed.id, seen=seen))
    names = seen.names if seen is not None else ()
    near = list(dict.fromkeys([*scan.near, *nearest(evidence.places, names)]))[:NEAREST]
    doubts = [seen.says.reason] if seen is not None and not seen.whole and not evidence.source_problem else []
    return Identified(near=near, doubts=doubts)
