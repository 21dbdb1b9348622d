"""The Lambda bundle: handlers, ``docferry``, and the libraries that they need, built without Docker.

Built once, and found again by what went into it: the same input gives the same bundle and the same digest. Imports no
CDK, so that the local runtime builds its own with it.
"""

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from hashlib import sha256
from pathlib import Path

from msgspec import Struct

from docferry import sources
from docferry.errors import ConfigurationError
from docferry.runtime.assets import CHECKOUT, HANDLERS, PACKAGE
from docferry_infra import wheels
from docferry_infra.own_source import own_source, resolved
from docferry_infra.wheels import LAMBDA, Download, Target, move_into_place, pip_download, pip_resolve

LAPTOP_ONLY = ("docferry/config/", "docferry/assets/")
"""What the functions do without: they get their connector as JSON, and carry no yaml."""

# Where Lambda unpacks a bundle; tracebacks name files below it, wherever the bundle was compiled.
TASK_ROOT = "/var/task"


class Bundle(Struct, frozen=True):
    """A built bundle: its folder, the digest of all that is in it, and what it runs on.

    ``compiled`` is False when there was no interpreter of that Python here: it works, but starts slowly.
    """

    path: Path
    digest: str
    python: str
    machine: str
    compiled: bool


def bundle(
    source: str,
    target: Target = LAMBDA,
    *,
    handlers: Path = HANDLERS,
    package: Path = PACKAGE,
    build: Path | None = None,
    download: Download = pip_download,
    resolve: Download = pip_resolve,
) -> Bundle:
    """The bundle for connectors with a kind of source; built, if it is not in ``build`` yet.

    ``source`` is what bundle_name() says of a source: its kind, and for some what its settings need beyond.
    ``handlers`` and ``package`` are the folders of the handlers and of ``docferry``; ``build`` is build_folder()'s.
    A source of one's own is a kind, too; ``resolve`` downloads what it needs with all its dependencies.
    Needs the network to download wheels that are not in ``build`` either. Raises CalledProcessError, and
    ConfigurationError for a source of one's own that does not fit in.
    """
    build = build or build_folder()
    everybodys = wheels.requirements([handlers / "requirements.txt"])
    own = [pin for pin in wheels.requirements([handlers / f"requirements-{source}.txt"]) if pin not in everybodys]
    pins = everybodys + own
    interpreter = find_interpreter(target.python)
    key = sha256(repr((pins, target, interpreter and _version(interpreter))).encode())
    for rules in (Path(__file__), Path(wheels.__file__)):
        key.update(rules.read_bytes())
    extra = own_source(source)
    key.update(repr(extra.requirements).encode())
    files = _together(dict(code(handlers, package)), extra.files)
    for name, file in files.items():
        key.update(repr((name, file.read_bytes())).encode())
    folder = build / "bundles" / f"{target.python}-{target.machine}-{key.hexdigest()[:16]}"
    if not folder.exists():
        folder.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=folder.parent) as temporary:
            new = Path(temporary) / "new"
            content = new / "content"
            # Those that every kind of source needs are downloaded once.
            for needed in filter(None, (everybodys, own)):
                wheels.unpack(wheels.wheels(needed, target, build / "wheels", download), content)
            wheels.unpack(resolved(extra, pins, target, build / "wheels", resolve), content)
            for name, file in files.items():
                copy = content / name
                copy.parent.mkdir(parents=True, exist_ok=True)
                if name in extra.files and copy.exists():
                    raise ConfigurationError(f"{file} has the name of a library of the bundle: give it another name")
                copy.write_bytes(file.read_bytes())
            if interpreter:
                compile_all(content, interpreter)
            (new / "digest").write_text(digest(content), encoding="utf-8")
            move_into_place(new, folder)
    found = (folder / "digest").read_text(encoding="utf-8")
    return Bundle(folder / "content", found, target.python, target.machine, interpreter is not None)


