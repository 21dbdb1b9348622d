"""docs/architecture.md draws what is there, and names files that are there."""

import re
import runpy
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")
ROOMS = sorted(folder.parent.name for folder in (ROOT / "functions" / "docferry").glob("*/__init__.py"))


def test_the_workflow_is_drawn_as_it_is() -> None:
    """`python docs/workflow_drawing.py --write` draws it anew."""
    drawn = runpy.run_path(str(ROOT / "docs" / "workflow_drawing.py"))["drawing"]

    assert drawn((ROOT / "statemachine" / "sync.asl.json").read_text(encoding="utf-8")) in PAGE


def test_a_map_a_choice_and_an_error_are_drawn() -> None:
    """Each of the kinds of transition that the language has."""
    assert "state ApplyBatches {" in PAGE
    assert "AnyChanges --> StartSync: changes > 0" in PAGE
    assert "Crawl --> CleanUp: on error" in PAGE
    assert "Failed --> [*]" in PAGE


@pytest.mark.parametrize("path", sorted(set(re.findall(r"`((?:functions|emulators|laptop|cli|infra)/[\w/.]+)`", PAGE))))
def test_every_place_that_is_named_is_there(path: str) -> None:
    """Files and folders."""
    assert (ROOT / path).exists()


@pytest.mark.parametrize("room", ROOMS)
def test_every_room_is_in_the_drawing(room: str) -> None:
    """A new one, too."""
    assert re.search(rf'\["[^"]*\b{room}\b', PAGE)
