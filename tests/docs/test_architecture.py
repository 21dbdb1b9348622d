"""docs/architecture.md draws what is there, and names files that are there."""

import importlib.util
import re
import tomllib
from pathlib import Path
from types import ModuleType

import pytest

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")
ROOMS = sorted(folder.parent.name for folder in (ROOT / "functions" / "docferry").glob("*/__init__.py"))
PACKAGES = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["importlinter"]["root_packages"]
PATHS = sorted(set(re.findall(r"`((?:[\w.-]+/)+[\w.-]*)`", PAGE)))


@pytest.fixture(scope="module")
def generator() -> ModuleType:
    """docs/workflow_drawing.py, which is a script and in no package."""
    spec = importlib.util.spec_from_file_location("workflow_drawing", ROOT / "docs" / "workflow_drawing.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_workflow_is_drawn_as_it_is(generator: ModuleType) -> None:
    """`python docs/workflow_drawing.py --write` draws it anew."""
    drawn = generator.drawing((ROOT / "statemachine" / "sync.asl.json").read_text(encoding="utf-8"))
    before, after = generator.around(PAGE)

    assert f"{before}{generator.BEGIN}\n{drawn}\n{generator.END}{after}" == PAGE


def test_a_page_without_a_marker_is_refused(generator: ModuleType) -> None:
    """Writing would lose the text after the drawing."""
    with pytest.raises(ValueError, match="put them back"):
        generator.around(PAGE.replace(generator.END, ""))


def test_a_map_a_choice_and_an_error_are_drawn() -> None:
    """Each of the kinds of transition that the language has."""
    assert "state ApplyBatches {" in PAGE
    assert "AnyChanges --> StartSync: changes > 0" in PAGE
    assert "Crawl --> CleanUp: on error" in PAGE
    assert "Failed --> [*]" in PAGE


@pytest.mark.parametrize("path", PATHS)
def test_every_place_that_is_named_is_there(path: str) -> None:
    """Files and folders."""
    assert (ROOT / path).exists()


@pytest.mark.parametrize("name", [*ROOMS, *PACKAGES])
def test_every_room_and_package_is_in_the_drawing(name: str) -> None:
    """A new one, too."""
    drawing = PAGE.partition("flowchart TD")[2].partition("```")[0]

    assert re.search(rf'(?:\["[^"]*|subgraph )\b{name}\b', drawing)
