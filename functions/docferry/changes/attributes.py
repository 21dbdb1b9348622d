"""Attributes against the fields of the index: both services reject a document with one that is not declared. Pure."""

from collections.abc import Iterable, Iterator, Mapping

from docferry.indexes.service import FieldType
from docferry.model import AttributeValue, Date, Document

# Every adapter adds these itself, and the second is declared nowhere.
OF_THE_SERVICE = frozenset({"_data_source_id", "_data_source_sync_job_execution_id"})
# Both services declare these in every index.
RESERVED: dict[str, FieldType] = {
    "_authors": "STRING_LIST",
    "_category": "STRING",
    "_created_at": "DATE",
    "_document_title": "STRING",
    "_file_type": "STRING",
    "_language_code": "STRING",
    "_last_updated_at": "DATE",
    "_source_uri": "STRING",
    "_version": "STRING",
    "_view_count": "NUMBER",
}
# An index has at most 500 fields; more names than these are not looked for.
REMEMBERED = 1_000


def type_of(value: AttributeValue) -> FieldType:
    """The type of field that a value needs."""
    match value:
        case Date():
            return "DATE"
        case str():
            return "STRING"
        case int():
            return "NUMBER"
        case _:
            return "STRING_LIST"


class Attributes:
    """The attributes of the documents that are to be put: each name and type once, with the first document of it.

    Those that fit in any index are left out.
    """

    def __init__(self, used: Iterable[tuple[tuple[str, FieldType], str]] = ()) -> None:
        self.used = dict(used)

    def add(self, document: Document) -> None:
        """Note the attributes of a document."""
        for name, value in document.attributes.items():
            kind = type_of(value)
            if name not in OF_THE_SERVICE and RESERVED.get(name) != kind and len(self.used) < REMEMBERED:
                self.used.setdefault((name, kind), document.id)

    def missing(self, fields: Mapping[str, FieldType]) -> dict[str, FieldType]:
        """The fields that the index lacks, sorted by name. One that is used with two types has the first."""
        found: dict[str, FieldType] = {}
        for name, kind in self.used:
            if name not in fields:
                found.setdefault(name, kind)
        return dict(sorted(found.items()))

    def misfits(self, fields: Mapping[str, FieldType]) -> Iterator[str]:
        """What does not have the type of its field, in words."""
        for (name, kind), document in sorted(self.used.items()):
            if name in fields and fields[name] != kind:
                yield f"{name} is a {fields[name]} in the index, and a {kind} in {document}"
