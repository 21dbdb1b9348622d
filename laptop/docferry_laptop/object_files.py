"""Where an object of the emulated S3 is on disk: under its bucket's folder, by the parts of its key.

A name is that of the part, as a person would write it; what no file name can hold is percent-encoded.
"""

import os
import re
import tempfile
from contextlib import suppress
from pathlib import Path
from urllib.parse import unquote

_HARD = re.compile(r"[%\x00-\x1f\x7f]")
_EMPTY = "%00"
_GOES_ON = "%+"
_BESIDE = "%."
_LONGEST = 240
"""Bytes of a name: a file system takes 255, and some are added here."""
_PIECE = 60
"""Characters of a piece of a name that is longer: at most four bytes each."""
_WRITING = ".writing-"


def file_of(folder: Path, bucket: str, key: str) -> Path:
    """The file that an object is kept in, unless there is a folder of this name: then it is ``beside`` it."""
    return folder.joinpath(bucket, *(name for part in key.split("/") for name in _names(part)))


def key_of(folder: Path, bucket: str, file: Path) -> str:
    """The key of the object that a file keeps."""
    path = file.relative_to(folder / bucket).as_posix().removesuffix(_BESIDE).replace(f"{_GOES_ON}/", "")
    return "/".join("" if name == _EMPTY else unquote(name) for name in path.split("/"))


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


def write(folder: Path, bucket: str, key: str, value: bytes) -> None:
    """Write an object: another process sees all of it, or what was there before."""
    parent = file_of(folder, bucket, key).parent
    for above in (parent, *parent.parents):
        if above.is_file():
            above.replace(beside(above))
    parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(dir=parent, prefix=_WRITING)
    with os.fdopen(handle, "wb") as out:
        out.write(value)
    Path(name).replace(place_of(folder, bucket, key))


def remove(folder: Path, bucket: str, key: str) -> None:
    """Remove an object, if it is there."""
    with suppress(FileNotFoundError, NotADirectoryError):  # its beginning may be an object
        place_of(folder, bucket, key).unlink()


def at_its_place(folder: Path, bucket: str, file: Path) -> Path:
    """Move a file that a person has put there under another name of the same key to where the object is kept.

    The newer one of two stays. Returns where it is now.
    """
    place = place_of(folder, bucket, key_of(folder, bucket, file))
    if file == place:
        return place
    if place.is_file() and place.stat().st_mtime >= file.stat().st_mtime:
        file.unlink()
        return place
    place.parent.mkdir(parents=True, exist_ok=True)
    return file.replace(place)


def _names(part: str) -> list[str]:
    if not part.strip("."):
        return [part.replace(".", "%2E") or _EMPTY]
    whole = _name(part)
    if len(whole.encode()) <= _LONGEST:
        return [whole]
    pieces = [_name(part[at : at + _PIECE]) for at in range(0, len(part), _PIECE)]
    return [*(piece + _GOES_ON for piece in pieces[:-1]), pieces[-1]]


def _name(part: str) -> str:
    return _HARD.sub(lambda found: f"%{ord(found[0]):02X}", part)
