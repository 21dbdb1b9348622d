"""docs/messages.md shows an event that is one, and names each that there is."""

import json
import re
from pathlib import Path
from typing import Any, get_args

from msgspec import json as msgspec_json

from docferry.messages.message import DETAIL_TYPES, Message, What
from docferry.state.runs import Counts
from tests.messages import EVENT, SCHEMA

DOCS = Path(__file__).parents[2] / "docs"
PAGE = (DOCS / "messages.md").read_text(encoding="utf-8")
DETAIL: dict[str, Any] = SCHEMA["$defs"]["detail"]


def test_the_example_is_an_event() -> None:
    """By the schema, and as the functions would read it."""
    (event,) = (
        read for read in map(json.loads, re.findall(r"```json\n(.*?)```", PAGE, re.DOTALL)) if "resources" in read
    )

    EVENT.validate(event)
    msgspec_json.decode(json.dumps(event["detail"]), type=Message)


def test_every_message_is_in_the_table_and_in_the_schema() -> None:
    """With the detail type of its event."""
    assert list(DETAIL_TYPES) == list(get_args(What)) == SCHEMA["$defs"]["what"]["enum"]
    assert list(DETAIL_TYPES.values()) == SCHEMA["properties"]["detail-type"]["enum"]
    for what, detail_type in DETAIL_TYPES.items():
        assert f"| `{what}` | `{detail_type}` |" in PAGE


def test_the_schema_has_the_members_of_a_message() -> None:
    """All of them, and each is always there."""
    members = set(Message.__struct_fields__)

    assert members == set(DETAIL["properties"]) == set(DETAIL["required"])
    assert set(DETAIL["properties"]["counts"]["required"]) == {*Counts.__struct_fields__, "withheld_groups"}
