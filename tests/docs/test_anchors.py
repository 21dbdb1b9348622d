"""Links of the documentation lead to headings that exist."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAGES = sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/*.md"), *ROOT.glob("statemachine/*.md")])
CODE = re.compile(r"^ *```.*?^ *```", re.MULTILINE | re.DOTALL)


def anchors(page: Path) -> set[str]:
    """The anchors of a page: what GitHub makes of its headings, and those that are written out."""
    text = CODE.sub("", page.read_text(encoding="utf-8"))
    headings = (heading.lower() for heading in re.findall(r"^#+ (.*)$", text, re.MULTILINE))
    made = {re.sub(r"[^\w\- ]", "", heading).strip().replace(" ", "-") for heading in headings}
    return made | set(re.findall(r'<a id="([^"]+)">', text))


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_link_to_a_heading_leads_there(page: Path) -> None:
    """On the same page, and on others."""
    links = re.findall(r"\]\(([^)#:\s]*)#([^)\s]+)\)", CODE.sub("", page.read_text(encoding="utf-8")))
    pages = {name: (page.parent / name if name else page) for name, _ in links}

    assert [f"{name}#{anchor}" for name, anchor in links if anchor not in anchors(pages[name])] == []
