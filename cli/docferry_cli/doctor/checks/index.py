"""Checks of the index and its data source: there, active, custom, with the fields and the room that are needed."""

from itertools import islice

import msgspec
from rich.filesize import decimal

from docferry.changes.attributes import Attributes
from docferry.errors import ResourceNotFound
from docferry.model import Document
from docferry.reporting import ledger
from docferry.state import manifest
from docferry_cli.doctor.context import Context
from docferry_cli.doctor.findings import Ok, Result, Unknown, Wrong
from docferry_cli.doctor.indexes import IndexFacts, kind

ACTIVE = "ACTIVE"
# Until they are ready, a run that is started is tried again.
SOON = frozenset({"CREATING", "PENDING_CREATION", "UPDATING", "SYSTEM_UPDATING"})
AGAIN = "create it again (`docferry deploy`, where the stack has made it), or name another in connectors.yaml"
LOOKED_AT = 10_000
"""Documents of the manifest whose attributes are compared with the fields of the index."""
RUNS = 20


def index(context: Context) -> Result:
    """Look whether the index is there and active."""
    try:
        found = _facts(context)
    except ResourceNotFound:
        return Wrong(f"there is no index {_index_id(context)}", AGAIN)
    if found.status in SOON:
        return Unknown(f"the index is {found.status}: ask again when it is ACTIVE")
    if found.status != ACTIVE:
        said = f" ({found.error})" if found.error else ""
        return Wrong(f"the index is {found.status}{said}", AGAIN)
    return Ok(f"{context.service.name} index {_index_id(context)} is ACTIVE, {found.edition}")


def data_source(context: Context) -> Result:
    """Look whether the data source is there, active, and custom."""
    settings = context.index.settings
    try:
        found = kind(context.index.kind).data_source(context.client(context.service.clients[0]), settings)
    except ResourceNotFound:
        return Wrong(f"the index has no data source {settings['data_source_id']}", AGAIN)
    if found.type != "CUSTOM":
        cure = "make a data source of type CUSTOM, and name it in connectors.yaml"
        return Wrong(f"data source {settings['data_source_id']} is of type {found.type or 'none'}", cure)
    if found.wrong is not None:
        return Wrong(*found.wrong)
    if found.status in SOON:
        return Unknown(f"the data source is {found.status}: ask again when it is ACTIVE")
    if found.status != ACTIVE:
        said = f" ({found.error})" if found.error else ""
        return Wrong(f"the data source is {found.status}{said}", AGAIN)
    return Ok(f"{settings['data_source_id']} is ACTIVE and custom")


def fields(context: Context) -> Result:
    """Compare the fields of the index with the connector's, and with the attributes of documents that it was sent."""
    taken = context.open().index.fields()
    if taken.open:
        return Ok("the index takes every attribute as it comes")
    declared = taken.types
    wanted = context.index.settings.get("fields") or {}
    attributes = _attributes(context)
    absent = {**attributes.missing(declared), **{name: one for name, one in wanted.items() if name not in declared}}
    problems = [] if context.declares else [f"{name} ({one}) is not declared" for name, one in sorted(absent.items())]
    problems += [
        f"{name} is a {declared[name]} in the index, and a {one} in connectors.yaml"
        for name, one in sorted(wanted.items())
        if declared.get(name, one) != one
    ]
    problems += attributes.misfits(declared)
    if problems:
        cure = "declare the fields in the index, or set index.declare: true; a field keeps its type"
        return Wrong("; ".join(problems), cure)
    own = sum(not name.startswith("_") for name in declared)
    return Ok(f"{own} fields are declared" + (f", a run declares {len(absent)} more" if absent else ""))


def capacity(context: Context) -> Result:
    """Look whether the index has room for the documents that were listed last and are not in it yet."""
    found = _facts(context)
    if not context.service.editions:
        return Ok(f"{context.service.name} tells of no limit")
    if found.most_documents is None or found.most_text_bytes is None:
        return Unknown(f"the capacity of a {found.edition} index is not known to this version")
    room = max(found.most_documents - found.documents, 0)
    due = _due(context)
    full = f"{found.documents:,} of {found.most_documents:,} documents, "
    full += f"{decimal(found.text_bytes)} of {decimal(found.most_text_bytes)} of text"
    cure = "add units of capacity to the index, or select fewer documents"
    if due > room:
        return Wrong(f"the index has room for {room:,} more documents, and {due:,} wait ({full})", cure)
    if found.text_bytes >= found.most_text_bytes:
        return Wrong(f"the index has no room for more text ({full})", cure)
    return Ok(full)


def _facts(context: Context) -> IndexFacts:
    return kind(context.index.kind).index(context.client(context.service.clients[0]), context.index.settings)


def _index_id(context: Context) -> str:
    """The id of the index: of what a data source is in."""
    return str(context.index.settings[context.service.ids[-2]])


def _attributes(context: Context) -> Attributes:
    current = manifest.pointer(context.store)
    found = Attributes()
    lines = manifest.documents(context.store, current.value if current else None)
    for line in islice(lines, LOOKED_AT):
        found.add(msgspec.json.decode(line, type=Document))
    return found


def _due(context: Context) -> int:
    """How many documents the last run that succeeded has listed, and the manifest does not hold."""
    last = next((run for run in islice(ledger.newest(context.store), RUNS) if run.status == "SUCCEEDED"), None)
    if last is None:
        return 0
    current = manifest.pointer(context.store)
    held = current.value.documents if current else 0
    return max(last.added + last.modified + last.unchanged + last.failed + last.quarantined - held, 0)
