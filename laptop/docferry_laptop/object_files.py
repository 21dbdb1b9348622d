"""Where an object of the emulated S3 is on disk: under its bucket's folder, by the parts of its key.

A name is that of the part, as a person would write it; what no file name can hold is percent-encoded.
"""

import os
import re
import tempfile
import unicodedata
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from urllib.parse import unquote

_HARD = re.compile(r"[%\x00-\x1f\x7f]")
_NOT_ASCII = re.compile(r"[^\x00-\x7f]")
_EMPTY = "%00"
_GOES_ON = "%+"
_BESIDE = "%."
_LONGEST = 240
"""Bytes of a name: a file system takes 255, and some are added here."""
_PIECE = 20
"""Characters of a piece of a name that is longer: at most twelve bytes each, when they are percent-encoded."""
_WRITING = ".writing-"
_UNREADABLE = "\ufffd"


def file_of(folder: Path, bucket: str, key: str) -> Path:
    """The file that an object is kept in, unless there is a folder of this name: then it is ``beside`` it."""
    return folder.joinpath(bucket, *(name for part in key.split("/") for name in _names(part)))


def key_of(folder: Path, bucket: str, file: Path) -> str:
    """The key of the object that a file keeps."""
    parts, begun = [], ""
    for name in file.relative_to(folder / bucket).as_posix().removesuffix(_BESIDE).split("/"):
        piece = unquote(name.removesuffix(_GOES_ON))
        if name.endswith(_GOES_ON) and len(piece) == _PIECE:
            begun += piece
        else:
            parts.append("" if name == _EMPTY else begun + unquote(name))
            begun = ""
    return "/".join([*parts, begun] if begun else parts)


def place_of(folder: Path, bucket: str, key: str) -> Path:
    """Where an object is, or would be written to."""
    file = file_of(folder, bucket, key)
    return beside(file) if file.is_dir() else file


def beside(file: Path) -> Path:
    """Where an object is whose key is also the beginning of others: ``docs`` beside ``docs/index.html``."""
    return file.with_name(file.name + _BESIDE)


def is_object(file: Path) -> bool:
    """Whether a path is the file of an object, whole, and not one that is being written."""
    return file.is_file() and not file.name.startswith(_WRITING)


@contextmanager
def written(folder: Path, value: bytes) -> Iterator[Path]:
    """Write the content of an object, all of it, before it has its place. Without one at the end it is removed."""
    handle, name = tempfile.mkstemp(dir=folder, prefix=_WRITING)
    file = Path(name)
    try:
        with os.fdopen(handle, "wb") as out:
            out.write(value)
        yield file
    finally:
        file.unlink(missing_ok=True)


def put(file: Path, folder: Path, bucket: str, key: str) -> None:
    """Give a file the place of an object: another process sees all of it, or what was there before."""
    _make_room(file_of(folder, bucket, key).parent)
    file.replace(place_of(folder, bucket, key))


def remove(folder: Path, bucket: str, key: str) -> None:
    """Remove an object, if it is there."""
    with suppress(FileNotFoundError, NotADirectoryError):  # its beginning may be an object
        place_of(folder, bucket, key).unlink()


def at_its_place(folder: Path, bucket: str, file: Path) -> Path:
    """Move a file that a person has put there under another name of the same key to where the object is kept.

    The newer one of two stays. A name that cannot be read stays as it is. Returns where the file is now.
    """
    key = key_of(folder, bucket, file)
    place = place_of(folder, bucket, key)
    if _UNREADABLE in key or (place.exists() and place.samefile(file)):
        return file
    if place.is_file() and place.stat().st_mtime >= file.stat().st_mtime:
        file.unlink()
        return place
    _make_room(place.parent)
    return file.replace(place)


def _make_room(parent: Path) -> None:
    """Make a folder. An object that is in the way goes beside it."""
    for above in (parent, *parent.parents):
        if above.is_file():
            above.replace(beside(above))
    parent.mkdir(parents=True, exist_ok=True)


def _names(part: str) -> list[str]:
    whole = _name(part)
    if len(whole.encode()) <= _LONGEST:
        return [whole or _EMPTY]
    pieces = [_name(part[at : at + _PIECE]) for at in range(0, len(part), _PIECE)]
    return [*(piece + _GOES_ON for piece in pieces[:-1]), pieces[-1]]


def _name(part: str) -> str:
    """The name of a file. No two are one where a file system takes composed and decomposed letters for the same."""
    name = _HARD.sub(_quoted, part)
    if not part.strip(".") or part.startswith(_WRITING):
        name = name.replace(".", "%2E")
    return name if unicodedata.is_normalized("NFC", name) else _NOT_ASCII.sub(_quoted, name)


def _quoted(found: re.Match[str]) -> str:
    return "".join(f"%{byte:02X}" for byte in found[0].encode())
