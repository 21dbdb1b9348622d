"""Repositories that fsspec reads, each a real one: an SFTP server, a Git repository, archives."""

import asyncio
import io
import os
import stat
import subprocess
import tarfile
import threading
import zipfile
from collections.abc import Coroutine, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, ClassVar, NoReturn

import asyncssh
import fsspec
import msgspec
import pytest

from docferry.model import Content
from docferry.sources import Source
from docferry.sources.remote import source as remote
from docferry.sources.remote.source import Fsspec, FsspecSettings

URI = "https://files.example.com/docs/"
LONG_AGO = 1_600_000_000
PASSWORD = "correct horse"


class Server(asyncssh.SSHServer):
    """Lets one user in, by a password or a key."""

    key: ClassVar[asyncssh.SSHKey]
    connections: ClassVar[set[asyncssh.SSHServerConnection]] = set()

    def connection_made(self, conn: asyncssh.SSHServerConnection) -> None:
        """Remember it, to close it."""
        self.connections.add(conn)

    def begin_auth(self, username: str) -> bool:  # noqa: ARG002  # asyncssh's
        """Ask everybody for it."""
        return True

    def public_key_auth_supported(self) -> bool:
        """Keys are one way."""
        return True

    def validate_public_key(self, username: str, key: asyncssh.SSHKey) -> bool:
        """Compare."""
        return (username, key.public_data) == ("reader", self.key.public_data)

    def password_auth_supported(self) -> bool:
        """A password is another."""
        return True

    def validate_password(self, username: str, password: str) -> bool:
        """Compare."""
        return (username, password) == ("reader", PASSWORD)


class Files(asyncssh.SFTPServer):
    """Serves a folder as its root. Some folders may be closed, and the connection may be cut."""

    closed: frozenset[bytes] = frozenset()
    gone: frozenset[bytes] = frozenset()
    cut_at: bytes | None = None

    def scandir(self, path: bytes) -> Any:
        """List a folder, or refuse to."""
        if path in self.closed:
            raise asyncssh.SFTPPermissionDenied("Permission denied")
        if path in self.gone:
            raise asyncssh.SFTPNoSuchFile("No such file")
        if path == self.cut_at:
            self.channel.get_connection().abort()
        return super().scandir(path)


class Sftp(msgspec.Struct):
    """A running server: where it is, the line of known_hosts that names it, a key for it, and its root."""

    port: int
    known_hosts: str
    client_key: str
    root: Path


@contextmanager
def serving(root: Path) -> Iterator[Sftp]:
    """An SFTP server on this machine, in a thread of its own."""
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever, daemon=True)
    thread.start()
    key, Server.key = asyncssh.generate_private_key("ssh-ed25519"), asyncssh.generate_private_key("ssh-ed25519")

    async def listen() -> asyncssh.SSHAcceptor:
        return await asyncssh.listen(
            "127.0.0.1",
            0,
            server_factory=Server,
            server_host_keys=[key],
            sftp_factory=lambda channel: Files(channel, chroot=os.fsencode(root)),
        )

    def wait(coroutine: Coroutine[Any, Any, Any]) -> Any:
        return asyncio.run_coroutine_threadsafe(coroutine, loop).result(timeout=60)

    acceptor = wait(listen())
    port = acceptor.get_port()
    public = key.export_public_key("openssh").decode().strip()
    try:
        yield Sftp(port, f"[127.0.0.1]:{port} {public}\n", Server.key.export_private_key().decode(), root)
    finally:

        async def close() -> None:
            acceptor.close()
            await acceptor.wait_closed()
            for connection in list(Server.connections):
                connection.abort()
                await connection.wait_closed()

        wait(close())
        loop.call_soon_threadsafe(loop.stop)
        thread.join(60)
        loop.close()


def source_of(protocol: str, options: dict[str, Any], path: str = "", **settings: Any) -> Source:
    """Return a source of kind fsspec."""

    def no_clients(service: str) -> NoReturn:
        pytest.fail(f"no file system needs {service}")

    written = {"protocol": protocol, "options": options, "path": path, "uri": URI, **settings}
    return Fsspec(connector="demo", settings=msgspec.convert(written, FsspecSettings), clients=no_clients)


