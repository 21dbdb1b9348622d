"""Phrases that are hard to read become fewer. Whoever takes one out lowers the number here."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parents[2]
PHRASES = re.compile(
    r"in the place of|that is none|\bbut for\b|\bso many\b|\bby now\b|whosever|\blest\b|of neither|\bshall\b"
    r"|\bas far as\b|\bone of (?:yours|ours|its own)\b|\bnobody\b|\bto be had\b|\bmeanwhile\b|\bwhatever\b|\bwhoever\b",
    re.IGNORECASE,
)
LIMIT = 11


def docstrings() -> Iterator[tuple[str, str]]:
    """Every docstring of the packages, with its place."""
    for package in ("functions", "emulators", "laptop", "cli", "infra"):
        for file in sorted((ROOT / package).rglob("*.py")):
            for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
                if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef) and (text := ast.get_docstring(node)):
                    yield f"{file.relative_to(ROOT)}: {getattr(node, 'name', '')}", text


def test_hard_phrases_only_become_fewer() -> None:
    """A docstring is read by somebody in a hurry, whose first language may not be English."""
    found = [place for place, text in docstrings() if PHRASES.search(text)]

    assert len(found) == LIMIT, "\n".join(found)
