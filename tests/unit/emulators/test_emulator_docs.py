"""The page about the emulators names everything they have, and its example runs."""

import re
from pathlib import Path

import pytest

from docferry_emulators import Knobs, Settings
from tests.unit.emulators.model_requests import RESPONSES, implemented

PAGE = (Path(__file__).parents[3] / "docs" / "emulator.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("name", [*Settings.__struct_fields__, *Knobs.__struct_fields__])
def test_every_setting_and_knob_is_documented(name: str) -> None:
    """By its name, as code."""
    assert re.search(rf"`{name}[`:]", PAGE)


@pytest.mark.parametrize("service", sorted(RESPONSES))
def test_the_operations_are_listed(service: str) -> None:
    """All of them, and none that is not there."""
    title = {
        "kendra": "Kendra: ",
        "qbusiness": "Q Business: ",
        "bedrock-agent": "Bedrock, client `bedrock-agent`: ",
        "bedrock-agent-runtime": "Bedrock, client `bedrock-agent-runtime`: ",
    }[service]
    section = PAGE.split("## Operations")[1].split(f"\n{title}")[1].split(".\n")[0]
    assert sorted(re.findall(r"\w+", section)) == sorted(implemented(service))


def test_every_rule_and_question_has_its_test() -> None:
    """By number."""
    folder = Path(__file__).parent
    for name, file, count in (
        ("rule", "test_emulator_rules.py", 23),
        ("question", "test_emulator_open_questions.py", 34),
        ("rule", "test_bedrock_rules.py", 16),
        ("question", "test_bedrock_open_questions.py", 18),
    ):
        tested = {int(number) for number in re.findall(rf"def test_{name}_(\d+)", (folder / file).read_text("utf-8"))}
        assert tested == set(range(1, count + 1))


def test_the_examples_for_tests_run() -> None:
    """As they stand on the page."""
    blocks = re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL)
    examples = [block for block in blocks if "with emulated(" in block]
    assert len(examples) == 2
    for example in examples:
        exec(compile(example, "docs/emulator.md", "exec"), {})
