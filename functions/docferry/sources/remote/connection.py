"""Connects to the file system behind a protocol: its library, its options, and the secrets among them."""

import json
from collections.abc import Mapping
from difflib import get_close_matches
from typing import Any

import fsspec

from docferry.errors import ConfigurationError, DocferryError, SourceUnavailable
from docferry.registry import Clients
from docferry.sources import secrets
from docferry.sources.remote.extras import EXTRAS
from docferry.sources.remote.filesystem import DENIALS, Filesystem, Remote, said

OTHER_KINDS = {"file": "files", "local": "files", "s3": "s3", "s3a": "s3"}
ARCHIVES = frozenset({"tar", "zip"})
REFUSALS = frozenset({"LogonFailure", "SMBAuthenticationError"})
"""What smbprotocol raises for a wrong password."""
SSH = frozenset({"sftp", "ssh"})
SSH_DEFAULTS = {
    "known_hosts": (),  # asyncssh's word for ~/.ssh/known_hosts; sshfs would take any host for the right one
    "connect_timeout": 30,
    "keepalive_interval": 15,  # three that go unanswered end a connection, which would wait for ever
}


def problem(protocol: str) -> str | None:
    """Return why a protocol cannot be used, by its name alone; None when it can."""
    if protocol in OTHER_KINDS:
        return f"source.protocol: {protocol} has a kind of its own; use kind: {OTHER_KINDS[protocol]}"
    known = sorted({*fsspec.available_protocols(), *EXTRAS} - set(OTHER_KINDS))
    if protocol in known:
        return None
    near = get_close_matches(protocol, known, n=3)
    hint = f"did you mean {' or '.join(near)}?" if near else f"there are: {', '.join(known)}"
    return f"source.protocol: fsspec knows no protocol {protocol!r}; {hint}"


def connected(protocol: str, options: Mapping[str, Any], path: str, clients: Clients) -> Filesystem:
    """Connect to the file system that the settings describe; its root is ``path``.

    Raises ConfigurationError for what a person has to mend, FileNotFoundError when what ``options`` or ``path`` name
    is not there, and SourceUnavailable. No text repeats a secret.
    """
    hidden: set[str] = set()
    given = _careful(protocol, resolved(dict(options), clients, hidden))
    if protocol in ARCHIVES:
        given = _careful_archive(given)
    kind = _class(protocol)
    try:
        return _filesystem(protocol, kind, given, path)
    except (DocferryError, FileNotFoundError):
        raise
    except Exception as error:  # noqa: BLE001  # each library has errors of its own
        meant = _meant(protocol, error)
        text = str(meant)
        for secret in sorted(hidden, key=len, reverse=True):
            text = text.replace(secret, "***")
        # A traceback would show what the text hides.
        raise type(meant)(text) from (error if text == str(meant) else None)


def _meant(protocol: str, error: Exception) -> DocferryError:
    """Say in Docferry's terms why there is no connection."""
    name = type(error).__name__
    if isinstance(error, PermissionError) or name in DENIALS or name in REFUSALS:
        return ConfigurationError(f"source.options: {protocol} refuses the login: {said(error)}")
    if isinstance(error, TypeError):  # an option that the file system does not know, or one that it needs
        return ConfigurationError(f"source.options: {protocol}: {error}")
    if name == "HostKeyNotVerifiable":
        return ConfigurationError(
            f"source.options: the server's host key is not known ({error}): put what ssh-keyscan says of it, once you "
            "have compared it, into known_hosts"
        )
    return SourceUnavailable(f"{protocol} cannot be connected to: {said(error)}")


def resolved(value: Any, clients: Clients, hidden: set[str]) -> Any:
    """Put secrets in place of the ARNs and env: references that name them, and add them to ``hidden``.

    A secret that is a JSON object becomes a mapping, one that is a PEM key becomes bytes. Raises ConfigurationError.
    """
    if isinstance(value, dict):
        return {name: resolved(inner, clients, hidden) for name, inner in value.items()}
    if isinstance(value, list | tuple):
        return [resolved(inner, clients, hidden) for inner in value]
    if not isinstance(value, str) or not _is_reference(value):
        return value
    return _typed(secrets.resolve(value, clients), hidden)


