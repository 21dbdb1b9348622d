"""Writes everything about a run as one page, which a browser shows without any other file and without the network.

The page's policy allows the one style and the one script that it has, by their digests, and no request. So even markup
that got into the page could not run. Jinja escapes each text, and what a reader would not see is spelled out before.
"""

import base64
import hashlib
import re
from importlib import resources
from typing import Any

from jinja2 import Environment, StrictUndefined
from markupsafe import Markup

from docferry_cli.run_report.charts import bars, curve
from docferry_cli.run_report.facts import RunReport
from docferry_cli.run_report.showing import lines, written
from docferry_cli.safe_text import visible
from docferry_cli.times import duration

ROWS = 5_000
"""How many documents of a list the page shows: a browser searches so many at once. `--json` has all."""
STYLE = re.compile(r"<style>(.*?)</style>", re.DOTALL)
SCRIPT = re.compile(r"<script>(.*?)</script>", re.DOTALL)


def page(found: RunReport) -> str:
    """Return the page of a run, as HTML."""
    source = resources.files(__package__).joinpath("page.html.j2").read_text(encoding="utf-8")
    environment = Environment(autoescape=True, undefined=StrictUndefined, finalize=_finalize)
    template = environment.from_string(source)
    policy = f"default-src 'none'; style-src {_digest(STYLE, source)}; script-src {_digest(SCRIPT, source)}"
    return template.render(
        policy=f"{policy}; base-uri 'none'; form-action 'none'",
        run=found,
        lines=list(lines(found)),
        bars=bars({name: count for name, count in found.counts.items() if count}),
        curve=curve(found.throughput, found.phases),
        lists=_lists(found),
        rows=ROWS,
        written=written,
        duration=duration,
    )


def _lists(found: RunReport) -> list[tuple[str, str, list[tuple[str, str]]]]:
    """List the documents: an id for the place in the page, a title, and each document with what is said of it."""
    return [
        ("failed", "Failed", [(one.id, one.reason) for one in found.failures]),
        ("skipped", "Skipped", [(one.id, one.reason) for one in found.skipped]),
        ("withheld", "Withheld deletes", [(one, "waits for approval, or did") for one in found.withheld]),
        ("exposed", "Lost their access control", [(one, "stays as it is indexed") for one in found.exposed]),
        ("planned", "Planned", [(one.id, ", ".join(one.why)) for one in found.planned]),
    ]


def _finalize(value: Any) -> Any:
    """Spell out what a reader would not see, in every text that is put into the page."""
    return visible(value) if isinstance(value, str) and not isinstance(value, Markup) else value


def _digest(pattern: re.Pattern[str], source: str) -> str:
    """Return the digest of the page's style or script, as a policy names it."""
    found = pattern.search(source)
    assert found is not None, "the page has one of each"
    return f"'sha256-{base64.b64encode(hashlib.sha256(found[1].encode()).digest()).decode()}'"
