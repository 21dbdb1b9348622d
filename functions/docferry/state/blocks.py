"""Lines in blocks: what is equal in two streams is compared a block at a time, and not split into lines.

A block is one line, or several with a line end between them. So a stream of lines is a stream of blocks, too.
"""

from collections.abc import Iterable, Iterator

from docferry.state import lines

END = b"\n"
# What is compared first where two streams have differed: two or three lines. It grows while they are equal.
LEAST = 1_024
GROWTH = 4


def split(blocks: Iterable[bytes]) -> Iterator[bytes]:
    """The lines of blocks."""
    for block in blocks:
        yield from block.split(END)


def count(block: bytes) -> int:
    """How many lines a block has."""
    return _ends(block) + 1


def beyond(after: str, blocks: Iterable[bytes]) -> Iterator[bytes]:
    """What comes after an id in blocks that are sorted by id."""
    for block in blocks:
        if not after:
            yield block
        elif lines.line_id(block[block.rfind(END) + 1 :]) > after:
            yield END.join(line for line in block.split(END) if lines.line_id(line) > after)
            after = ""


class Cursor:
    """A place in a stream of blocks. ``line`` is the line that comes next, None at the end."""

    def __init__(self, blocks: Iterable[bytes]) -> None:
        self._blocks = iter(blocks)
        self._block = b""
        self._at = 0
        self.line: bytes | None = None
        self._move(0)

    def advance(self) -> None:
        """Go to the next line."""
        assert self.line is not None
        self._move(self._at + len(self.line) + 1)

    def _move(self, at: int) -> None:
        if at == len(self._block):
            self._block = next((block + END for block in self._blocks), b"")
            at = 0
        self._at = at
        self.line = self._block[at : self._block.find(END, at)] if self._block else None


def pass_equal(one: Cursor, other: Cursor) -> int:
    """Go past the lines that two streams both have next, and return how many there were."""
    passed, width = 0, LEAST
    while one.line is not None and other.line is not None:
        passed_now, differed = _pass_block(one, other, width)
        if passed_now:
            passed, width = passed + passed_now, width * GROWTH
        elif differed and width > LEAST:
            width = max(width // GROWTH, LEAST)
        elif one.line == other.line:
            one.advance()
            other.advance()
            passed += 1
        else:
            break
    return passed


def _pass_block(one: Cursor, other: Cursor, width: int) -> tuple[int, bool]:
    """Go past the lines in the next ``width`` bytes, if both have the same; or tell that they differ in these."""
    a, b = one._block, other._block  # noqa: SLF001  # this is what a cursor is for
    at, at_other = one._at, other._at  # noqa: SLF001
    width = min(width, len(a) - at, len(b) - at_other)
    if not a.startswith(b[at_other : at_other + width], at):
        return 0, True
    end = a.rfind(END, at, at + width) + 1
    if not end:
        return 0, False
    one._move(end)  # noqa: SLF001
    other._move(at_other + end - at)  # noqa: SLF001
    return _ends(a[at:end]), False


def _ends(block: bytes) -> int:
    """How many line ends there are. ``bytes.count`` of a single byte looks at each; ``replace`` jumps to the next."""
    return len(block) - len(block.replace(END, b""))


def align(left: Iterable[bytes], right: Iterable[bytes]) -> Iterator[tuple[bytes | None, bytes | None]]:
    """Pair the lines of two streams that have one id and are not equal. None: one of the streams has no such line.

    Both must be sorted by id. Where ``right`` has an id twice, the second line has no pair. Memory holds a block
    of each.
    """
    one, other = Cursor(left), Cursor(right)
    while True:
        pass_equal(one, other)
        if one.line is None and other.line is None:
            return
        id_ = lines.line_id(one.line) if one.line is not None else None
        other_id = lines.line_id(other.line) if other.line is not None else None
        has_left = id_ is not None and (other_id is None or id_ <= other_id)
        has_right = other_id is not None and (id_ is None or other_id <= id_)
        yield one.line if has_left else None, other.line if has_right else None
        if has_left:
            one.advance()
        if has_right:
            other.advance()
