"""What is there is documented: commands, options, sources, settings, functions."""

import re
from pathlib import Path

import pytest
import typer
from msgspec.structs import fields

from docferry import indexes, sources
from docferry_cli.main import app

ROOT = Path(__file__).parent.parent.parent
DOCS = ROOT / "docs"
COMMANDS = typer.main.get_command(app).commands  # type: ignore[attr-defined]  # a group has them


@pytest.mark.parametrize("name", sorted(COMMANDS))
def test_every_command_and_option_is_documented(name: str) -> None:
    """docs/commands.md has a section for the command, and names each of its options in it; the README names it."""
    text = (DOCS / "commands.md").read_text()
    section = text.partition(f"\n## `docferry {name}`\n")[2].partition("\n## ")[0]
    assert section, f"docs/commands.md has no section for docferry {name}"
    inner = getattr(COMMANDS[name], "commands", {})
    for parameter in [one for command in (COMMANDS[name], *inner.values()) for one in command.params]:
        if parameter.param_type_name == "option" and parameter.name != "help":
            option = next(option for option in parameter.opts if option.startswith("--"))
            assert f"`{option}`" in section, f"docferry {name} {option} is not documented"
    assert f"`docferry {name}`" in (ROOT / "README.md").read_text()


@pytest.mark.parametrize("name", sorted(COMMANDS))
def test_every_command_has_examples_in_its_help(name: str) -> None:
    """A reader of --help sees the command at work."""
    inner = getattr(COMMANDS[name], "commands", {})
    assert all("Examples:" in (command.help or "") for command in (COMMANDS[name], *inner.values()))


@pytest.mark.parametrize("kind", sorted(sources.KINDS))
def test_every_source_and_its_settings_are_documented(kind: str) -> None:
    """docs/sources.md names the kind and each of its settings."""
    text = (DOCS / "sources.md").read_text()
    assert f"`{kind}`" in text
    for setting in fields(sources.source_class(kind).Settings):
        assert f"`{setting.name}`" in text, f"source {kind}: {setting.name} is not documented"


@pytest.mark.parametrize("kind", sorted(indexes.KINDS))
def test_every_index_and_its_settings_are_documented(kind: str) -> None:
    """docs/connectors.md names the kind and each of its settings."""
    text = (DOCS / "connectors.md").read_text()
    assert f"`{kind}`" in text
    for setting in fields(indexes.index_class(kind).Settings):
        assert f"`{setting.name}`" in text, f"index {kind}: {setting.name} is not documented"


def pins(file: Path) -> dict[str, str]:
    """The versions that a requirements file pins, by distribution."""
    lines = (line.partition(" ;")[0].partition("==") for line in file.read_text().splitlines() if line[0] != "#")
    return {name: version for name, _, version in lines}


def test_the_bundle_has_the_versions_of_the_laptop() -> None:
    """functions/requirements*.txt pin what requirements-dev.txt pins, so Lambda runs what was tested.

    No test has the clouds and shares of some protocols, so their libraries are in none of the laptop's environments.
    """
    laptop = pins(ROOT / "requirements-dev.txt")
    for file in (ROOT / "functions").glob("requirements*.txt"):
        bundle = pins(file)
        assert {name: laptop.get(name, version) for name, version in bundle.items()} == bundle, file.name
        if not file.stem.startswith("requirements-fsspec-"):
            assert bundle.keys() <= laptop.keys(), file.name


def test_links_of_the_documentation_lead_somewhere() -> None:
    """Every relative link of a Markdown file names a file that is there."""
    for page in [*ROOT.glob("*.md"), *DOCS.glob("*.md"), *(ROOT / "statemachine").glob("*.md")]:
        for target in re.findall(r"\]\(([^)#:]+)\)", page.read_text()):
            assert (page.parent / target).exists(), f"{page.name} links to {target}"
