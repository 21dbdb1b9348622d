"""The API behind a source of kind ``http``, read with dlt's REST client. Nothing else of dlt runs: no pipeline.

https://dlthub.com/docs/general-usage/http/rest-client. What goes wrong is told without addresses' queries, headers
and replies: any of them may hold a secret.
"""

from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import urljoin, urlsplit

import msgspec
from dlt.common.configuration.specs import RuntimeConfiguration
from dlt.sources.helpers.requests.session import Session
from dlt.sources.helpers.rest_client.auth import OAuth2ClientCredentials
from dlt.sources.helpers.rest_client.client import RESTClient
from dlt.sources.rest_api.config_setup import create_auth, create_paginator
from requests import HTTPError, PreparedRequest, RequestException, Response

from docferry.errors import (
    ConfigurationError,
    DocferryError,
    DocumentError,
    DocumentTooLarge,
    DocumentUnreadable,
    DocumentVanished,
    SourceInvalid,
    SourceUnavailable,
)
from docferry.sources.records import http_options, mapping
from docferry.sources.records.http import HttpSettings
from docferry.sources.records.listing_watch import Watch
from docferry.sources.records.replies import ATTEMPTS, RETRIED, Elsewhere, Guarded, Hosts, TooLarge, place

REDIRECTS = 5
REFUSED = (401, 403)
GONE = (404, 410)
CONFIGURATION = RuntimeConfiguration(dlthub_telemetry=False)
"""Given to dlt, so that it looks for none: it would read files below the home folder and the current one."""


class Api:
    """Reads the listing of an API, and contents by their addresses."""

    def __init__(
        self,
        settings: HttpSettings,
        *,
        paginator: http_options.Paginator,
        headers: Mapping[str, str],
        params: Mapping[str, str],
        auth: http_options.Auth | None,
    ) -> None:
        self._settings = settings
        self._paginator = paginator
        self._headers = {"User-Agent": "docferry", "Accept": "application/json", **headers}
        self._params = dict(params)
        self._base = settings.base_url.rstrip("/") + "/"
        self._name = self._base + settings.resource.lstrip("/")
        self._listing = Connection(Hosts(self._base), settings.timeout)
        self._contents = Connection(Hosts(self._base, settings.content_hosts), settings.timeout)
        self._token_url = auth.access_token_url if isinstance(auth, http_options.OAuth2ClientCredentials) else None
        self._auth = self._authentication(auth)

    def pages(self) -> Iterator[list[Any]]:
        """The records of the listing, page by page.

        Raises ConfigurationError, SourceInvalid and SourceUnavailable: a listing that is not whole never looks whole.
        """
        watch = Watch(self._settings, self._paginator, self._name)
        client = Listing(
            self._base,
            headers=self._headers,
            auth=self._auth,
            session=self._listing.session(),
            config=CONFIGURATION,
        )
        client.prepare(self._settings.records, self._name)
        try:
            for page in client.paginate(
                self._settings.resource,
                params=dict(self._params),
                paginator=create_paginator(msgspec.to_builtins(self._paginator)),
                data_selector="$",
            ):
                watch.look_at(list(page), page.response)
                yield list(page)
            watch.finish()
        except DocferryError:
            raise
        except RequestException as error:
            raise self._failure(error) from None
        except UnicodeError:
            raise ConfigurationError("auth, headers: hold characters that no HTTP header can carry") from None
        except ValueError:  # of the paginator; its text repeats the whole reply
            raise SourceInvalid(
                f"{self._name}: a reply lacks what the paginator looks for; see its paths ({self._paths()})"
            ) from None

    def content(self, url: str) -> bytes:
        """The content at an address, which may be relative to the base URL.

        Raises DocumentVanished, DocumentTooLarge, DocumentUnreadable and SourceUnavailable.
        """
        try:
            return self._fetched(url)
        except TooLarge as error:
            raise DocumentTooLarge(str(error)) from None
        except RequestException as error:
            raise self._failure(error) from None
        except UnicodeError:
            raise DocumentUnreadable("content_url: is no address") from None

    def json(self, url: str) -> Any:
        """What the JSON at an address says. Raises as ``content`` does."""
        try:
            return msgspec.json.decode(self.content(url))
        except msgspec.DecodeError:
            raise DocumentUnreadable("content_url: gives no JSON, in which document.content could be found") from None

    def _fetched(self, url: str) -> bytes:
        """Follow redirects one by one: each may lead to another host, which is not told who we are."""
        session, next_ = self._contents.session(), url
        where = self._base
        for _ in range(REDIRECTS):
            where = self._reachable(where, next_)
            own = self._listing.hosts.has(where)
            headers = {**self._headers, "Accept": "*/*"} if own else {"User-Agent": self._headers["User-Agent"]}
            response = session.get(where, headers=headers, auth=self._auth if own else anonymous, allow_redirects=False)
            target = session.get_redirect_target(response)
            if target is None:
                return _content(response)
            next_ = target
        raise DocumentUnreadable("content_url: redirects without an end")

    def _reachable(self, base: str, url: str) -> str:
        """A whole address that may be asked. Raises DocumentUnreadable."""
        try:
            whole = urljoin(base, url)
            reachable = self._contents.hosts.reach(whole)
        except ValueError:
            raise DocumentUnreadable("content_url: is no address") from None
        if not reachable:
            host = urlsplit(whole).hostname
            raise DocumentUnreadable(f"content_url: leads to {host}; if that is right, name it in content_hosts")
        return whole

    def _failure(self, error: RequestException) -> DocferryError:
        """What an error of the connection means. The error's own text is not repeated."""
        if isinstance(error, Elsewhere):
            return SourceInvalid(f"{self._name} leads to another host: {error}; base_url names the only one")
        if isinstance(error, TooLarge):
            return SourceInvalid(f"{self._name}: {error}; ask for less at once, such as with a smaller limit")
        if not isinstance(error, HTTPError) or error.response is None:
            return SourceUnavailable(f"{self._name} cannot be read: {type(error).__name__}")
        return self._refusal(error.response.status_code, place(error.response.url))

    def _refusal(self, status: int, where: str) -> DocferryError:
        """What an answer means that is no success."""
        if self._token_url and where == place(self._token_url):
            kind = SourceUnavailable if status in RETRIED else ConfigurationError
            return kind(f"auth.access_token_url: {where} gives no token ({status})")
        if status in REFUSED:
            return ConfigurationError(f"auth: {where} answers {status}: check the setting auth, and what it may read")
        if status in RETRIED:
            return SourceUnavailable(f"{where} answers {status}, also after {ATTEMPTS} attempts")
        return SourceInvalid(f"{where} answers {status}: check base_url, resource and params")

    def _authentication(self, written: http_options.Auth | None) -> Any:
        """An authentication of dlt, or one that does nothing: without any, requests would look into ~/.netrc."""
        if written is None:
            return anonymous
        auth = create_auth(msgspec.to_builtins(written))
        if isinstance(auth, OAuth2ClientCredentials):
            auth.session = Connection(Hosts(auth.access_token_url), self._settings.timeout).session()
        return auth

    def _paths(self) -> str:
        fields = msgspec.to_builtins(self._paginator)
        return ", ".join(f"{name}: {value}" for name, value in fields.items() if name.endswith("_path")) or "none"


