"""Which extra of docferry brings the library of a protocol. Imports no library, so that anybody may ask."""

from collections.abc import Mapping
from typing import Any

from docferry.connector import Part

EXTRAS = {
    "abfs": "azure",
    "abfss": "azure",
    "az": "azure",
    "dav": "webdav",
    "gcs": "gcs",
    "git": "git",
    "github": "github",
    "gs": "gcs",
    "sftp": "sftp",
    "smb": "smb",
    "ssh": "sftp",
    "webdav": "webdav",
}
BUILT_IN = frozenset({"ftp", "tar", "zip"})
"""What fsspec reads with Python's own library."""


def extra_of(settings: Mapping[str, Any]) -> str | None:
    """Return the extra that a source of kind fsspec needs; None for one that needs only fsspec.

    An archive may lie on a server itself.
    """
    return next((EXTRAS[one] for one in protocols(settings) if one in EXTRAS), None)


def protocols(settings: Mapping[str, Any]) -> list[str]:
    """Return the protocol of a source, and that of the file ``fo`` if it names an archive."""
    options = settings.get("options") or {}
    scheme, mark, _ = str(options.get("fo", "")).partition("://")
    named = (settings.get("protocol"), scheme if mark else None, options.get("target_protocol"))
    return [str(one) for one in named if one]


def bundle_name(source: Part) -> str:
    """Return the name of the bundle that a source needs: its kind, and the extra of its protocol."""
    extra = extra_of(source.settings) if source.kind == "fsspec" else None
    return f"{source.kind}-{extra}" if extra else source.kind
