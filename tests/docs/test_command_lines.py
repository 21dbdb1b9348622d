"""Every `docferry …` command line of the documentation exists, with its options."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import typer

from docferry_cli.main import app

ROOT = Path(__file__).parents[2]
PAGES = sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/*.md"), *ROOT.glob("statemachine/*.md")])

BLOCK = re.compile(r"^```(\w*)\n(.*?)^```", re.MULTILINE | re.DOTALL)
SPAN = re.compile(r"`(docferry [^`]+)`")
# In a block, where a command begins: at the start of a line, after a prompt, or in what a command printed.
LINE = re.compile(r"(?:^ *|[$`\"/:] ?|&& |next +|then |[A-Z_]+=\S+ )(docferry [^`\"|#\n]+)", re.MULTILINE)
OPTION = re.compile(r"(?<![\w-])--[a-z][a-z-]*")
WORD = re.compile(r"[a-z][a-z-]*")


def command_lines(page: str) -> Iterator[str]:
    """The command lines of a page: those in blocks that hold no program, and those in code spans."""
    for language, block in BLOCK.findall(page):
        if language not in {"python", "js", "yaml", "toml"}:
            yield from LINE.findall(block.replace("\\\n", " "))
    yield from SPAN.findall(BLOCK.sub("", page).replace("\n", " "))


def problem(line: str) -> str | None:
    """What is wrong with a command line: a command or an option that does not exist. None: nothing is."""
    ours, _, _ = line.partition(" -- ")
    words = ours.split()[1:]
    command: Any = typer.main.get_command(app)
    name = "docferry"
    while hasattr(command, "commands") and words and WORD.fullmatch(words[0]):
        if words[0] not in command.commands:
            return f"{name} has no command {words[0]}"
        command, name = command.commands[words[0]], f"{name} {words.pop(0)}"
    there = {option for parameter in command.params for option in (*parameter.opts, *parameter.secondary_opts)}
    there |= {"--help"}
    missing = [option for option in OPTION.findall(ours) if option not in there]
    return f"{name} has no option {', '.join(missing)}" if missing else None


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_command_line_exists(page: Path) -> None:
    """What a reader types works, and no page keeps a command that was renamed."""
    lines = command_lines(page.read_text(encoding="utf-8"))
    wrong = [f"{line}: {said}" for line in lines if (said := problem(line)) is not None]

    assert not wrong, "\n".join(wrong)


def test_the_lines_are_found() -> None:
    """In blocks, after prompts, in what commands print, and in code spans."""
    page = """`docferry sync --json` and `docferry
    plan`
```
$ docferry runs handbook --limit 3
next  docferry watch RUN
cd x && docferry history
DOCFERRY_TARGET=aws docferry status
another docferry process uses it
```
```python
from docferry import testing
```
"""
    assert [line.split()[1] for line in command_lines(page)] == ["runs", "watch", "history", "status", "sync", "plan"]


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("docferry sync handbook --target aws", None),
        ("docferry local deploy [CONNECTOR]", None),
        ("docferry deploy handbook -- --profile production", None),
        ("docferry --version", None),
        ("docferry sink handbook", "docferry has no command sink"),
        ("docferry local sync", "docferry local has no command sync"),
        ("docferry sync --deployed", "docferry sync has no option --deployed"),
    ],
)
def test_a_line_that_does_not_exist_is_named(line: str, said: str | None) -> None:
    """The command, or the option."""
    assert problem(line) == said
