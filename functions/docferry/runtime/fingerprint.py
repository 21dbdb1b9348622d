"""A fingerprint of the code that a stack runs, by which a command sees that another version is deployed."""

from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path

from docferry.runtime.assets import DEFINITION, HANDLERS, PACKAGE

NOT_DEPLOYED = ("assets", "config")
"""Folders of the package that are not in the Lambda bundle."""


def fingerprint() -> str:
    """Digest the handlers, the package, the pinned requirements and the workflow: 16 hexadecimal digits."""
    total = sha256()
    for name, file in _files():
        total.update(f"{name}\0{sha256(file.read_bytes()).hexdigest()}\n".encode())
    return total.hexdigest()[:16]


def _files() -> Iterator[tuple[str, Path]]:
    yield DEFINITION.name, DEFINITION
    for file in sorted([*HANDLERS.glob("*.py"), *HANDLERS.glob("requirements*.txt")]):
        yield file.name, file
    for file in sorted(PACKAGE.rglob("*.py")):
        place = file.relative_to(PACKAGE)
        if place.parts[0] not in NOT_DEPLOYED:
            yield place.as_posix(), file
