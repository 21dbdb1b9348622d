"""The catalogue: every case, which is a scenario with one fault, or two, at points of its reference run."""

import random
from collections import Counter
from collections.abc import Callable, Iterator
from itertools import groupby

from msgspec import Struct

from tests.faults import kinds, late, zombies
from tests.faults.conditions import CONDITIONS
from tests.faults.kinds import DOCUMENTS, Fault
from tests.faults.late import LATE
from tests.faults.points import RETURN, Call, Point

BEFORE_EFFECTS: tuple[type[Fault], ...] = (kinds.CrashBefore, kinds.CrashBeforeAlways)
AFTER_EFFECTS: tuple[type[Fault], ...] = (kinds.CrashAfter, kinds.CrashAfterAlways, kinds.Timeout, kinds.AbortedDead)

APPLIES: tuple[tuple[type[Fault], Callable[[Call], bool]], ...] = (
    (kinds.Duplicate, lambda call: call.point.operation == RETURN),
    (kinds.LostReply, lambda call: call.effect),
    (kinds.Resent, lambda call: call.effect and call.service == "s3"),
    (kinds.Throttle, lambda call: call.service not in {"", "s3"}),
    (kinds.ThrottleAlways, lambda call: call.service not in {"", "s3"}),
    (kinds.ServerError, lambda call: call.effect or call.service not in {"", "s3"}),
    (kinds.Partial, lambda call: call.point.operation in DOCUMENTS),
    (kinds.PartialAlways, lambda call: call.point.operation in DOCUMENTS),
    (kinds.Aborted, lambda call: call.effect),
    (late.Unknown, lambda call: call.effect),
    (late.Unlisted, lambda call: call.effect),
    (late.UnlistedAndLost, lambda call: call.effect),
    (zombies.Zombie, lambda call: call.effect),
    (zombies.ZombieAmidst, lambda call: call.effect),
    (kinds.SourceChanges, lambda call: call.effect and call.point.function in {"crawl", "put_batch"}),
)
"""At which points of the reference run a kind of fault makes sense."""

SURROUNDINGS: tuple[tuple[type[Fault], str], ...] = (*CONDITIONS, *LATE)

KINDS: dict[str, type[Fault]] = {
    fault.kind: fault
    for fault in (*BEFORE_EFFECTS, *AFTER_EFFECTS, *(kind for kind, _ in APPLIES), *(kind for kind, _ in SURROUNDINGS))
}

LOST = ("StartDataSourceSyncJob", "StopDataSourceSyncJob", *DOCUMENTS)
TWO, LATE_AND_LOST = "two faults", "an answer lags, and a reply is lost"


class Case(Struct, frozen=True, order=True):
    """One thing to try: in a scenario on a service, faults of these kinds at these points."""

    service: str
    scenario: str
    faults: tuple[tuple[str, Point], ...]

    def __str__(self) -> str:
        faults = (f"{kind} @ {point}" for kind, point in self.faults)
        return f"{self.service} | {self.scenario} | {' | '.join(faults)}"

    @classmethod
    def parse(cls, text: str) -> "Case":
        """Read what ``str`` wrote."""
        service, scenario, *faults = (part.strip() for part in text.split(" | "))
        pairs = (fault.rpartition(" @ ") for fault in faults)
        return cls(service, scenario, tuple((kind, Point.parse(point)) for kind, _, point in pairs))

    @property
    def kind(self) -> str:
        """What the table counts it under."""
        if len(self.faults) == 1:
            return self.faults[0][0]
        return LATE_AND_LOST if any(self.faults[0][0] == kind.kind for kind, _ in LATE) else TWO


def singles(service: str, scenario: str, calls: list[Call]) -> Iterator[Case]:
    """Every single fault at every point of a reference run; what lags, also with each reply lost that it hides."""
    for kind, point in [*crashes(calls), *others(calls)]:
        yield Case(service, scenario, ((kind.kind, point),))
    places = {call.point for call in calls}
    for late_kind, function in LATE:
        for call in calls:
            if call.point.operation in LOST and Point(function, RETURN) in places:
                lost = (kinds.LostReply.kind, call.point)
                yield Case(service, scenario, ((late_kind.kind, Point(function, RETURN)), lost))


def crashes(calls: list[Call]) -> Iterator[tuple[type[Fault], Point]]:
    """Where processes die.

    Between two effects of an invocation nothing that anybody could see happens: dying before the second is dying after
    the first. So there is one point before the first effect of an invocation and one after each; dying after the last
    is losing the handler's return. An invocation without an effect loses its return.
    """
    for _, group in groupby(sorted(calls, key=lambda call: call.invocation), key=lambda call: call.invocation):
        invocation = list(group)
        effects = [call.point for call in invocation if call.effect]
        ends = effects or [call.point for call in invocation if call.point.operation == RETURN]
        for kind in BEFORE_EFFECTS:
            yield kind, ends[0]
        for kind in AFTER_EFFECTS:
            for point in ends:
                yield kind, point


def others(calls: list[Call]) -> Iterator[tuple[type[Fault], Point]]:
    """All other faults."""
    for kind, applies in APPLIES:
        for call in calls:
            if applies(call):
                yield kind, call.point
    for point in reads(calls):
        yield kinds.ServerError, point
    for kind, function in SURROUNDINGS:
        point = Point(function, RETURN)
        if any(call.point == point for call in calls):
            yield kind, point


def reads(calls: list[Call]) -> Iterator[Point]:
    """Where reading from S3 fails.

    Every such failure ends the invocation with the same error, so of the reads between two effects of an invocation
    the first of each operation stands for all.
    """
    seen = set()
    effects: Counter[int] = Counter()
    for call in calls:
        gap = call.invocation, effects[call.invocation], call.point.operation
        if call.effect:
            effects[call.invocation] += 1
        elif call.service == "s3" and gap not in seen:
            seen.add(gap)
            yield call.point


def pairs(cases: list[Case], seed: int, count: int) -> list[Case]:
    """Some pairs of faults of one scenario, chosen by a seed.

    At most one of the two is a zombie, for what each of them leaves is compared with what is there when it wakes.
    """
    dice = random.Random(seed)
    places = sorted({(case.service, case.scenario) for case in cases})
    chosen: list[Case] = []
    while len(chosen) < count:
        service, scenario = places[len(chosen) % len(places)]
        one, other = dice.sample(sorted(c for c in cases if (c.service, c.scenario) == (service, scenario)), 2)
        if not all(case.kind.startswith("zombie") for case in (one, other)):
            chosen.append(Case(service, scenario, one.faults + other.faults))
    return chosen


def spread(cases: list[Case], count: int) -> list[Case]:
    """So many of the cases, evenly over kinds and points."""
    ordered = sorted(cases, key=lambda case: (case.kind, case.service, case))
    if count >= len(ordered):
        return ordered
    return [ordered[number * len(ordered) // count] for number in range(count)]
