"""Writes a page from its template, within the frame and the style that all pages have.

The page's policy allows the one style and the scripts that it has, by their digests, and no request. So even markup
that got into the page could not run. Jinja escapes each text, and what a reader would not see is spelled out before.
"""

import base64
import hashlib
import re
from importlib import resources
from typing import Any

from jinja2 import DictLoader, Environment, StrictUndefined
from markupsafe import Markup

from docferry_cli.safe_text import visible

STYLE = re.compile(r"<style>(.*?)</style>", re.DOTALL)
SCRIPT = re.compile(r"<script>(.*?)</script>", re.DOTALL)


def render(template: str, **values: Any) -> str:
    """Return a page as HTML. ``template`` extends "frame"; neither its style nor a script of it depends on values."""
    frame = read(__package__, "frame.html.j2")
    environment = Environment(
        autoescape=True,
        undefined=StrictUndefined,
        finalize=_finalize,
        loader=DictLoader({"frame": frame, "page": template}),
    )
    allowed = {"style-src": _digests(STYLE, frame), "script-src": _digests(SCRIPT, template)}
    sources = "; ".join(f"{what} {digests}" for what, digests in allowed.items() if digests)
    policy = f"default-src 'none'; {sources}; base-uri 'none'; form-action 'none'"
    return environment.get_template("page").render(policy=policy, **values)


def read(package: str, name: str) -> str:
    """Return a file that a package carries."""
    return resources.files(package).joinpath(name).read_text(encoding="utf-8")


def _finalize(value: Any) -> Any:
    """Spell out what a reader would not see, in every text that is put into the page."""
    return visible(value) if isinstance(value, str) and not isinstance(value, Markup) else value


def _digests(pattern: re.Pattern[str], source: str) -> str:
    """Return the digests of the styles or scripts of a source, as a policy names them."""
    digests = (hashlib.sha256(found[1].encode()).digest() for found in pattern.finditer(source))
    return " ".join(f"'sha256-{base64.b64encode(one).decode()}'" for one in digests)