class Listing(RESTClient):
    """dlt's client, which finds the records of a reply by JMESPath."""

    def prepare(self, records: str, name: str) -> None:
        """Say where the records are, and how the listing is called in messages."""
        self._records = records
        self._name = name

    def extract_response(self, response: Response, data_selector: Any) -> list[Any]:  # noqa: ARG002  # dlt's own path
        """The records of a reply. Raises SourceUnavailable for one that is no JSON, SourceInvalid without records."""
        try:
            reply = response.json()
        except ValueError:
            raise SourceUnavailable(f"{self._name} answers with what is no JSON; see the address and auth") from None
        try:
            found = mapping.found(self._records, reply)
        except DocumentError as error:
            raise SourceInvalid(f"records: {error}") from error
        if not isinstance(found, list):
            raise SourceInvalid(
                f"records: {self._records!r} finds no list in a reply of {self._name}, but {type(found).__name__}; "
                "a reply without the list is not taken for an empty source"
            )
        return found


class Connection:
    """Sessions that ask some hosts only. They share their connections."""

    def __init__(self, hosts: Hosts, timeout: float) -> None:
        self.hosts = hosts
        self._timeout = timeout
        self._adapter = Guarded(hosts)

    def session(self) -> Session:
        """A session for one thread."""
        session = Session(timeout=self._timeout, raise_for_status=False)
        session.mount("https://", self._adapter)
        session.mount("http://", self._adapter)
        return session


def anonymous(request: PreparedRequest) -> PreparedRequest:
    """Leave a request as it is, without a sign-in."""
    return request


def _content(response: Response) -> bytes:
    """The content of a reply. Raises SourceUnavailable, DocumentVanished and DocumentUnreadable."""
    status = response.status_code
    if status in RETRIED:
        raise SourceUnavailable(f"{place(response.url)} answers {status}, also after {ATTEMPTS} attempts")
    if status in GONE:
        raise DocumentVanished(f"its content is gone ({status})")
    if not response.ok or status >= 300:  # noqa: PLR2004  # a redirect to nowhere
        raise DocumentUnreadable(f"its content cannot be read: {place(response.url)} answers {status}")
    return response.content
