"""Files that travel with Docferry: handlers, their pinned requirements, the workflow's definition, recipes, schemas.

A wheel has them beside the package, under ``docferry/assets``; a checkout where the repository keeps them.
"""

from pathlib import Path

PACKAGE = Path(__file__).parents[1]
"""The folder of ``docferry`` itself."""

_PACKAGED = PACKAGE / "assets"
_CHECKOUT = PACKAGE.parents[1]

INSTALLED = _PACKAGED.is_dir()
"""Whether this is a wheel's copy, and not a checkout."""

HANDLERS = _PACKAGED / "functions" if INSTALLED else PACKAGE.parent
"""The handlers, one a function, and ``requirements.txt`` beside them."""

DEFINITION = (_PACKAGED if INSTALLED else _CHECKOUT) / "statemachine" / "sync.asl.json"
"""The workflow, as text with ``${Placeholders}``."""

RECIPES = (_PACKAGED if INSTALLED else _CHECKOUT) / "recipes"
"""The ``source`` of a connector for well-known systems, one file each."""

SCHEMAS = _PACKAGED / "schemas" if INSTALLED else _CHECKOUT / "docs" / "schemas"
"""JSON schemas of what programs read."""

CHECKOUT = None if INSTALLED else _CHECKOUT
"""The root of the repository, or None where there is none."""
