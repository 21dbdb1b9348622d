"""Two connectors between which a move makes sense: the same source, and an index each."""

from collections.abc import Iterator, Mapping
from itertools import islice
from typing import Any

from msgspec import Struct

from docferry.config.deployment import Described
from docferry.connector import Groups, Part, pick
from docferry.errors import ConfigurationError
from docferry.indexes import service
from docferry.indexes.status_lists import lists, status_pages
from docferry.sync_job import job as sync_job
from docferry_cli.targets import Opened

LOOKED_AT = 10_000
"""Documents of a data source that are looked at for ones of others: ten calls, where a service can list them."""


class Pair(Struct, frozen=True):
    """The connector to move away from, and the one to move to."""

    old: Described
    new: Described

    @property
    def names(self) -> tuple[str, str]:
        """The names of both connectors."""
        return self.old.connector.name, self.new.connector.name


def pair(described: Mapping[str, Described], old: str, new: str) -> Pair:
    """The two connectors of these names. Raises ConfigurationError where a move between them makes no sense."""
    connectors = {name: one.connector for name, one in described.items()}
    left, right = pick(connectors, old), pick(connectors, new)
    if old == new:
        raise ConfigurationError(f"{old} cannot be moved to itself: describe another connector with the new index")
    if different := list(differences(left.source, right.source)):
        raise ConfigurationError(
            f"{old} and {new} do not have the same source: {'; '.join(different)}. Give {new} the source of {old}"
        )
    if same_data_source(left.index, right.index):
        raise ConfigurationError(f"{old} and {new} name one data source: give {new} one of its own")
    return Pair(described[old], described[new])


def differences(old: Part, new: Part) -> Iterator[str]:
    """The settings in which two sources differ, with both values."""
    if old.kind != new.kind:
        yield f"kind is {old.kind} and {new.kind}"
        return
    for name in sorted(old.settings.keys() | new.settings.keys()):
        one, other = old.settings.get(name), new.settings.get(name)
        if one != other:
            yield f"{name} is {_written(one)} and {_written(other)}"


def same_data_source(old: Part, new: Part) -> bool:
    """Whether two indexes name one data source. Where ids are left out, each connector gets its own."""
    ids = service(old.kind).ids
    named = [old.settings.get(name) for name in ids]
    return old.kind == new.kind and None not in named and named == [new.settings.get(name) for name in ids]


def remarks(pair: Pair) -> Iterator[str]:
    """In what else two connectors differ that decides who sees what."""
    old, new = pair.old.connector, pair.new.connector
    if old.access != new.access:
        yield f"access is {_written(old.access)} in {old.name} and {_written(new.access)} in {new.name}"
    if old.groups != new.groups:
        yield f"groups are {_listed(old.groups)} in {old.name} and {_listed(new.groups)} in {new.name}"


def check_alone(opened: Opened) -> None:
    """Look whether a data source has documents, or sync jobs, of somebody else. Raises ConfigurationError.

    Kendra lists no documents, and Bedrock has no sync jobs, so each service tells one of the two.
    """
    name = opened.connector.name
    pages = status_pages(opened.index, None) if lists(opened.index) else iter(())
    statuses = islice((status for page in pages for status in page.statuses), LOOKED_AT)
    strange = next((one.id for one in statuses if not one.id.startswith(f"{name}/")), None)
    if strange is not None:
        raise ConfigurationError(
            f"the data source of {name} holds documents of somebody else, such as {strange}: give {name} a new data "
            "source, in which every document is its own"
        )
    record = sync_job.read(opened.store)
    jobs = sync_job.strangers(opened.store, opened.index).jobs
    if jobs or (record is not None and record.foreign):
        which = f", such as {jobs[0].execution_id}" if jobs else ""
        raise ConfigurationError(
            f"sync jobs of the data source of {name} were started by somebody else{which}, whose documents it may "
            f"hold: give {name} a new data source"
        )


def _written(value: Any) -> str:
    return "not given" if value is None else repr(value)


def _listed(groups: Groups | None) -> str:
    if groups is None:
        return "not given"
    return groups.file or "those of the source"
