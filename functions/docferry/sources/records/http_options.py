"""How an API is paged, and how one signs in to it: the paginators and authentications of dlt, as settings.

https://dlthub.com/docs/dlt-ecosystem/verified-sources/rest_api/basic has the same words. Left out is what guesses
(``auto``), and what ends a listing before its end (``maximum_page``): documents that are not listed are deleted.
Nothing here imports dlt.
"""

from collections.abc import Mapping
from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta, Struct

Text = Annotated[str, Meta(min_length=1)]
Path = Annotated[str, Meta(min_length=1)]
"""A JSONPath, as dlt reads it, such as ``meta.next``."""


class _Option(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, tag_field="type"):
    """One of several ways, told by its ``type``."""


class SinglePage(_Option, frozen=True, tag="single_page"):
    """One reply has everything."""


class JsonLink(_Option, frozen=True, tag="json_link"):
    """The reply holds the address of the next page."""

    next_url_path: Path = "next"


class HeaderLink(_Option, frozen=True, tag="header_link"):
    """The header ``Link`` has the address of the next page."""

    links_next_key: Text = "next"


class HeaderCursor(_Option, frozen=True, tag="header_cursor"):
    """A header has the cursor of the next page."""

    cursor_key: Text = "next"
    cursor_param: Text = "cursor"


class Cursor(_Option, frozen=True, tag="cursor"):
    """The reply holds the cursor of the next page."""

    cursor_path: Path = "cursors.next"
    cursor_param: Text = "cursor"
    stop_after_empty_page: bool = False
    has_more_path: Path | None = None


class Offset(_Option, frozen=True, tag="offset"):
    """Pages of ``limit`` records; ``total_path`` is how many records there are."""

    limit: Annotated[int, Meta(ge=1)]
    offset: Annotated[int, Meta(ge=0)] = 0
    offset_param: Text = "offset"
    limit_param: Text = "limit"
    total_path: Path | None = "total"
    stop_after_empty_page: bool = True
    has_more_path: Path | None = None


class PageNumber(_Option, frozen=True, tag="page_number"):
    """Numbered pages; ``total_path`` is how many pages there are."""

    base_page: Annotated[int, Meta(ge=0)] = 0
    page: Annotated[int, Meta(ge=0)] | None = None
    page_param: Text = "page"
    total_path: Path | None = "total"
    stop_after_empty_page: bool = True
    has_more_path: Path | None = None


Paginator = SinglePage | JsonLink | HeaderLink | HeaderCursor | Cursor | Offset | PageNumber


class Bearer(_Option, frozen=True, tag="bearer"):
    """``Authorization: Bearer TOKEN``."""

    token: Text


class ApiKey(_Option, frozen=True, tag="api_key"):
    """A key in a header or in the query."""

    api_key: Text
    name: Text = "Authorization"
    location: Literal["header", "query"] = "header"


class HttpBasic(_Option, frozen=True, tag="http_basic"):
    """A name and a password."""

    username: Text
    password: Text


class OAuth2ClientCredentials(_Option, frozen=True, tag="oauth2_client_credentials"):
    """A token that another address gives for an id and a secret."""

    access_token_url: Annotated[str, Meta(pattern="^https?://[^/?#@]+")]
    client_id: Text
    client_secret: Text
    access_token_request_data: dict[str, str] = {}
    default_token_expiration: Annotated[int, Meta(ge=1)] = 3600


Auth = Bearer | ApiKey | HttpBasic | OAuth2ClientCredentials


def paginator(written: Mapping[str, Any]) -> Paginator:
    """The paginator of a setting. Raises ValueError, which says what is wrong."""
    read: Paginator = _read("paginator", written, Paginator)
    ends = getattr(read, "stop_after_empty_page", True) or getattr(read, "has_more_path", None)
    if isinstance(read, Offset | PageNumber) and not ends and read.total_path is None:
        raise ValueError("paginator: has no end: give total_path, has_more_path, or stop_after_empty_page: true")
    return read


def auth(written: Mapping[str, Any]) -> Auth:
    """The authentication of a setting. Raises ValueError, which says what is wrong, and never a secret."""
    read: Auth = _read("auth", written, Auth)
    return read


def _read(name: str, written: Mapping[str, Any], options: Any) -> Any:
    kinds = [option.__struct_config__.tag for option in options.__args__]
    if written.get("type") not in kinds:
        raise ValueError(f"{name}.type: is {written.get('type')!r:.40}; allowed: {', '.join(kinds)}")
    try:
        return msgspec.convert(dict(written), options)
    except msgspec.ValidationError as error:
        raise ValueError(f"{name}: {error}") from None
