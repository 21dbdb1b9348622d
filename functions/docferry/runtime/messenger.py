"""Tells people and programs how a run has ended, and keeps what could not be sent.

``note`` writes the messages down before the lease is free; ``deliver`` sends all that wait, also those of runs before.
A message that cannot be sent fails no run: it is logged, counted, and sent at the end of the next run.
"""

from collections.abc import Iterator

from botocore.exceptions import BotoCoreError, ClientError

from docferry.errors import DocferryError, StateInvalid
from docferry.messages import due, outbox
from docferry.messages.channels import NotSent
from docferry.messages.outbox import Memory
from docferry.messages.reasons import ABORTED
from docferry.reporting import report
from docferry.reporting.report import Report
from docferry.runtime.handling import count, logger
from docferry.runtime.wiring import Wired
from docferry.state.keys import MESSAGES
from docferry.state.runs import Run

STATE = "messages"
"""The dimension of the metric, whichever function sends."""
UNSENT = "MessagesUnsent"


def note(wired: Wired, run: Run, ended: Report) -> None:
    """Write down the messages of the end of a run. May be repeated."""
    if not wired.channels:
        return
    connector, channels = wired.settings.connector, tuple(wired.channels)
    try:
        due.note(wired.store, connector, run, ended, channels)
    except StateInvalid as error:
        _complain(wired, 1, f"{MESSAGES} is begun anew, and what waited in it is lost: {error}")
        outbox.begin_anew(wired.store)
        due.note(wired.store, connector, run, ended, channels)


def note_died(wired: Wired, run: Run) -> None:
    """Write down the messages of a run that is over without a clean-up."""
    connector = wired.settings.connector.name
    ended = report.read(wired.store, run.run)
    note(wired, run, ended or Report(run=run.run, connector=connector, status="FAILED", error=ABORTED))


def deliver(wired: Wired) -> None:
    """Send what waits. Raises nothing that would fail the run."""
    if not wired.channels:
        return
    try:
        memory = outbox.read(wired.store)
        if memory.lost:
            _complain(wired, memory.lost, f"{memory.lost:,} messages are lost: none of them could be sent for long")
        if memory.waiting or memory.lost:
            done = frozenset(_announced(wired, memory))
            outbox.change(wired.store, lambda now: outbox.sent(now, done, told=memory.lost))
    except (DocferryError, ClientError, BotoCoreError) as error:
        _complain(wired, 1, f"it cannot be noted which messages were sent; they are sent again: {error}")


def _announced(wired: Wired, memory: Memory) -> Iterator[tuple[str, str]]:
    """Send messages, the oldest first, and give those that a channel has taken. A channel that fails is left alone."""
    failed: dict[str, Exception] = {}
    for waiting in memory.waiting:
        for name in waiting.channels:
            if name not in wired.channels:
                yield waiting.message.id, name  # a topic that the connector has no more
            elif name not in failed:
                try:
                    wired.channels[name].announce(waiting.message)
                except (NotSent, ClientError, BotoCoreError) as error:
                    failed[name] = error
                else:
                    yield waiting.message.id, name
    for name, reason in failed.items():
        unsent = sum(name in waiting.channels for waiting in memory.waiting)
        _complain(wired, unsent, f"messages wait, because {name} takes none: {reason}")


def _complain(wired: Wired, messages: int, text: str) -> None:
    connector = wired.settings.connector.name
    logger(connector).warning(text)
    count(connector, STATE, {UNSENT: messages})
