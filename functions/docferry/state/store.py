"""The connector's state bucket: reads and writes records and streams. keys.py has their names.

What says what an index holds is kept per index data source, under ``data-sources/<kind>/<ids>/``: the same connector
with another index starts from nothing there, and finds the old state again when it is pointed back.

A stream is lines.py's format, in one object or in parts (parts.py), and goes through a temporary file in both
directions: memory does not grow with it, and a slow reader holds no connection to S3.
"""

import hashlib
from collections.abc import Iterable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, suppress
from functools import partial
from typing import IO, Any

from boto3.s3.transfer import TransferConfig
from botocore.exceptions import ClientError

from docferry.state import blocks, lines
from docferry.state.ahead import Behind, in_order
from docferry.state.keys import DATA_SOURCES
from docferry.state.objects import Object, Objects, conditional
from docferry.state.parts import PARTS_AHEAD, Part, PartWriter, read_parts
from docferry.state.stream import SPOOL_BYTES, Missing, Spool, Stream, Written, digest, download, spooled

# Most streams are one part: a pool of threads for each costs more than it gives.
TRANSFER = TransferConfig(use_threads=False)


class Store(Objects):
    """Reads and writes the state bucket.

    ``data_source`` names the index data source whose state ``held`` gives, such as ``kendra/<index id>/<id>``. Without
    one, ``held`` gives the places where the first versions of Docferry kept the state of the only one they knew.
    """

    def __init__(self, bucket: str, s3: Any, data_source: str = "") -> None:
        super().__init__(bucket, s3)
        self.data_source = data_source

    def held(self, name: str) -> str:
        """The key of something that says what the index data source holds: MANIFEST, SYNC_JOB, FAILURES, SCOPE."""
        return f"{DATA_SOURCES}{self.data_source}/{name}" if self.data_source else name

    def as_first_laid_out(self) -> "Store":
        """The same bucket, as the first versions of Docferry laid it out."""
        return Store(self.bucket, self._s3)

    @contextmanager
    def fetched(self, listed: Object) -> Iterator[IO[bytes]]:
        """A listed object as a temporary file. Raises Moved when it has changed since, or is gone."""
        with Spool() as file:
            with conditional(listed.key):
                reply = self._s3.get_object(Bucket=self.bucket, Key=listed.key, IfMatch=listed.etag)
            for block in reply["Body"].iter_chunks(SPOOL_BYTES):
                file.write(block)
            file.seek(0)
            yield file

    def writing(self, key: str, *, behind: Behind | None = None) -> AbstractContextManager[Stream]:
        """Write a stream. It appears under its key when the block ends well, whole, or not at all.

        ``behind`` writes it after the block: it is there once ``behind`` has waited for it.
        """
        return spooled(key, partial(self._send if behind is None else partial(behind.call, self._send), key))

    def part_writer(self, prefix: str, before: Iterable[Part] = (), *, behind: Behind | None = None) -> PartWriter:
        """Write a stream in parts below a prefix, after the parts ``before``. ``write_parts`` makes them one stream.

        ``behind`` writes parts while the next one is filled: they are there once it has waited for them.
        """
        return PartWriter(prefix, self._send if behind is None else partial(behind.call, self._send), before)

    def going_on(self, prefix: str, before: Sequence[Part], expected: tuple[int, int] = (0, 0)) -> PartWriter:
        """Go on with a stream that is written in parts below a prefix. ``expected`` are its lines and bytes at most.

        A short part at the end that was written there, too, is written anew: its lines come before the next ones.
        """
        short = before[-1:] if before and before[-1].short and before[-1].key.startswith(prefix) else ()
        writer = self.part_writer(prefix, before[: len(before) - len(short)])
        lines_, bytes_ = expected
        writer.expect(lines_ + sum(part.lines for part in short), bytes_ + sum(part.bytes for part in short))
        for line in self.lines_of(short):
            writer.add_line(line)
        return writer

    def rewriting(self, key: str) -> AbstractContextManager[Stream]:
        """Write a stream over the one that is there now, or where none is. Not for streams of gigabytes.

        The end of the block raises Moved when somebody has replaced it since.
        """
        etag = self.etag(key)
        condition = {"IfMatch": etag} if etag is not None else {"IfNoneMatch": "*"}

        def send(file: IO[bytes]) -> None:
            with file, conditional(key):
                self._s3.put_object(Bucket=self.bucket, Key=key, Body=file, **condition)

        return spooled(key, send)

    def write_parts(self, key: str, parts: Sequence[Part]) -> Written:
        """Write the list of the parts of a stream, which then is the stream under this key."""
        listed = lines.encode(parts)
        self.put_content(key, listed)
        return Written(key, sum(part.lines for part in parts), hashlib.sha256(listed).hexdigest())

    def parts(self, key: str, sha256: str | None = None) -> tuple[Part, ...] | None:
        """The parts of a stream; None when it is one object. Raises Missing, and ValueError for another digest."""
        with self._downloaded(key, sha256) as file:
            return read_parts(file)

    def lines(self, key: str, sha256: str | None = None, *, after: str = "") -> Iterator[bytes]:
        """The lines of a stream, or those whose id comes ``after`` another one.

        Raises Missing before the first when there is none, and ValueError when an object's digest is another.
        """
        return blocks.split(self.blocks(key, sha256, after=after))

    def blocks(self, key: str, sha256: str | None = None, *, after: str = "") -> Iterator[bytes]:
        """As ``lines``, in blocks."""
        yield from self._blocks_in(self._downloaded(key, sha256), after)

    def blocks_of_all(self, keys: Sequence[str], *, after: str = "") -> Iterator[bytes]:
        """The lines of streams that follow each other, or those whose id comes ``after`` another one, in blocks.

        The next streams are fetched ahead. Raises Missing.
        """
        for file in in_order(lambda key: self._downloaded(key, None), keys, PARTS_AHEAD):
            yield from self._blocks_in(file, after)

    def _blocks_in(self, file: IO[bytes], after: str) -> Iterator[bytes]:
        with file:
            parts = read_parts(file)
            if parts is None:
                yield from blocks.beyond(after, lines.read_blocks(file))
        if parts is not None:
            yield from self.blocks_of(parts, after=after)

    def lines_of(self, parts: Iterable[Part], *, after: str = "") -> Iterator[bytes]:
        """The lines of parts that follow each other, or those whose id comes ``after`` another one.

        Raises Missing and ValueError as ``lines`` does.
        """
        return blocks.split(self.blocks_of(parts, after=after))

    def blocks_of(self, parts: Iterable[Part], *, after: str = "") -> Iterator[bytes]:
        """As ``lines_of``, in blocks."""
        left = [part for part in parts if part.last > after]
        files = in_order(lambda part: self._downloaded(part.key, part.sha256), left, PARTS_AHEAD)
        for file in files:
            with file:
                yield from blocks.beyond(after, lines.read_blocks(file))
            after = ""

    def lines_if_any(self, key: str, *, after: str = "") -> Iterator[bytes]:
        """The lines of a stream; no line when there is none."""
        with suppress(Missing):
            yield from self.lines(key, after=after)

    def _send(self, key: str, file: IO[bytes]) -> None:
        """Write a file to a key, and close it."""
        with file:
            self._s3.upload_fileobj(file, self.bucket, key, Config=TRANSFER)

    def _downloaded(self, key: str, sha256: str | None) -> IO[bytes]:
        """An object as a temporary file, at its start. Raises Missing, and ValueError for another digest."""
        file = Spool()
        download(lambda: self._body(key), file)
        file.seek(0)
        if sha256 is not None and (found := digest(file)) != sha256:
            raise ValueError(f"{key} has the digest {found}, not {sha256}")
        file.seek(0)
        return file

    def _body(self, key: str) -> Any:
        try:
            return self._s3.get_object(Bucket=self.bucket, Key=key)["Body"]
        except ClientError as error:
            if error.response["Error"]["Code"] == "NoSuchKey":
                raise Missing(key) from error
            raise
