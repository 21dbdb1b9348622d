"""What a rule's target gets."""

from docferry_laptop.moto.event_delivery import transformed

EVENT = {"source": "aws.states", "detail": {"name": 'run "one"', "attempt": 2}}


def test_without_a_transformer_the_event_is_the_input() -> None:
    """As it is."""
    assert transformed(None, EVENT) == EVENT


def test_a_transformer_puts_values_in_as_json() -> None:
    """A text in quotes, whatever is in it; a number without."""
    transformer = {
        "InputPathsMap": {"run": "$.detail.name", "attempt": "$.detail.attempt"},
        "InputTemplate": '{"run": <run>, "tries": <attempt>}',
    }

    assert transformed(transformer, EVENT) == {"run": 'run "one"', "tries": 2}
