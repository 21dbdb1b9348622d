"""Protocols and their libraries, options and the secrets among them."""

import importlib.metadata
import tomllib
import traceback
from pathlib import Path
from typing import Any

import fsspec
import msgspec
import pytest

from docferry.connector import Part
from docferry.errors import ConfigurationError, SourceUnavailable
from docferry.sources.remote import connection
from docferry.sources.remote.extras import BUILT_IN, EXTRAS, bundle_name
from docferry.sources.remote.source import FsspecSettings

ROOT = Path(__file__).parents[4]
ARN = "arn:aws:secretsmanager:eu-west-1:123456789012:secret:sftp-AbCdEf"


class Secrets:
    """Secrets Manager with one secret."""

    class exceptions:  # noqa: N801  # boto3's
        """What it raises."""

        ClientError = ConnectionError

    def __init__(self, secret: str) -> None:
        self.secret = secret

    def __call__(self, service: str) -> "Secrets":
        """Give the client."""
        assert service == "secretsmanager"
        return self

    def get_secret_value(self, **call: str) -> dict[str, str]:
        """Give the secret."""
        assert call == {"SecretId": ARN}
        return {"SecretString": self.secret}


def refused(protocol: str) -> str:
    """Return why the settings of a protocol are refused."""
    with pytest.raises(msgspec.ValidationError) as raised:
        msgspec.convert({"protocol": protocol}, FsspecSettings)
    return str(raised.value)


def test_an_unknown_protocol_is_told_with_its_neighbours() -> None:
    """Before anything is connected to."""
    assert "knows no protocol 'stfp'; did you mean sftp" in refused("stfp")
    assert "knows no protocol 'qqqqqq'; there are: " in refused("qqqqqq")


@pytest.mark.parametrize(("protocol", "kind"), [("file", "files"), ("local", "files"), ("s3", "s3")])
def test_what_has_a_kind_of_its_own_uses_it(protocol: str, kind: str) -> None:
    """It knows more: notes, content that stays on S3."""
    assert f"use kind: {kind}" in refused(protocol)


