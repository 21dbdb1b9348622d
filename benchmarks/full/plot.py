"""Bars as SVG, by hand: a plot of a few figures needs no library. Its colours show on a light and on a dark page."""

from xml.sax.saxutils import escape

from benchmarks.full.figures import Figures

WIDTH, NAMES, VALUES, ROW, BAR = 720, 250, 90, 28, 16
BLUE, GOAL, TEXT = "#4c8dd6", "#d6804c", "#808890"


def svg(figures: Figures) -> str:
    """A horizontal bar for each figure, with its value, and a line where its goal is."""
    room = WIDTH - NAMES - VALUES
    largest = max((max(one.value, one.goal or 0) for one in figures.figures), default=0) or 1
    height = ROW * len(figures.figures) + 8
    size = f'viewBox="0 0 {WIDTH} {height}" font-size="13" font-family="system-ui, sans-serif"'
    parts = [f'<svg xmlns="http://www.w3.org/2000/svg" role="img" {size}><title>{escape(figures.title)}</title>']
    for number, one in enumerate(figures.figures):
        top = number * ROW + 4
        middle = top + BAR / 2 + 5
        length = max(1.0, room * one.value / largest)
        parts.append(f'<text x="{NAMES - 8}" y="{middle}" text-anchor="end" fill="{TEXT}">{escape(one.name)}</text>')
        parts.append(f'<rect x="{NAMES}" y="{top}" width="{length:.1f}" height="{BAR}" rx="2" fill="{BLUE}"/>')
        parts.append(
            f'<text x="{NAMES + length + 6:.1f}" y="{middle}" fill="{TEXT}">{one.value:,.{figures.digits}f}</text>'
        )
        if one.goal is not None:
            at = NAMES + room * one.goal / largest
            parts.append(f'<path d="M{at:.1f} {top - 3}v{BAR + 6}" stroke="{GOAL}" stroke-width="2"/>')
    return "\n".join([*parts, "</svg>", ""])
