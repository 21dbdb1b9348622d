"""The only place that builds clients, and puts source, index and store together."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from datetime import datetime
from email.utils import parsedate_to_datetime
from functools import cache, cached_property
from threading import Lock
from typing import Any

import boto3
import msgspec
from botocore.config import Config
from botocore.exceptions import HTTPClientError
from msgspec import Struct

from docferry.connector import Part
from docferry.errors import ConfigurationError
from docferry.groups.expansion import Expansion
from docferry.groups.reading import Membership, membership
from docferry.indexes import Index, index_class
from docferry.messages.channels import Channel, channels
from docferry.model import Document, Opened
from docferry.runtime.settings import Settings
from docferry.sources import NOTHING, Ability, Known, Open, Page, Source, Watched, opener, source_class
from docferry.state.store import Store

# The index services are called through indexes/calls.py, which waits far longer than botocore's three attempts and
# knows which call may be repeated: a start must not be.
# A process has the services of the index that is wired in it, and imports the adapter of no other.
ONE_ATTEMPT = set[str]()

# Services that answer in JSON, as those of an index do: botocore reads half a reply as an empty one. S3's it checks.
JSON = frozenset({"stepfunctions", "events"})

# A message that cannot be sent waits for the next run, so a run does not wait for it: three attempts of at most 13 s.
MESSAGES = frozenset({"events", "sns"})
QUICK = Config(connect_timeout=3, read_timeout=10, retries={"total_max_attempts": 3, "mode": "standard"})

# Calls of S3 at a time: 20 sidecars and 8 pages of a bucket (sources/bucket; for a moment 8 more where a range is
# divided again), and 16 objects of the state bucket (state/ahead.py). A worker has up to 20 requests of the index under
# way, and opens up to 16 documents. A call that finds no free connection opens another, and throws it away.
CONNECTIONS = Config(max_pool_connections=44)

_BUILDING = Lock()


class Wired(Struct, frozen=True):
    """What a state of the workflow works with.

    ``membership`` is None for a connector without groups. ``expansion`` is there while documents are listed for an
    index that knows no groups. ``channels`` are those that messages go by.
    """

    settings: Settings
    store: Store
    source: Source
    index: Index
    step_functions: Any
    membership: Membership | None = None
    channels: Mapping[str, Channel] = {}
    expansion: Expansion | None = None

    @property
    def tells_groups(self) -> bool:
        """Whether the index is told who is in which group."""
        return self.membership is not None and bool(self.index.service.on_groups)


class Deferred:
    """A source that is made when it is needed: most functions do without, and need not import what it imports."""

    Settings = Struct

    def __init__(self, build: Callable[[], Source]) -> None:
        self._build = build

    @cached_property
    def _source(self) -> Source:
        return self._build()

    @property
    def presentation(self) -> frozenset[str]:
        """See Source."""
        return self._source.presentation

    @property
    def abilities(self) -> frozenset[Ability]:
        """See Source."""
        return self._source.abilities

    @property
    def watched(self) -> Watched | None:
        """The source itself, when it can look at single places."""
        return self._source if isinstance(self._source, Watched) else None

    @property
    def groups(self) -> Any:
        """The method ``groups`` of a source that has one; see docferry.groups.reading. Raises AttributeError."""
        return self._source.groups  # type: ignore[attr-defined]  # it is optional

    def pages(self, checkpoint: str | None, known: Known = NOTHING) -> Iterator[Page]:
        """See Source.pages."""
        return self._source.pages(checkpoint, known)

    def open(self, document: Document) -> Opened:
        """See Source.open."""
        return self._source.open(document)

    def opener(self) -> Open:
        """See docferry.sources.opener."""
        return opener(self._source)


class Client:
    """A boto3 client that is made when it is first used.

    Making one takes a tenth of a second and more, and no function calls every service.
    """

    def __init__(self, name: str) -> None:
        self._name = name

    def __getattr__(self, name: str) -> Any:
        return getattr(client(self._name), name)


def watched(source: Source) -> Watched | None:
    """A source as one that can look at single places; None when it cannot."""
    if isinstance(source, Deferred):
        return source.watched
    return source if isinstance(source, Watched) else None


def wire(settings: Settings) -> Wired:
    """Put together what a connector's functions work with. Raises ConfigurationError."""
    connector = settings.connector
    target = index(connector.name, connector.index, settings.state_bucket)
    origin = Deferred(lambda: source(connector.name, connector.source))
    return Wired(
        settings,
        Store(settings.state_bucket, Client("s3"), target.data_source),
        origin,
        target,
        Client("stepfunctions"),
        membership(connector.groups, origin, connector.source.kind, Client("s3")) if connector.groups else None,
        channels(Client, settings.topic),
    )


def source(connector: str, part: Part) -> Source:
    """The source of a connector."""
    kind = source_class(part.kind)
    settings = _settings(f"connectors.{connector}.source", part, kind.Settings)
    return kind(connector=connector, settings=settings, clients=Client)


def index(connector: str, part: Part, bucket: str | None = None) -> Index:
    """The index data source of a connector, whose state is in ``bucket``."""
    kind = index_class(part.kind)
    ONE_ATTEMPT.update(kind.service.clients)
    return kind(settings=_settings(f"connectors.{connector}.index", part, kind.Settings), clients=Client, bucket=bucket)


@cache
def client(name: str) -> Any:
    """The boto3 client of a service by its name, one for all invocations of the process."""
    config = CONNECTIONS.merge(Config(retries={"total_max_attempts": 1})) if name in ONE_ATTEMPT else CONNECTIONS
    config = QUICK if name in MESSAGES else config
    with _BUILDING:  # a session may not build two clients at a time
        build: Any = _session().client  # its type knows each service by a literal name
        made = build(name, config=config)
    if name in JSON or name in ONE_ATTEMPT:
        made.meta.events.register("before-parse", _check_length)
    return made


@cache
def _session() -> boto3.Session:
    """One session for all clients: it reads endpoints and service models once."""
    session = boto3.Session()
    # dateutil takes most of the CPU time of a long S3 listing; fromisoformat a quarter of it.
    session._session.get_component("response_parser_factory").set_parser_defaults(  # noqa: SLF001  # botocore's documented hook for this has no public way from boto3
        timestamp_parser=_timestamp
    )
    return session


def _check_length(response_dict: dict[str, Any], **_: Any) -> None:
    """Refuse a reply that broke off: a put whose list of rejected documents is missing would count as accepted.

    Raises HTTPClientError.
    """
    announced = response_dict["headers"].get("content-length")
    if announced is not None and int(announced) != len(response_dict["body"]):
        raise HTTPClientError(error=f"the reply broke off: {len(response_dict['body'])} of {announced} bytes came")


def _timestamp(value: Any) -> datetime:
    from botocore.utils import parse_timestamp  # noqa: PLC0415  # the slow path, for all else

    if isinstance(value, str):
        for read in (datetime.fromisoformat, parsedate_to_datetime):  # ISO 8601, and what stands in HTTP headers
            with suppress(ValueError):
                return read(value)
    parsed: datetime = parse_timestamp(value)
    return parsed


def _settings(path: str, part: Part, kind: type[Struct]) -> Any:
    try:
        return msgspec.convert(part.settings, kind)
    except msgspec.ValidationError as error:
        raise ConfigurationError(f"{path}: {error}") from error
