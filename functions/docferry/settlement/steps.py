"""The steps of a settlement: the manifest is written anew part by part, where outcomes change it.

A step takes outcomes that come after those of the step before, and that concern one part of the old manifest. Where it
ends depends on the outcomes and the parts alone, never on the time: who cuts the work between two steps, or in the
midst of one, gets the same bytes in the end.
"""

from collections.abc import Iterator, Sequence
from itertools import takewhile

from msgspec import structs

from docferry.model import Outcome
from docferry.settlement import settling
from docferry.settlement.outcomes import Left
from docferry.settlement.settling import Remaining, Settling, Unfinished
from docferry.settlement.verify import Judge
from docferry.state import lines, manifest
from docferry.state.keys import run_key
from docferry.state.parts import Part
from docferry.state.store import Store


class Steps:
    """The steps of one settlement. ``state`` is what the last one has left.

    ``name`` is that of the new manifest, ``old`` are the parts of the one before.
    """

    def __init__(
        self, store: Store, run: str, name: str, state: Settling, old: Sequence[Part], left: Left, judge: Judge
    ) -> None:
        self.state = state
        self._store = store
        self._prefix = manifest.prefix(store, name)
        self._failed_prefix = failed_prefix(run, name)
        self._old = old
        self._left = left
        self._judge = judge

    def go_on(self, key: str, remaining: Remaining) -> Settling:
        """Make one step after the other, and save each. Raises Unfinished when time runs short after one."""
        self._skip()
        while not self.state.done:
            try:
                self._step()
            except Unfinished:
                self._store.write(key, self.state)
                raise
            self._store.write(key, self.state)
            if remaining() < settling.RESERVE_MS:
                raise Unfinished
        return self.state

    def _step(self) -> None:
        state = self.state
        part, last = self._part()
        outcomes = self._left.take(last, self._judge.asks)
        ended = self._left.next_id is None or (last is not None and self._left.next_id > last)
        try:
            judged = self._judge.judge(outcomes)
        except Unfinished:
            self.state = structs.replace(state, statuses=self._judge.listed)
            raise
        state = structs.replace(
            state,
            after=outcomes[-1].id if outcomes else state.after,
            reached=self._left.reached,
            failed=self._with_failed(judged),
            statuses=self._judge.listed,
            tally=state.tally.counting(judged),
        )
        if not state.only_counts:
            changes = [outcome for outcome in judged if outcome.state != "rejected"]
            until = None if ended else state.after
            if changes or (ended and self._is_rewritten()):
                state = structs.replace(state, parts=self._with_lines(part, changes, until))
                if until is not None and part is not None and until >= part.first:
                    state = structs.replace(state, written=until)
            elif ended and part is not None:
                state = structs.replace(state, parts=(*state.parts, part))
        if ended and part is not None:
            state = structs.replace(state, parts_done=state.parts_done + 1, written="")
        self.state = state
        self._skip()

    def _part(self) -> tuple[Part | None, str | None]:
        """The next part of the old manifest, and the last id that concerns it. To the last part all others belong."""
        number = self.state.parts_done
        part = self._old[number] if number < len(self._old) else None
        return part, part.last if part is not None and number + 1 < len(self._old) else None

    def _is_rewritten(self) -> bool:
        """Whether the next part is written anew, though no outcome changes it: it has been begun, or it is joined."""
        state = self.state
        return bool(state.written) or bool(state.parts and self._is_joined(state.parts[-1]))

    def _is_joined(self, part: Part) -> bool:
        return part.short and part.key.startswith(self._prefix)

    def _skip(self) -> None:
        """Take over the next parts that no outcome concerns; see whether anything is left to do."""
        state, next_id = self.state, self._left.next_id
        parts, number = list(state.parts), state.parts_done
        while number < len(self._old) and not state.written:
            is_last = number + 1 == len(self._old)
            concerned = next_id is not None and (is_last or next_id <= self._old[number].last)
            if concerned or (parts and self._is_joined(parts[-1]) and not state.only_counts):
                break
            parts.append(self._old[number])
            number += 1
        done = next_id is None and number >= len(self._old)
        self.state = structs.replace(state, parts=tuple(parts), parts_done=number, done=done)

    def _with_lines(self, part: Part | None, changes: list[Outcome], until: str | None) -> tuple[Part, ...]:
        """The parts of the new manifest, with those lines of an old part that come next, as the changes leave them."""
        expected = _most(part, changes)
        writer = self._store.going_on(self._prefix, self.state.parts, expected)
        for line in manifest.after(self._lines(part, until), changes):
            writer.add_line(line)
        writer.end_part()
        return tuple(writer.parts)

    def _lines(self, part: Part | None, until: str | None) -> Iterator[bytes]:
        if part is None or (until is not None and until < part.first):
            return iter(())
        found = manifest.lines_of(self._store, [part], after=self.state.written)
        return found if until is None else takewhile(lambda line: lines.line_id(line) <= until, found)

    def _with_failed(self, judged: list[Outcome]) -> tuple[Part, ...]:
        failed = [outcome for outcome in judged if outcome.state != "acknowledged"]
        if not failed:
            return self.state.failed
        writer = self._store.going_on(self._failed_prefix, self.state.failed)
        for outcome in failed:
            writer.add(outcome)
        writer.end_part()
        return tuple(writer.parts)


def _most(part: Part | None, changes: list[Outcome]) -> tuple[int, int]:
    """How many lines and bytes an old part can have after some changes."""
    added = [lines.encode(outcome.document) for outcome in changes if outcome.kind == "added"]
    held = (part.lines, part.bytes) if part is not None else (0, 0)
    return held[0] + len(added), held[1] + sum(map(len, added))


def failed_prefix(run: str, name: str) -> str:
    """Where the parts of a list of failures stand."""
    return run_key(run, f"failed/{name}/")
