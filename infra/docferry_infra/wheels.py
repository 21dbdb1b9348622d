"""The libraries of a bundle: pinned wheels for the machine that will run them, unpacked without what is never used."""

import platform
import shutil
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Callable, Iterator, Sequence
from hashlib import sha256
from pathlib import Path, PurePosixPath

from msgspec import Struct

from docferry.indexes import KINDS, service

# Amazon Linux 2023, which the Python 3.13 runtime stands on, has glibc 2.34.
# https://docs.aws.amazon.com/lambda/latest/dg/lambda-runtimes.html
GLIBC = ("manylinux_2_34", "manylinux_2_28", "manylinux_2_17", "manylinux2014")

SERVICES = frozenset(
    {
        "s3",
        "secretsmanager",
        "stepfunctions",
        "events",
        "sns",
        *(name for kind in KINDS for name in service(kind).clients),
    }
)
"""The services whose models the functions need; botocore brings some 400."""


class Target(Struct, frozen=True):
    """What a bundle runs on: the version of Python, the machine as Lambda names it, pip's names for its platform.

    No platforms: those of this machine.
    """

    python: str
    machine: str
    platforms: tuple[str, ...] = ()


LAMBDA = Target("3.13", "arm64", tuple(f"{glibc}_aarch64" for glibc in GLIBC))

Download = Callable[[Sequence[str], Target, Path], None]
"""Puts the wheels of some pinned requirements for a target into a folder."""


def here() -> Target:
    """The target of the local runtime: the machine and the Python that this runs on."""
    machine = "arm64" if platform.machine().lower() in {"aarch64", "arm64"} else "x86_64"
    return Target(f"{sys.version_info.major}.{sys.version_info.minor}", machine)


def pip_download(requirements: Sequence[str], target: Target, folder: Path) -> None:
    """Download wheels from the package index that pip is set up for. Raises CalledProcessError, after pip's message."""
    _pip_download(["--no-deps", *requirements], target, folder)


def pip_resolve(requirements: Sequence[str], target: Target, folder: Path) -> None:
    """Download wheels, as pip_download does, and those of everything that they depend on."""
    _pip_download(requirements, target, folder)


def _pip_download(arguments: Sequence[str], target: Target, folder: Path) -> None:
    foreign = [
        *(f"--platform={name}" for name in target.platforms),
        f"--python-version={target.python}",
        "--implementation=cp",
    ]
    subprocess.run(  # noqa: S603  # the requirements are the project's own
        [
            sys.executable,
            *("-m", "pip", "download", "--quiet", "--only-binary=:all:", "--dest", str(folder)),
            *(foreign if target.platforms else ()),
            *arguments,
        ],
        check=True,
    )


def wheels(requirements: Sequence[str], target: Target, cache: Path, download: Download = pip_download) -> list[Path]:
    """The wheels of some pinned requirements, downloaded once into ``cache``."""
    name = sha256(repr((sorted(requirements), target)).encode()).hexdigest()[:16]
    folder = cache / f"{target.python}-{target.machine}-{name}"
    if not folder.exists():
        cache.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=cache) as new:
            wanted = Path(new) / "wheels"
            wanted.mkdir()
            download(requirements, target, wanted)
            move_into_place(wanted, folder)
    return sorted(folder.glob("*.whl"))


def unpack(files: Sequence[Path], folder: Path) -> None:
    """Unpack wheels into a folder as pip would install them, without what Lambda has no use for."""
    for file in files:
        with zipfile.ZipFile(file) as wheel:
            for name in sorted(wheel.namelist()):
                place = _place(PurePosixPath(name))
                if place is None or name.endswith("/"):
                    continue
                target = folder / place
                target.parent.mkdir(parents=True, exist_ok=True)
                target.write_bytes(wheel.read(name))


def move_into_place(new: Path, place: Path) -> None:
    """Move a finished folder into its place. If another process has put one there, that one stays."""
    try:
        new.rename(place)
    except OSError:
        if not place.is_dir():
            raise
        shutil.rmtree(new)


def requirements(files: Sequence[Path]) -> list[str]:
    """The lines of requirements files that are requirements."""
    return sorted({line for file in files if file.exists() for line in _pins(file)})


def _pins(file: Path) -> Iterator[str]:
    for line in file.read_text(encoding="utf-8").splitlines():
        pin = line.partition("#")[0].strip()
        if pin:
            yield pin


def _place(name: PurePosixPath) -> Path | None:
    """Where a member of a wheel goes, or None when it stays out."""
    parts = name.parts
    if ".." in parts or name.is_absolute():
        raise ValueError(f"{name} leads out of the wheel")
    if parts[0].endswith(".data"):
        if parts[1:2] not in (("purelib",), ("platlib",)):
            return None  # scripts and headers
        parts = parts[2:]
    unused = (
        (parts[0].endswith(".dist-info") and parts[-1] == "RECORD")
        or parts[-1].endswith((".pyi", ".pyc"))
        or (parts[0] == "zstandard" and "cffi" in parts[-1])  # the slower of its two backends, half of the bundle
        or parts[:2] in (("boto3", "data"), ("boto3", "examples"))  # resources, which Docferry does not use
        or (parts[:2] == ("botocore", "data") and len(parts) > 3 and parts[2] not in SERVICES)  # noqa: PLR2004  # a service's folder
    )
    return None if unused else Path(*parts)
