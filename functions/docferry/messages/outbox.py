"""What people have been told, and what they are still to be told (``messages.json``).

A message is written here before it is sent, in one compare-and-swap with the note that its run is done with. So a
function that dies loses no message, and a run that ends twice makes none twice. A message that was sent is taken out;
who dies in between sends it again, with the same id.
"""

from collections.abc import Callable, Iterable

from msgspec import Struct, structs

from docferry.errors import ServiceUnavailable
from docferry.messages.message import Message, What
from docferry.state.keys import MESSAGES
from docferry.state.objects import Moved
from docferry.state.store import Store

# Only the end of a run and a late clean-up of it write here at the same time.
ATTEMPTS = 20
REMEMBERED = 50
"""How many runs are known to be done with. A function is not called again for a run after so many others."""
KEPT = 100
"""How many messages wait at most. A channel that takes none for so long is broken, and an alarm has said so."""


class Open(Struct, frozen=True):
    """Something that is wrong: the last run that told of it, its number in the ledger, and the list that it named."""

    what: What
    run: str
    number: int
    digest: str = ""


class Waiting(Struct, frozen=True):
    """A message, and the channels that are to send it."""

    message: Message
    channels: tuple[str, ...]


class Memory(Struct, frozen=True, kw_only=True):
    """``messages.json``. ``runs`` are the last that are done with. ``lost`` counts messages that nothing could send."""

    open: tuple[Open, ...] = ()
    runs: tuple[str, ...] = ()
    waiting: tuple[Waiting, ...] = ()
    lost: int = 0


def read(store: Store) -> Memory:
    """What is remembered. Raises StateInvalid."""
    record = store.read(MESSAGES, Memory)
    return record.value if record else Memory()


def change(store: Store, changed: Callable[[Memory], Memory]) -> Memory:
    """Change the memory, as it is at that moment, and return it. Raises StateInvalid, ServiceUnavailable."""
    for _ in range(ATTEMPTS):
        record = store.read(MESSAGES, Memory)
        before = record.value if record else Memory()
        after = changed(before)
        if after == before:
            return before
        try:
            store.swap(MESSAGES, after, record.etag if record else None)
        except Moved:
            continue
        return after
    raise ServiceUnavailable(f"{MESSAGES} is written by too many functions at a time; try again")


def begin_anew(store: Store) -> None:
    """Forget everything. The versions of the bucket keep a record that is damaged."""
    store.write(MESSAGES, Memory())


def add(
    memory: Memory, run: str, now_open: Iterable[Open], messages: Iterable[Message], channels: Iterable[str]
) -> Memory:
    """The memory with a run that is done with, and its messages. Pure."""
    waiting = (*memory.waiting, *(Waiting(message, tuple(channels)) for message in messages))
    return structs.replace(
        memory,
        open=tuple(now_open),
        runs=(*memory.runs, run)[-REMEMBERED:],
        waiting=waiting[-KEPT:],
        lost=memory.lost + max(0, len(waiting) - KEPT),
    )


def sent(memory: Memory, done: Iterable[tuple[str, str]], told: int = 0) -> Memory:
    """The memory without what was sent: ids of messages, each with a channel. Pure.

    ``told`` of the messages that are lost have been told of.
    """
    over = frozenset(done)
    left = (
        Waiting(one.message, tuple(name for name in one.channels if (one.message.id, name) not in over))
        for one in memory.waiting
    )
    waiting = tuple(one for one in left if one.channels)
    return structs.replace(memory, waiting=waiting, lost=max(0, memory.lost - told))
