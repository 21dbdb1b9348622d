"""A source of somebody's own on its way into a bundle: its modules, and what they need."""

import re
from collections.abc import Iterator, Sequence
from importlib import metadata
from modulefinder import ModuleFinder
from pathlib import Path
from subprocess import CalledProcessError
from sysconfig import get_paths

from msgspec import Struct

from docferry.errors import ConfigurationError
from docferry.sources import KINDS, own
from docferry_infra import wheels
from docferry_infra.wheels import Download, Target

ON_THIS_MACHINE = frozenset({"docferry", "aws-cdk-lib", "constructs", "cdk-nag"})
"""What requirements.txt of a project names for the CDK app, and no function needs."""


class OwnSource(Struct, frozen=True):
    """The files of a source, each by its path in the bundle, and requirements as pip reads them."""

    files: dict[str, Path] = {}
    requirements: tuple[str, ...] = ()


def named(kind: str) -> str:
    """A kind as functions find it: ``module:Class`` for one that an installed package brings."""
    return kind if kind in KINDS else own.installed().get(kind, kind)


def own_source(kind: str) -> OwnSource:
    """What a kind of source adds to a bundle: nothing for ours.

    A module beside connectors.yaml comes with the modules beside it that it imports, and with requirements.txt; one of
    an installed package with that package. Raises ConfigurationError.
    """
    kind = named(kind)
    if not own.is_own(kind):
        return OwnSource()
    home, module = own.home(kind), kind.partition(":")[0]
    if home in {Path(get_paths()[place]) for place in ("purelib", "platlib")}:
        return OwnSource(requirements=(_distribution(module.partition(".")[0]),))
    return OwnSource(dict(_files(home, module)), tuple(_requirements(home / "requirements.txt")))


def resolved(needed: OwnSource, pins: Sequence[str], target: Target, cache: Path, download: Download) -> list[Path]:
    """The wheels that a source needs beyond the pinned ones. Raises ConfigurationError when there are none."""
    if not needed.requirements:
        return []
    try:
        found = wheels.wheels([*needed.requirements, *pins], target, cache, download)
    except CalledProcessError as error:
        wanted = ", ".join(needed.requirements)
        raise ConfigurationError(
            f"pip finds no wheels of {wanted} for Python {target.python} on {target.machine}; its message is above"
        ) from error
    pinned = {_name(pin.partition("==")[0]) for pin in pins}
    return [file for file in found if _name(file.name.partition("-")[0]) not in pinned]


def _files(home: Path, module: str) -> Iterator[tuple[str, Path]]:
    """The modules beside each other that one of them imports; packages with all their files."""
    finder = ModuleFinder(path=[str(home)])
    finder.import_hook(module)
    for top in sorted({name.partition(".")[0] for name in finder.modules}):
        single, package = home / f"{top}.py", home / top
        if single.is_file():
            yield single.name, single
        for file in sorted(package.rglob("*")) if package.is_dir() else ():
            inside = file.relative_to(home)
            if file.is_file() and "__pycache__" not in inside.parts and not file.name.startswith("."):
                yield inside.as_posix(), file


def _requirements(file: Path) -> Iterator[str]:
    for line in wheels.requirements([file]):
        if _name(re.split(r"[^A-Za-z0-9._-]", line, maxsplit=1)[0]) not in ON_THIS_MACHINE:
            yield line


def _distribution(package: str) -> str:
    names = metadata.packages_distributions().get(package)
    if not names:
        raise ConfigurationError(f"{package} belongs to no installed distribution: install it with pip")
    return f"{names[0]}=={metadata.version(names[0])}"


def _name(distribution: str) -> str:
    """The name of a distribution as packaging compares it."""
    return re.sub(r"[-_.]+", "-", distribution).lower()
