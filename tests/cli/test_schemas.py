"""What a program reads of a command has a schema, and every command that reads something has --json."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import typer
from jsonschema import Draft202012Validator

from docferry_cli.main import app
from docferry_cli.schemas import PRINTED, file, schema

SCHEMAS = Path(__file__).parents[2] / "docs" / "schemas" / "commands"
WITHOUT_JSON = {
    "init": "writes files",
    "deploy": "shows what the CDK CLI prints",
    "local deploy": "writes a stack",
    "emulator": "serves until Ctrl-C",
}
"""Commands that have no --json, with the reason."""


def commands() -> Iterator[tuple[str, Any]]:
    """Every command that can be called, by its words. A group that does something itself is one."""
    group: Any = typer.main.get_command(app)
    for name, command in group.commands.items():
        inner = getattr(command, "commands", {})
        if not inner or command.invoke_without_command:
            yield name, command
        yield from ((f"{name} {word}", one) for word, one in inner.items())


ALL = dict(commands())


@pytest.mark.parametrize("name", sorted(ALL))
def test_what_a_command_prints_for_programs_has_a_schema(name: str) -> None:
    """The schema in docs/schemas/commands is that of the type; `make schemas` writes it."""
    has_json = any("--json" in parameter.opts for parameter in ALL[name].params)

    assert has_json == (name in PRINTED) == (name not in WITHOUT_JSON)
    if has_json:
        written = json.loads(file(SCHEMAS, name).read_text(encoding="utf-8"))
        Draft202012Validator.check_schema(written)
        assert written == json.loads(json.dumps(schema(name))), "run `make schemas`"


def test_no_schema_is_left_over() -> None:
    """Of a command that is gone."""
    assert {one.name for one in SCHEMAS.glob("*.json")} == {file(SCHEMAS, name).name for name in PRINTED}
