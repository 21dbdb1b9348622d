"""What a person may mean by a document: ids, places in the source, addresses."""

import os
from pathlib import Path
from urllib.parse import unquote, urlsplit

from msgspec import Struct

from docferry.connector import Connector
from docferry.model import Document


class Places(Struct, frozen=True):
    """What a text may stand for in one ``connector``, the likeliest first. ``text`` is the text itself."""

    connector: str
    text: str
    ids: tuple[str, ...]
    locators: tuple[str, ...]

    def fits(self, id_: str, locator: str, uri: object) -> bool:
        """Whether a document is meant."""
        return id_ in self.ids or locator in self.locators or uri == self.text

    def begins(self, id_: str, locator: str) -> bool:
        """Whether a document's id or place begins with what is meant."""
        return id_.startswith(self.ids) or bool(locator and self.locators and locator.startswith(self.locators))


def places(connector: Connector, text: str) -> Places:
    """What a text may stand for in a connector."""
    prefix = f"{connector.name}/"
    ids = (text, f"{prefix}{text}") if text.startswith(prefix) else (f"{prefix}{text}",)
    locators = [text, text.removeprefix(prefix), *_addressed(connector, text)]
    return Places(connector.name, text, ids, tuple(dict.fromkeys(filter(None, locators))))


def uri_of(document: Document) -> object:
    """The address of a document."""
    return document.attributes.get("_source_uri")


def _addressed(connector: Connector, text: str) -> list[str]:
    """The places that an address, or a path of this machine, leads to."""
    settings, found = connector.source.settings, []
    uri = settings.get("uri")
    if isinstance(uri, str) and text.startswith(uri):
        found.append(unquote(text[len(uri) :]))
    address = urlsplit(text) if "://" in text else None
    match connector.source.kind:
        case "files":
            path = unquote(address.path) if address and address.scheme == "file" else None if address else text
            found += _below(path, str(settings.get("path", ""))) if path else []
        case "s3" if address is not None:
            bucket, path = str(settings.get("bucket", "")), address.path.lstrip("/")
            if address.netloc == bucket or address.netloc.startswith(f"{bucket}."):
                found += [path, unquote(path)]
            elif path.startswith(f"{bucket}/"):
                found.append(unquote(path.removeprefix(f"{bucket}/")))
        case _:
            pass
    return found


def _below(path: str, root: str) -> list[str]:
    """A path of this machine as a place below the root of a folder."""
    whole = os.path.abspath(Path(path).expanduser())  # noqa: PTH100  # resolve() would follow the links of the source
    base = os.path.abspath(Path(root).expanduser())  # noqa: PTH100  # as above
    return [os.path.relpath(whole, base)] if whole.startswith(f"{base}/") else []
