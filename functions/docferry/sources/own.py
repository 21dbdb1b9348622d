"""Sources that are not ours: a class in a module beside connectors.yaml, or in an installed package.

``kind: my_module:Letters`` names a class; a package gives its sources names with the entry point ``docferry.sources``.
"""

import sys
from importlib import import_module, metadata
from pathlib import Path
from typing import Any

from msgspec import Struct

from docferry.errors import ConfigurationError, DocferryError

GROUP = "docferry.sources"
"""The group of entry points: https://packaging.python.org/en/latest/specifications/entry-points/."""
NEEDED = ("Settings", "presentation", "abilities", "pages", "open")


def is_own(kind: str) -> bool:
    """Whether a kind is written as ``module:Class``."""
    return ":" in kind


def installed() -> dict[str, str]:
    """The kinds that installed packages bring, each with its ``module:Class``."""
    return {entry.name: entry.value for entry in metadata.entry_points(group=GROUP)}


def beside(folder: Path) -> None:
    """Let modules of a folder be imported, after all others: connectors.yaml is there."""
    place = str(folder.resolve())
    if place not in sys.path:
        sys.path.append(place)


def load(kind: str) -> Any:
    """The class of a source that is written as ``module:Class``.

    Raises ConfigurationError, which says what is wrong with it.
    """
    module, _, name = kind.partition(":")
    if not all(part.isidentifier() for part in (*module.split("."), *name.split("."))):
        raise ConfigurationError(f"{kind!r} is no kind of source: a source of your own is written as module:Class")
    try:
        found: Any = import_module(module)
        for part in name.split("."):
            found = getattr(found, part)
    except ModuleNotFoundError as error:
        raise ConfigurationError(_not_found(kind, module, error)) from error
    except AttributeError as error:
        raise ConfigurationError(f"{kind!r}: {error}; see that the class has this name") from error
    except DocferryError:
        raise
    except Exception as error:  # the module is anybody's code
        raise ConfigurationError(f"{kind!r} cannot be imported: {type(error).__name__}: {error}") from error
    if missing := [needed for needed in NEEDED if not hasattr(found, needed)]:
        raise ConfigurationError(
            f"{kind!r} is no source, it has no {', '.join(missing)}: subclass docferry.sources.Records"
        )
    if not (isinstance(found.Settings, type) and issubclass(found.Settings, Struct)):
        raise ConfigurationError(f"{kind!r}: Settings is no msgspec.Struct; write: class Settings(msgspec.Struct)")
    return found


def _not_found(kind: str, module: str, error: ModuleNotFoundError) -> str:
    if error.name is not None and (module == error.name or module.startswith(f"{error.name}.")):
        return f"{kind!r}: there is no module {error.name}; put {error.name}.py beside connectors.yaml, or install it"
    return f"{kind!r} needs {error.name}, which is not installed: install it, and name it in requirements.txt"


def home(kind: str) -> Path:
    """The folder in which the module of ``module:Class`` was found. Raises ConfigurationError."""
    load(kind)
    file = sys.modules[kind.partition(":")[0].partition(".")[0]].__file__
    if file is None:
        raise ConfigurationError(f"{kind!r} is in a folder without __init__.py; add an empty one")
    place = Path(file)
    return place.parents[1] if place.name == "__init__.py" else place.parent
