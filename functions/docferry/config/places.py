"""Places in connectors.yaml, as messages spell them."""

Place = tuple[str | int, ...]
"""Where something stands in the file: ``("connectors", "handbook", "source", "include", 0)``."""


def spelled(place: Place) -> str:
    """Spell a place as ``connectors.handbook.source.include[0]``."""
    steps = "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in place)
    return steps.removeprefix(".") or "the file"
