"""Two streams sorted by id, cut at the same ids, in steps whose bounds depend on their lines alone.

A process that goes on after the last id of a step gets the same steps as one that has read all. Memory holds two
windows of each stream.
"""

from collections.abc import Iterable, Iterator

from msgspec import Struct

from docferry.state import blocks, lines
from docferry.state.blocks import END

STEP_LINES = 50_000
"""Lines of one stream, or of the other, in a step. At 10 to 30 µs each they are a few seconds of work; lines of 100 KB,
with long lists of access control, some 100 s."""
WINDOW_BYTES = 64_000
"""Bytes of a stream that are cut at a time: some 200 lines, or one that is longer."""


class Window(Struct, frozen=True):
    """The lines of both streams up to the id ``last``, with line ends between them; empty where a stream has none."""

    last: str
    left: bytes
    right: bytes


class Steps:
    """Two streams of lines, or of blocks of lines with line ends between them, in steps.

    A step ends where one of the streams has had ``size`` lines since the last step, at the end of an id. ``after`` is
    the last id of the windows that were taken.
    """

    def __init__(self, left: Iterable[bytes], right: Iterable[bytes], *, size: int | None = None) -> None:
        size = size or STEP_LINES
        self._sides = (_Side(left, size), _Side(right, size))
        self.after = ""

    @property
    def left(self) -> bool:
        """Whether there is another step. Asked between two steps."""
        for side in self._sides:
            side.begin()
        return any(side.fill() for side in self._sides)

    def step(self) -> Iterator[Window]:
        """The windows of the next step, each to be used before the next is taken."""
        for side in self._sides:
            side.begin()
        one, other = self._sides
        while one.fill() | other.fill():  # not "or": both are to be filled
            last = min(side.last for side in self._sides if side.held)
            yield Window(last, one.take(last), other.take(last))
            self.after = last
            if any(side.had_enough for side in self._sides):
                return


class _Side:
    """One of the streams. ``held`` are the lines that are to be taken next, and ``last`` is their last id.

    ``_count`` is how many lines are held, and ``_rest`` was read and is not held: it is of a later window.
    """

    def __init__(self, blocks: Iterable[bytes], size: int) -> None:
        self._blocks = iter(blocks)
        self._size = size
        self._rest = b""
        self._taken = 0
        self._count = 0
        self.held = b""
        self.last = ""

    @property
    def had_enough(self) -> bool:
        """Whether all lines that belong to the step were taken."""
        return not self.held and self._taken >= self._size

    def begin(self) -> None:
        """Begin a step: what is held for the one before may be too much for this one."""
        self._rest = _joined([self.held, self._rest])
        self.held, self._count, self._taken = b"", 0, 0

    def fill(self) -> bool:
        """Hold lines, unless some are held; never one more than the step has. False at the end of the stream."""
        if self.held:
            return True
        self._read()
        if not self._rest:
            return False
        self.held, self._rest, self._count = _split(self._rest, self._size - self._taken)
        self.last = lines.line_id(self.held[self.held.rfind(END) + 1 :])
        while self._same_id():
            more, self._rest, _ = _split(self._rest, 1)
            self.held = _joined([self.held, more])
            self._count += 1
        return True

    def take(self, last: str) -> bytes:
        """What is held up to an id."""
        taken, self.held = self.held, b""
        count, self._count = self._count, 0
        if taken and last < self.last:
            at = _beyond(taken, last)
            taken, self.held = taken[: max(at - 1, 0)], taken[at:]
            self._count = _count(self.held)
            count -= self._count
        self._taken += count
        return taken

    def _same_id(self) -> bool:
        """Whether the next line has the id of the last one that is held."""
        if not self._rest:
            self._read()
        return bool(self._rest) and lines.line_id(_first(self._rest)) == self.last

    def _read(self) -> None:
        found, size = [self._rest], len(self._rest)
        while size < WINDOW_BYTES and (block := next(self._blocks, None)) is not None:
            found.append(block)
            size += len(block)
        self._rest = _joined(found)


def split(block: bytes) -> list[bytes]:
    """The lines of a block."""
    return block.split(END) if block else []


def _joined(blocks: Iterable[bytes]) -> bytes:
    return END.join(filter(None, blocks))


def _first(block: bytes) -> bytes:
    end = block.find(END)
    return block[:end] if end >= 0 else block


def _count(block: bytes) -> int:
    return blocks.count(block) if block else 0


def _split(block: bytes, number: int) -> tuple[bytes, bytes, int]:
    """The first lines of a block, at most ``number``, the others, and how many the first ones are."""
    if (count := _count(block)) <= number:
        return block, b"", count
    found = block.split(END, number)
    return END.join(found[:number]), found[number], number


def _beyond(block: bytes, last: str) -> int:
    """Where in a block the lines begin that come after an id."""
    low, high = 0, len(block)
    while low < high:
        middle = block.rfind(END, low, (low + high) // 2) + 1 or low
        end = block.find(END, middle)
        if lines.line_id(block[middle : end if end >= 0 else None]) > last:
            high = middle
        else:
            low = end + 1 if end >= 0 else len(block)
    return low