@pytest.mark.parametrize(("protocol", "extra"), [*EXTRAS.items(), ("ftp", None)])
def test_a_missing_library_is_told_with_what_to_install(
    protocol: str, extra: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By the name of the extra."""

    def missing(protocol: str) -> Any:
        raise ImportError(f"Install a library for {protocol}")

    monkeypatch.setattr(fsspec, "get_filesystem_class", missing)
    with pytest.raises(ConfigurationError) as raised:
        connection.connected(protocol, {}, "", Secrets(""))
    assert f"source.protocol: {protocol} needs a library that is not here" in str(raised.value)
    assert (f"pip install 'docferry[{extra}]'" in str(raised.value)) == (extra is not None)


def test_sftp_is_not_left_to_a_library_that_checks_no_host(monkeypatch: pytest.MonkeyPatch) -> None:
    """Fsspec's own falls back to paramiko, which accepts any key."""

    class Other:
        __module__ = "fsspec.implementations.sftp"

    monkeypatch.setattr(fsspec, "get_filesystem_class", lambda _: Other)
    with pytest.raises(ConfigurationError, match=r"docferry\[sftp\]"):
        connection.connected("sftp", {"host": "x"}, "", Secrets(""))


def test_secrets_take_the_place_of_what_names_them(monkeypatch: pytest.MonkeyPatch) -> None:
    """However deep; a JSON object as a mapping, a key as bytes, everything else as it is."""
    monkeypatch.setenv("NAME", "value")
    written = {"a": ARN, "b": [{"c": "env:NAME"}], "d": 1, "e": "arn:aws:s3:::bucket", "f": None}
    hidden: set[str] = set()
    found = connection.resolved(written, Secrets("text"), hidden)
    assert found == {"a": "text", "b": [{"c": "value"}], "d": 1, "e": "arn:aws:s3:::bucket", "f": None}
    assert hidden == {"text", "value"}
    assert connection.resolved(ARN, Secrets('{"type": "service_account"}'), hidden) == {"type": "service_account"}
    assert connection.resolved(ARN, Secrets("12345"), hidden) == "12345"
    assert connection.resolved(ARN, Secrets("-----BEGIN KEY-----\n"), hidden) == b"-----BEGIN KEY-----\n"


@pytest.mark.parametrize("error", [TypeError, ValueError, PermissionError])
def test_no_message_repeats_a_secret(error: type[Exception], monkeypatch: pytest.MonkeyPatch) -> None:
    """Libraries do, when an option is wrong; nor does the traceback show it."""

    def failing(**options: Any) -> Any:
        raise error(f"wrong option: {options}")

    monkeypatch.setattr(fsspec, "get_filesystem_class", lambda _: failing)
    monkeypatch.setenv("PASSWORD", "correct horse")
    with pytest.raises((ConfigurationError, SourceUnavailable)) as raised:
        connection.connected("webdav", {"auth": ["reader", "env:PASSWORD"]}, "", Secrets(""))
    assert "('reader', '***')" in str(raised.value)
    assert "horse" not in "".join(traceback.format_exception(raised.value))


def test_a_message_without_secrets_keeps_its_cause(monkeypatch: pytest.MonkeyPatch) -> None:
    """Who reads the log wants to see where it came from."""

    def failing(**_: Any) -> Any:
        raise ValueError("no such server")

    monkeypatch.setattr(fsspec, "get_filesystem_class", lambda _: failing)
    with pytest.raises(SourceUnavailable, match="no such server") as raised:
        connection.connected("webdav", {}, "", Secrets(""))
    assert isinstance(raised.value.__cause__, ValueError)


def test_every_extra_is_pinned_for_the_bundle() -> None:
    """With what requirements.txt and the extra of pyproject.toml say, and at one version each."""
    extras = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["optional-dependencies"]
    laptop = pins(ROOT / "requirements-dev.txt")
    for extra in {*EXTRAS.values(), "fsspec"}:
        name = "fsspec" if extra == "fsspec" else f"fsspec-{extra}"
        bundle = pins(ROOT / "functions" / f"requirements-{name}.txt")
        assert {one.partition("[")[0] for one in extras[extra]} <= set(bundle)
        assert not {name for name in bundle if laptop.get(name, bundle[name]) != bundle[name]}


def pins(file: Path) -> dict[str, str]:
    """The versions in a file of requirements."""
    lines = [line.partition(";")[0].partition("#")[0].strip() for line in file.read_text().splitlines()]
    return {name: version for name, _, version in (line.partition("==") for line in lines) if name}


def test_the_bundle_is_named_after_what_a_source_needs() -> None:
    """An archive needs what reaches it."""
    assert bundle_name(Part("files", {"path": "x"})) == "files"
    assert bundle_name(Part("fsspec", {"protocol": "ftp"})) == "fsspec"
    assert bundle_name(Part("fsspec", {"protocol": "ssh"})) == "fsspec-sftp"
    assert bundle_name(Part("fsspec", {"protocol": "zip", "options": {"fo": "/a.zip"}})) == "fsspec"
    assert bundle_name(Part("fsspec", {"protocol": "zip", "options": {"fo": "sftp://h/a.zip"}})) == "fsspec-sftp"
    other = {"protocol": "tar", "options": {"fo": "a.tar", "target_protocol": "webdav"}}
    assert bundle_name(Part("fsspec", other)) == "fsspec-webdav"


def test_the_protocols_are_fsspecs() -> None:
    """A name that fsspec drops would be offered for nothing."""
    registered = {entry.name for entry in importlib.metadata.entry_points(group="fsspec.specs")}
    optional = {"dav"}  # webdav4's second name
    assert {*EXTRAS, *BUILT_IN} <= {*fsspec.available_protocols(), *registered, *optional, "abfss"}
