"""Finds the connector that a command is about."""

import hashlib
from pathlib import Path

import msgspec
from msgspec import Struct

from docferry.connector import Connector, Part, pick, slug
from docferry.errors import ConfigurationError
from docferry_cli.options import IndexKind

SYNCED = "connectors.json"


class Synced(Struct, frozen=True):
    """A connector that was synced with a state folder, as it was described then, and the emulated index that it got.

    ``modules`` is the folder of a source of one's own.
    """

    connector: Connector
    index: Part
    modules: str | None = None


def to_sync(name: str | None, path: Path | None, index: IndexKind | None, config: Path) -> Connector:
    """Return the connector to sync: one of connectors.yaml, or one for a folder. Raises ConfigurationError."""
    if path is not None:
        if name is not None:
            raise ConfigurationError("give the name of a connector or --path, not both")
        return of_folder(path, index or "kendra")
    if name is None and not config.exists():
        raise ConfigurationError(f"there is no {config}: give --path DIR to sync a folder, or --config FILE")
    from docferry.config.connectors import load_connectors

    connectors = load_connectors(config)
    if name is None and len(connectors) > 1:
        raise ConfigurationError(f"say which connector: docferry sync NAME; there are: {', '.join(sorted(connectors))}")
    return of_kind(pick(connectors, name or next(iter(connectors))), index, config)


def of_kind(connector: Connector, index: IndexKind | None, config: Path) -> Connector:
    """A connector that syncs into this kind of index, if one is given. Raises ConfigurationError."""
    if index is not None and index != connector.index.kind:
        raise ConfigurationError(
            f"connector {connector.name} syncs into {connector.index.kind}, not {index}: leave --index out, "
            f"or describe another connector in {config}"
        )
    return connector


def describes(config: Path, name: str) -> bool:
    """Whether connectors.yaml is there and has a connector of this name. Raises ConfigurationError."""
    if not config.exists():
        return False
    from docferry.config.connectors import load_connectors

    return name in load_connectors(config)


def of_folder(path: Path, index: IndexKind) -> Connector:
    """Make a connector for a folder without a connectors.yaml. No other folder has its name, or its state."""
    if not path.is_dir():
        what = "is not a folder" if path.exists() else "does not exist"
        raise ConfigurationError(f"--path: {path} {what}; give the folder that holds the documents")
    folder = path.resolve()
    name = slug(folder.name)[:16] or "folder"
    digest = hashlib.sha256(str(folder).encode(errors="surrogateescape")).hexdigest()[:6]
    return Connector(f"{name}-{index}-{digest}", Part("files", {"path": str(folder)}), Part(index))


def remember(state: Path, connector: Connector, index: Part) -> None:
    """Record that a connector was synced, for the commands that ask about it later."""
    others = [one for one in synced(state) if one.connector.name != connector.name]
    from docferry.sources import own

    kind = connector.source.kind
    modules = str(own.home(kind)) if own.is_own(kind) else None
    (state / SYNCED).write_bytes(msgspec.json.encode([*others, Synced(connector, index, modules)]))


def synced(state: Path) -> list[Synced]:
    """Return the connectors that were synced with this state folder, the latest one last."""
    file = state / SYNCED
    try:
        return msgspec.json.decode(file.read_bytes(), type=list[Synced])
    except FileNotFoundError:
        return []
    except (OSError, msgspec.DecodeError) as error:
        raise ConfigurationError(
            f"{file} cannot be read ({error}): move it away, or give another folder with --state"
        ) from error


def to_ask(state: Path, name: str | None, index: IndexKind | None = None) -> Synced:
    """Return the connector to ask about: the named one, or the last one synced. Raises ConfigurationError."""
    found = _asked(state, name, index)
    if found.modules is not None:
        from docferry.sources import own

        own.beside(Path(found.modules))
    return found


def _asked(state: Path, name: str | None, index: IndexKind | None) -> Synced:
    known = synced(state)
    if not known:
        raise ConfigurationError(f"nothing was synced with {state} yet: run `docferry sync` first, or give --state DIR")
    if name is not None:
        pick({one.connector.name: one.connector for one in known}, name)
        return next(one for one in known if one.connector.name == name)
    fitting = [one for one in known if index in {None, one.index.kind}]
    if not fitting:
        raise ConfigurationError(f"nothing was synced into {index} with {state} yet: docferry sync --index {index}")
    return fitting[-1]