class Base:
    """What all of them do alike."""

    def __init__(self, root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.root = root
        self._monkeypatch = monkeypatch

    def read(self, content: Content) -> bytes:
        """See Repository.read."""
        assert isinstance(content, bytes)
        return content

    def uri(self, quoted: str) -> str:
        """See Repository.uri."""
        return URI + quoted

    def small_pages(self, length: int) -> None:
        """See Repository.small_pages."""
        self._monkeypatch.setattr(remote, "PAGE_LENGTH", length)


class SftpFolder(Base):
    """A folder of the server. Files are old, and each is a second younger than the one before it."""

    def __init__(self, server: Sftp, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
        super().__init__(server.root / name, monkeypatch)
        self.root.mkdir()
        self.name = name
        self._server = server
        self._puts = LONG_AGO
        monkeypatch.setenv("SFTP_PASSWORD", PASSWORD)
        monkeypatch.setenv("SFTP_KEY", server.client_key)

    def options(self) -> dict[str, Any]:
        """Return what the source is given."""
        return {
            "host": "127.0.0.1",
            "port": self._server.port,
            "username": "reader",
            "password": "env:SFTP_PASSWORD",
            "known_hosts": self._server.known_hosts,
        }

    def put(self, path: str, content: bytes = b"text") -> None:
        """See Repository.put."""
        place = self.root / path
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_bytes(content)
        self._puts += 1
        os.utime(place, (self._puts, self._puts))

    def remove(self, path: str) -> None:
        """See Repository.remove."""
        (self.root / path).unlink()

    def source(self, **settings: Any) -> Source:
        """See Repository.source."""
        options = {**self.options(), **settings.pop("options", {})}
        return source_of("sftp", options, **{"path": f"/{self.name}", **settings})


class MemoryFolder(Base):
    """A folder in memory."""

    def __init__(self, root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        super().__init__(root, monkeypatch)
        self._fs = fsspec.filesystem("memory")
        self._fs.mkdirs(str(root))

    def put(self, path: str, content: bytes = b"text") -> None:
        """See Repository.put."""
        self._fs.pipe_file(f"{self.root}/{path}", content)

    def remove(self, path: str) -> None:
        """See Repository.remove."""
        self._fs.rm_file(f"{self.root}/{path}")

    def source(self, **settings: Any) -> Source:
        """See Repository.source."""
        return source_of("memory", {}, str(self.root), **settings)


class Snapshots(Base):
    """A repository that changes as a whole: with the source, and with every change after it."""

    def __init__(self, root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        super().__init__(root, monkeypatch)
        self._is_read = False

    def put(self, path: str, content: bytes = b"text") -> None:
        """See Repository.put."""
        self.change(path, content)
        if self._is_read:
            self.finish()

    def remove(self, path: str) -> None:
        """See Repository.remove."""
        self.change(path, None)
        if self._is_read:
            self.finish()

    def source(self, **settings: Any) -> Source:
        """See Repository.source."""
        self.finish()
        self._is_read = True
        return self.made(**settings)

    def change(self, path: str, content: bytes | None) -> None:
        """Add, replace or delete what is at a path."""
        raise NotImplementedError

    def finish(self) -> None:
        """Make the changes visible."""
        raise NotImplementedError

    def made(self, **settings: Any) -> Source:
        """Return the source."""
        raise NotImplementedError


class GitRepository(Snapshots):
    """A repository that ``git`` has made."""

    def __init__(self, root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        super().__init__(root, monkeypatch)
        self.git("init", "--quiet", "--initial-branch=main")
        self.git("commit", "--quiet", "--allow-empty", "--message=first")
        self._changed = False

    def git(self, *arguments: str) -> str:
        """Run git, as nobody in particular."""
        names = ("-c", "user.name=Demo", "-c", "user.email=demo@example.com", "-c", "core.autocrlf=false")
        ended = subprocess.run(["git", "-C", self.root, *names, *arguments], check=True, capture_output=True, text=True)
        return ended.stdout.strip()

    def change(self, path: str, content: bytes | None) -> None:
        """See Snapshots."""
        place = self.root / path
        if content is None:
            place.unlink()
        else:
            place.parent.mkdir(parents=True, exist_ok=True)
            place.write_bytes(content)
        self._changed = True

    def finish(self) -> None:
        """Commit."""
        if self._changed:
            self.git("add", "--all")
            self.git("commit", "--quiet", "--allow-empty", "--message=another")
        self._changed = False

    def made(self, **settings: Any) -> Source:
        """See Snapshots."""
        return source_of("git", {"path": str(self.root)}, **settings)


class Archived(Snapshots):
    """An archive that is replaced as a whole."""

    def __init__(self, root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        super().__init__(root, monkeypatch)
        self.members: dict[str, bytes] = {}

    def change(self, path: str, content: bytes | None) -> None:
        """See Snapshots."""
        self.members.pop(path, None)
        if content is not None:
            self.members[path] = content

    def replace(self, name: str, data: bytes) -> Path:
        """Put a new archive in the place of the last one, which may be open."""
        new = self.root / "new"
        new.write_bytes(data)
        return new.replace(self.root / name)


class ZipArchive(Archived):
    """A zip archive."""

    def finish(self) -> None:
        """Write it."""
        buffer = io.BytesIO()
        with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
            for path, content in self.members.items():
                archive.writestr(zipfile.ZipInfo(path, (2026, 1, 31, 12, 0, 0)), content, zipfile.ZIP_DEFLATED)
        self.replace("docs.zip", buffer.getvalue())

    def made(self, **settings: Any) -> Source:
        """See Snapshots."""
        return source_of("zip", {"fo": str(self.root / "docs.zip")}, **settings)


class TarArchive(Archived):
    """A tar archive, packed with gzip or not; the times of its members are all the same."""

    name = "docs.tar.gz"

    def finish(self) -> None:
        """Write it."""
        buffer = io.BytesIO()
        with tarfile.open(fileobj=buffer, mode="w:gz" if self.name.endswith("gz") else "w") as archive:
            for path, content in self.members.items():
                member = tarfile.TarInfo(path)
                member.size, member.mtime, member.mode = len(content), LONG_AGO, stat.S_IRUSR
                archive.addfile(member, io.BytesIO(content))
        self.replace(self.name, buffer.getvalue())

    def made(self, **settings: Any) -> Source:
        """See Snapshots."""
        return source_of("tar", {"fo": str(self.root / self.name)}, **settings)


class PlainTar(TarArchive):
    """A tar archive that is not packed."""

    name = "docs.tar"