def _together(ours: dict[str, Path], theirs: dict[str, Path]) -> dict[str, Path]:
    """All files of a bundle. Raises ConfigurationError when one would take the place of another."""
    tops = {name.partition("/")[0] for name in ours}
    if taken := [file for name, file in theirs.items() if name.partition("/")[0] in tops]:
        raise ConfigurationError(f"{taken[0]} has the name of a module of Docferry's functions: give it another name")
    return ours | theirs


def build_folder() -> Path:
    """Where bundles and downloaded wheels are: ``DOCFERRY_BUILD``, ``build`` of a checkout, or the user's cache."""
    if chosen := os.environ.get("DOCFERRY_BUILD"):
        return Path(chosen)
    if CHECKOUT:
        return CHECKOUT / "build"
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "docferry"


def code(handlers: Path, package: Path) -> Iterator[tuple[str, Path]]:
    """The files that Lambda runs, each with its path in the bundle, in a fixed order."""
    for file in sorted(handlers.glob("*.py")):
        yield file.name, file
    for file in sorted(package.rglob("*.py")):
        name = f"docferry/{file.relative_to(package).as_posix()}"
        if not name.startswith(LAPTOP_ONLY):
            yield name, file


def compile_all(folder: Path, interpreter: str) -> None:
    """Compile to bytecode that Python takes without looking at the source.

    Lambda's code folder is read-only: without this every cold start would compile botocore anew.
    """
    subprocess.run(  # noqa: S603  # found by find_interpreter
        [
            interpreter,
            *("-I", "-m", "compileall", "-q", "-f", "-j", "1", "--invalidation-mode", "unchecked-hash"),
            *("-s", str(folder), "-p", TASK_ROOT, str(folder)),
        ],
        check=True,
    )


def find_interpreter(python: str) -> str | None:
    """An interpreter of a version of Python, or None: bytecode fits one version only.

    This one, the one that ``DOCFERRY_PYTHON`` names, or the one on the path.
    """
    candidates = (sys.executable, os.environ.get("DOCFERRY_PYTHON"), shutil.which(f"python{python}"))
    return next((one for one in candidates if one and _version(one).startswith(f"{python}.")), None)


def _version(interpreter: str) -> str:
    """The whole version of an interpreter; an empty string when it does not run."""
    if interpreter == sys.executable:
        return sys.version.partition(" ")[0]
    said = subprocess.run(  # noqa: S603  # found on the path under Python's name
        [interpreter, "-I", "-c", "import sys; print(sys.version.partition(' ')[0])"],
        capture_output=True,
        text=True,
        check=False,
    )
    return said.stdout.strip() if said.returncode == 0 else ""


def digest(folder: Path) -> str:
    """The digest of every name and every byte below a folder."""
    total = sha256()
    for file in sorted(path for path in folder.rglob("*") if path.is_file()):
        total.update(f"{file.relative_to(folder).as_posix()}\0{sha256(file.read_bytes()).hexdigest()}\n".encode())
    return total.hexdigest()


def main(arguments: Sequence[str] | None = None) -> int:
    """Build the bundles of all kinds of sources, for Lambda and, with ``--here``, for this machine."""
    parser = argparse.ArgumentParser(prog="python -m docferry_infra.bundle", description=main.__doc__)
    parser.add_argument("--here", action="store_true", help="also for this machine and this Python")
    parser.add_argument("sources", nargs="*", default=sorted(sources.KINDS), metavar="SOURCE", help="kinds of sources")
    chosen = parser.parse_args(arguments)
    for target in (LAMBDA, *([wheels.here()] if chosen.here else [])):
        for built in dict.fromkeys(bundle(kind, target) for kind in chosen.sources):
            note = "" if built.compiled else f" (without bytecode: there is no Python {built.python} here)"
            print(f"{built.path} for Python {built.python} on {built.machine}{note}")  # noqa: T201  # a command
    return 0


if __name__ == "__main__":
    sys.exit(main())
