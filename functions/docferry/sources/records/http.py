"""Any API that answers in JSON: its listing page by page, its content with it or from an address of its own."""

from collections.abc import Iterator
from functools import partial
from importlib.util import find_spec
from typing import TYPE_CHECKING, Annotated, Any

from jmespath.exceptions import JMESPathError
from msgspec import Meta, Struct

from docferry.errors import ConfigurationError, DocumentError, DocumentUnreadable
from docferry.registry import Clients
from docferry.sources import secrets
from docferry.sources.records import http_options, mapping
from docferry.sources.records.mapping import DocumentMapping, Expression
from docferry.sources.records.record import Record, Skip
from docferry.sources.records.records import Records

if TYPE_CHECKING:
    from docferry.sources.records.api import Api

if find_spec("dlt") is None:
    raise ConfigurationError("a source of kind http needs dlt: pip install 'docferry[http]'")

Param = str | int | bool


class HttpSettings(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The ``source`` part of a connector of kind ``http``."""

    base_url: Annotated[
        str,
        Meta(
            pattern="^https?://[^/?#@]+(/[^?#]*)?$",
            description="the address of the API, such as https://kb.example.com/api/",
        ),
    ]
    resource: Annotated[str, Meta(min_length=1, description="what is listed, below base_url, such as articles")]
    paginator: Annotated[
        dict[str, Any], Meta(description="how the listing is paged, such as {type: offset, limit: 100}")
    ]
    document: DocumentMapping
    records: Expression = "@"
    total: Expression | None = None
    params: dict[str, Param] = {}
    headers: dict[str, str] = {}
    auth: dict[str, Any] | None = None
    content_url: Expression | None = None
    content_hosts: tuple[
        Annotated[str, Meta(pattern="^[^/@?#]+$", description="a host, such as files.example.com")], ...
    ] = ()
    open_at_once: Annotated[int, Meta(ge=1, le=32)] = 4
    timeout: Annotated[int, Meta(ge=1, le=300, description="seconds that the API may be silent")] = 30
    max_pages: Annotated[int, Meta(ge=1)] = 10_000

    def __post_init__(self) -> None:
        """Refuse settings that do not go together. Raises ValueError."""
        http_options.paginator(self.paginator)
        if self.auth is not None:
            http_options.auth(self.auth)
        if "://" in self.resource:
            raise ValueError("resource: is a path below base_url, such as articles")
        if self.document.content is None and self.content_url is None:
            raise ValueError("document.content: is required (where the content is), or content_url")
        for name in ("records", "total", "content_url"):
            try:
                mapping.compiled(getattr(self, name) or "@")
            except JMESPathError as error:
                reason = str(error).partition("\n")[0]
                raise ValueError(f"{name}: {getattr(self, name)!r} is not a JMESPath expression: {reason}") from error


class Http(Records):
    """Every record that an API lists, as a document."""

    Settings: type[Struct] = HttpSettings
    presentation = frozenset({"content_url", "content_hosts", "open_at_once", "timeout", "max_pages"})

    def __init__(self, *, connector: str, settings: HttpSettings, clients: Clients) -> None:
        super().__init__(connector=connector, settings=settings, clients=clients)
        self.open_at_once = settings.open_at_once
        if settings.document.version is not None:
            self.abilities |= {"cheap_version"}

    def records(self) -> Iterator[Record | Skip]:
        """See Records.records."""
        api = self._api()
        for number, page in enumerate(api.pages(), start=1):
            for place, row in enumerate(page, start=1):
                yield self._record(api, row, f"record {place} of page {number}")

    def _record(self, api: "Api", row: Any, place: str) -> Record | Skip:
        if not isinstance(row, dict):
            return Skip(id=place, reason=f"is no JSON object; see the setting records ({row!r:.80})", incomplete=True)
        opens = partial(self._opened, api, row) if self.settings.content_url else None
        return mapping.record(self.settings.document, row, open=opens, place=place)

    def _opened(self, api: "Api", row: dict[str, Any]) -> bytes:
        """The content from the address that the row names. Raises DocumentError and SourceUnavailable."""
        try:
            url = mapping.found(self.settings.content_url, row)
        except DocumentError as error:
            raise DocumentUnreadable(f"content_url: {error}") from error
        if not isinstance(url, str) or not url:
            raise DocumentUnreadable(f"content_url: is {url!r:.80}; wanted is an address")
        if self.settings.document.content is None:
            return api.content(url)
        reply = api.json(url)
        if not isinstance(reply, dict):
            raise DocumentUnreadable("content_url: gives no JSON object, in which document.content could be found")
        return mapping.content(self.settings.document, reply)

    def _api(self) -> "Api":
        # It takes seconds to import, and reading connectors.yaml does without.
        from docferry.sources.records.api import Api  # noqa: PLC0415

        settings: HttpSettings = self.settings
        written = None if settings.auth is None else http_options.auth(settings.auth)
        fields = {} if written is None else {name: getattr(written, name) for name in written.__struct_fields__}
        return Api(
            settings,
            paginator=http_options.paginator(settings.paginator),
            headers={name: self._revealed(value).strip() for name, value in settings.headers.items()},
            params={name: self._param(value) for name, value in settings.params.items()},
            auth=None if written is None else type(written)(**{k: self._secret(k, v) for k, v in fields.items()}),
        )

    def _param(self, value: Param) -> str:
        return str(value).lower() if isinstance(value, bool) else self._revealed(str(value))

    def _secret(self, name: str, value: Any) -> Any:
        """A field of the authentication; those that are secrets are never written out."""
        if name in ("token", "api_key", "password", "client_secret"):
            return self.secret(value).strip()
        return self._revealed(value) if isinstance(value, str) else value

    def _revealed(self, value: str) -> str:
        return self.secret(value) if value.startswith((secrets.ENVIRONMENT, secrets.ARN)) else value
