"""The settings of a source of kind ``web``."""

import re
from typing import Annotated, Literal

from msgspec import Meta, Struct

from docferry.sources.describing.documents import MAX_BYTES
from docferry.sources.secrets import ARN, ENVIRONMENT
from docferry.sources.web import urls

Address = Annotated[
    str, Meta(pattern=r"^https?://[^/?#@\s]+", description="an address such as https://docs.example.com/")
]
Host = Annotated[
    str,
    Meta(
        pattern=r"^(\[[0-9a-fA-F:.]+\]|[^/?#@\s:\[\]]+)(:[0-9]+)?$",
        description="a host such as docs.example.com, with its port where it is not the usual one",
    ),
]
Glob = Annotated[
    str, Meta(min_length=1, description="a pattern of addresses, such as docs.example.com/guides/** or /guides/**")
]
_SECRET = re.compile(r"authorization|cookie|token|secret|key|password|credential", re.IGNORECASE)


class WebSettings(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The ``source`` part of a connector of kind ``web``."""

    sitemaps: tuple[Address, ...] = ()
    sitemap: Literal["auto"] | None = None
    start: tuple[Address, ...] = ()
    hosts: tuple[Host, ...] = ()
    include: tuple[Glob, ...] = ()
    exclude: tuple[Glob, ...] = ()
    max_depth: Annotated[int, Meta(ge=0, le=100)] = 5
    max_pages: Annotated[int, Meta(ge=1, le=1_000_000)] = 10_000
    max_bytes: Annotated[int, Meta(ge=1, le=MAX_BYTES)] = 10_000_000
    timeout: Annotated[float, Meta(gt=0, le=300)] = 30
    requests_per_second: Annotated[float, Meta(gt=0, le=1_000)] = 5
    user_agent: Annotated[str, Meta(pattern=r"^[!-~]([ -~]*[!-~])?$", description="printable ASCII")] = "Docferry"
    trust_lastmod: bool = False
    allow_private: bool = False
    headers: dict[str, str] = {}

    def __post_init__(self) -> None:
        """Refuse settings that do not go together. Raises ValueError."""
        if bool(self.sitemaps) == bool(self.start):
            raise ValueError("give either sitemaps, or start; with start, sitemap: auto finds the sitemaps by itself")
        if self.sitemap and not self.start:
            raise ValueError("sitemap: auto needs start, an address of each site whose robots.txt names sitemaps")
        for address in (*self.sitemaps, *self.start):
            if urls.normal(address) is None:
                raise ValueError(f"{address!r} is not an address")
        for name, value in self.headers.items():
            if not re.fullmatch(r"[A-Za-z0-9!#$%&'*+.^_`|~-]+", name) or not re.fullmatch(r"[ -~]*", value):
                raise ValueError(f"headers.{name}: is not a header: a name, and a value of printable ASCII")
            if _SECRET.search(name) and not is_reference(value):
                raise ValueError(
                    f"headers.{name}: looks like a secret in plain text; store it in Secrets Manager, and give its ARN"
                )


def is_reference(value: str) -> bool:
    """Whether the value of a header names a secret."""
    return value.startswith((ARN, ENVIRONMENT))
