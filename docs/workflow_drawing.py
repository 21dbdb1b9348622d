"""Draws statemachine/sync.asl.json for docs/architecture.md, as a Mermaid state diagram.

Run it with ``--write`` after a change of the workflow; a test compares the two.
"""

import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[1]
DEFINITION = ROOT / "statemachine" / "sync.asl.json"
PAGE = ROOT / "docs" / "architecture.md"
BEGIN, END = "<!-- drawn by docs/workflow_drawing.py -->", "<!-- end of the drawing -->"


def drawing(definition: str) -> str:
    """The states and the transitions between them; a Map is a box with its own states inside."""
    machine = json.loads(definition)
    return "\n".join(["```mermaid", "stateDiagram-v2", *_states(machine, "    "), "```"])


def around(page: str) -> tuple[str, str]:
    """The text before the drawing and the text after it. Raises ValueError when a marker is missing."""
    before, begin, rest = page.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not begin or not end:
        raise ValueError(f"{PAGE} must have the lines {BEGIN} and {END}, in this order: put them back")
    return before, after


def _states(machine: dict[str, Any], indent: str) -> Iterator[str]:
    yield f"{indent}[*] --> {machine['StartAt']}"
    for name, state in machine["States"].items():
        if state["Type"] == "Map":
            yield f"{indent}state {name} {{"
            yield from _states(state["ItemProcessor"], indent + "    ")
            yield f"{indent}}}"
        yield from (f"{indent}{name} --> {target}" for target in _transitions(state))


def _transitions(state: dict[str, Any]) -> Iterator[str]:
    for choice in state.get("Choices", ()):
        yield f"{choice['Next']}: {_condition(choice)}"
    if "Default" in state:
        yield f"{state['Default']}: otherwise"
    if "Next" in state:
        yield state["Next"]
    for catch in state.get("Catch", ()):
        yield f"{catch['Next']}: on error"
    if state.get("End") or state["Type"] in {"Succeed", "Fail"}:
        yield "[*]"


def _condition(choice: dict[str, Any]) -> str:
    """What a choice asks: the last part of its variable, and the value it is compared with."""
    variable = choice["Variable"].rpartition(".")[2]
    (operator, value) = next((key, value) for key, value in choice.items() if key not in {"Variable", "Next"})
    compared = {"NumericGreaterThan": ">", "NumericLessThan": "<"}.get(operator, "is")
    return f"{variable} {compared} {str(value).lower() if isinstance(value, bool) else value}"


def main(arguments: list[str]) -> None:
    """Print the drawing, or write it into the page."""
    drawn = drawing(DEFINITION.read_text(encoding="utf-8"))
    if "--write" not in arguments:
        print(drawn)  # noqa: T201  # a command
        return
    before, after = around(PAGE.read_text(encoding="utf-8"))
    PAGE.write_text(f"{before}{BEGIN}\n{drawn}\n{END}{after}", encoding="utf-8")


if __name__ == "__main__":
    main(sys.argv[1:])
