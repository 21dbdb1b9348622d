"""The geometry of the charts of a run. Pure; the page draws them as SVG, in units of its view box."""

from collections.abc import Mapping, Sequence

from msgspec import Struct

from docferry.reporting.timeline import PhaseTime, Point

WIDTH = 640.0
HEIGHT = 200.0
LABEL = 110.0
ROW = 26.0


class Bar(Struct, frozen=True):
    """One bar: what it counts, how many, where its row begins, and its length."""

    name: str
    count: int
    y: float
    length: float


class Curve(Struct, frozen=True):
    """Documents over time: two SVG paths, and the ends of the axes, ``seconds`` and ``documents``."""

    line: str
    area: str
    seconds: float
    documents: int


def bars(counts: Mapping[str, int]) -> list[Bar]:
    """Return a bar for each count; none is shorter than can be seen."""
    most = max(counts.values(), default=1)
    room = WIDTH - LABEL - 90
    return [
        Bar(name, count, number * ROW, max(2.0, round(room * count / most, 1)))
        for number, (name, count) in enumerate(counts.items())
    ]


def curve(points: Sequence[Point], phases: Sequence[PhaseTime]) -> Curve | None:
    """Return the curve of what was sent, from the beginning of the sending on; None when there is nothing to draw."""
    sending = next((phase for phase in phases if phase.phase == "sending"), None)
    if sending is None or not points or not sending.seconds:
        return None
    most = points[-1].put + points[-1].deleted
    if not most:
        return None
    steps = [(0.0, HEIGHT)]
    for point in points:
        seconds = max(0.0, (point.at - sending.began).total_seconds())
        x, y = WIDTH * seconds / sending.seconds, HEIGHT * (1 - (point.put + point.deleted) / most)
        steps.append((round(min(WIDTH, x), 1), round(y, 1)))
    line = "M" + " L".join(f"{x} {y}" for x, y in steps)
    return Curve(line, f"{line} L{WIDTH} {HEIGHT} Z", sending.seconds, most)
