"""One connector as connectors.yaml describes it, in the form that travels to its functions."""

import re
from collections.abc import Mapping
from typing import Annotated, Any, Literal

from msgspec import Meta, Struct, field

from docferry.errors import ConfigurationError

Policy = Literal["required", "public"]
"""``required``: a document without access control is skipped. ``public``: it is sent, whatever it was before."""


class DeleteGuard(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How many deletes are withheld until a person approves: more than ``documents`` and more than ``percent``."""

    documents: Annotated[int, Meta(ge=0)] = 10
    percent: Annotated[int, Meta(ge=0, le=100)] = 10


class Groups(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Where the members of groups are listed: in a file, which may be on S3, or in the source itself."""

    file: (
        Annotated[
            str,
            Meta(
                pattern=r"^(s3://[^/]+/.+|(?!s3://).+)\.(csv|jsonl)$",
                description="the path of a .csv or .jsonl file, or s3://BUCKET/KEY",
            ),
        ]
        | None
    ) = None
    source: bool = False

    def __post_init__(self) -> None:
        """Take one of the two. Raises ValueError."""
        if (self.file is not None) == self.source:
            raise ValueError("give file, or source: true, and not both")


class Part(Struct, frozen=True):
    """The source or the index of a connector: its kind, and the settings of that kind as they were written."""

    kind: str
    settings: dict[str, Any] = field(default_factory=dict)


class Connector(Struct, frozen=True):
    """One source, one index. Encodes to JSON, so that it fits into an environment variable."""

    name: str
    source: Part
    index: Part
    deletes: DeleteGuard = DeleteGuard()
    access: Policy | None = None
    groups: Groups | None = None


def pick(connectors: Mapping[str, Connector], name: str) -> Connector:
    """Return the connector of a name. Raises ConfigurationError, which names those there are."""
    if name not in connectors:
        raise ConfigurationError(f"there is no connector {name!r}; there are: {', '.join(sorted(connectors))}")
    return connectors[name]


def slug(text: str) -> str:
    """A text as the name of a connector can be written: lower-case letters, digits, hyphens. May be empty."""
    return re.sub(r"[^a-z0-9]+", "-", text.lower()).strip("-")


def stack_name(connector: str) -> str:
    """The name of a connector's CloudFormation stack."""
    return f"docferry-{connector}"
