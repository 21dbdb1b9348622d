"""Whether the index has a field for every attribute that is about to be sent, before anything is sent."""

from collections.abc import Iterator

from tenacity.nap import sleep

from docferry.changes.attributes import Attributes
from docferry.errors import ConfigurationError, Conflict
from docferry.indexes import Index
from docferry.indexes.service import FieldType
from docferry.runtime.wiring import Wired

LOOK_SECONDS = 2.0
# Of Kendra it is only known that an index is UPDATING for a while; the crawl is tried again after that.
LOOKS = 60


def check_fields(wired: Wired, attributes: Attributes, *, sends: bool) -> Iterator[str]:
    """Compare attributes with the fields of the index, in one call.

    Declares those that it lacks, if the connector says so. A plan declares nothing: it gives what is wrong as sentences
    for its report. Raises ConfigurationError, which names
    every attribute, and Conflict while the index is being changed.
    """
    if not attributes.used:
        return
    missing, wrong = compared(wired.index, attributes)
    if wrong and sends:
        raise ConfigurationError(f"{'; '.join(wrong)}. {_cure(wired)}")
    yield from wrong
    if missing and sends:
        wired.index.declare(missing)
        _wait(wired)


def compared(index: Index, attributes: Attributes) -> tuple[dict[str, FieldType], list[str]]:
    """The fields that an index lacks for these attributes, and, in sentences, what keeps it from taking them."""
    taken = index.fields()
    if taken.open:
        return {}, []
    missing = attributes.missing(taken.types)
    wrong = list(attributes.misfits({**taken.types, **missing}))
    if missing and not index.declares:
        first = {name: document for (name, _), document in reversed(attributes.used.items())}
        wrong = [*(f"{name} ({kind}) is not declared; {first[name]} has it" for name, kind in missing.items()), *wrong]
    return missing, wrong


def _cure(wired: Wired) -> str:
    return (
        "Nothing was sent, because the index rejects such documents. Declare the fields in the index, or give the "
        f"connector {wired.settings.connector.name} index.declare: true. A field keeps its type: give an attribute of "
        "another type another name, or that type"
    )


def _wait(wired: Wired) -> None:
    for _ in range(LOOKS):
        if wired.index.fields().ready:
            return
        sleep(LOOK_SECONDS)
    raise Conflict("the index is still taking on its new fields")
