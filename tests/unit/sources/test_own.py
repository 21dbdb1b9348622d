"""Sources that are not ours: found, or told what is wrong with them."""

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from docferry import sources
from docferry.errors import ConfigurationError
from docferry.sources import own

LETTERS = """
import msgspec
from docferry.sources import Records

class Letters(Records):
    class Settings(msgspec.Struct):
        count: int

class NoSource:
    pass

class BadSettings(Records):
    Settings = dict
"""


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A folder with modules, that is looked in for imports."""
    monkeypatch.syspath_prepend(tmp_path)
    before = set(sys.modules)
    (tmp_path / "their_letters.py").write_text(LETTERS)
    (tmp_path / "broken_letters.py").write_text("1 / 0")
    (tmp_path / "needy_letters.py").write_text("import no_such_library")
    yield tmp_path
    for name in set(sys.modules) - before:
        if name.endswith("_letters"):
            del sys.modules[name]


def test_a_class_beside_connectors_yaml_is_a_kind(folder: Path) -> None:
    """Its name is the kind, and its folder is known to the bundle."""
    assert sources.source_class("their_letters:Letters").__name__ == "Letters"
    assert own.home("their_letters:Letters") == folder


@pytest.mark.parametrize(
    ("kind", "said"),
    [
        ("no_letters:Letters", "there is no module no_letters; put no_letters.py beside connectors.yaml"),
        ("their_letters:Leters", "has no attribute 'Leters'"),
        ("their_letters:NoSource", "is no source, it has no Settings"),
        ("their_letters:BadSettings", "Settings is no msgspec.Struct"),
        ("broken_letters:Letters", "cannot be imported: ZeroDivisionError"),
        ("needy_letters:Letters", "needs no_such_library, which is not installed"),
        ("their letters:Letters", "is written as module:Class"),
        (":", "is written as module:Class"),
    ],
)
def test_what_is_wrong_with_one_is_told(folder: Path, kind: str, said: str) -> None:
    """With its cure."""
    del folder
    with pytest.raises(ConfigurationError, match=said):
        sources.source_class(kind)


def test_an_installed_package_gives_its_sources_names(folder: Path) -> None:
    """With an entry point; ours cannot be replaced by one."""
    (folder / "company-1.0.dist-info").mkdir()
    (folder / "company-1.0.dist-info" / "METADATA").write_text("Metadata-Version: 2.1\nName: company\nVersion: 1.0\n")
    (folder / "company-1.0.dist-info" / "entry_points.txt").write_text(
        "[docferry.sources]\nletters = their_letters:Letters\nfiles = their_letters:Letters\n"
    )

    assert sources.source_class("letters").__name__ == "Letters"
    assert sources.source_class("files").__name__ == "Files"
    assert "letters" in sources.kinds()


def test_a_kind_that_nobody_has_is_told_with_the_known_ones() -> None:
    """As for ours."""
    with pytest.raises(ConfigurationError, match="'flies' does not exist; there are: feed, files"):
        sources.source_class("flies")