def _typed(secret: str, hidden: set[str]) -> Any:
    hidden.add(secret)
    if secret.lstrip().startswith("-----BEGIN "):
        return secret.encode()
    try:
        read = json.loads(secret)
    except ValueError:
        return secret
    if not isinstance(read, dict):
        return secret
    hidden.update(inner for inner in read.values() if isinstance(inner, str) and inner)
    return read


def _careful(protocol: str, options: dict[str, Any]) -> dict[str, Any]:
    """Add the options without which a connection is not safe; write others as their libraries want them."""
    if protocol == "git":
        return {"ref": "HEAD", **options}
    if isinstance(options.get("auth"), list):  # httpx's name and password, which YAML cannot write as a tuple
        return {**options, "auth": tuple(options["auth"])}
    if protocol not in SSH:
        return options
    options = {**SSH_DEFAULTS, **options}
    if isinstance(options["known_hosts"], str) and " " in options["known_hosts"]:
        options["known_hosts"] = options["known_hosts"].encode()  # its lines, and not the name of a file
    return options


def _careful_archive(options: dict[str, Any]) -> dict[str, Any]:
    """The same for the server that an archive lies on. Raises ConfigurationError."""
    fo = options.get("fo")
    if not isinstance(fo, str) or not fo or "::" in fo:
        raise ConfigurationError(
            "source.options.fo: names the archive: a path, or an address such as sftp://host/a.zip"
        )
    server = options.get("target_protocol") or (fo.partition("://")[0] if "://" in fo else None)
    if server is None:
        return options
    _class(server)
    target = _careful(server, options.get("target_options") or {})
    return {**options, "target_options": {**target, "skip_instance_cache": True}}


def _is_reference(value: str) -> bool:
    return value.startswith(secrets.ENVIRONMENT) or (value.startswith(secrets.ARN) and ":secretsmanager:" in value)


def _class(protocol: str) -> Any:
    """The class of a protocol. Raises ConfigurationError when its library is missing."""
    extra = EXTRAS.get(protocol)
    try:
        kind: Any = fsspec.get_filesystem_class(protocol)
    except (ImportError, ValueError) as error:
        raise ConfigurationError(_missing(protocol, extra, str(error))) from error
    if protocol in SSH and not kind.__module__.startswith("sshfs"):  # fsspec's own takes any host for the right one
        raise ConfigurationError(_missing(protocol, extra, "sshfs"))
    return kind


def _missing(protocol: str, extra: str | None, library: str) -> str:
    cure = f"pip install 'docferry[{extra}]'" if extra else "install it beside docferry"
    return f"source.protocol: {protocol} needs a library that is not here ({library}): {cure}"


def _filesystem(protocol: str, kind: Any, options: dict[str, Any], path: str) -> Filesystem:
    options = {**options, "skip_instance_cache": True}
    if protocol == "zip":
        from docferry.sources.remote.archive import Zip  # noqa: PLC0415  # each protocol imports its own

        return Zip(kind(**options), path)
    if protocol == "tar":
        from docferry.sources.remote.archive import Tar, unpacked  # noqa: PLC0415  # same

        file = unpacked(options)
        return Tar(kind(fo=file) if file else kind(**options), path, file)
    if protocol == "git":
        from docferry.sources.remote.git import Git  # noqa: PLC0415  # same

        return Git(kind(**options), path)
    # Github's listings are needed again on the way down, and every one costs a call of its quota. webdav4 takes what
    # comes after a # or a ? in a name for another part of a URL.
    never = "#?%" if protocol in {"dav", "webdav"} else ""
    return Remote(kind(**options), path, keeps_listings=protocol == "github", never=never)
