"""The fingerprint of the code: another one for other code, and the same one for what is not deployed."""

import shutil
from pathlib import Path

import pytest

from docferry.runtime import fingerprint as module
from docferry.runtime.assets import HANDLERS, PACKAGE


@pytest.fixture
def copy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of the handlers and the package, which a test may change."""
    skipped = shutil.ignore_patterns("__pycache__")
    shutil.copytree(HANDLERS, tmp_path / "functions", ignore=skipped)
    monkeypatch.setattr(module, "HANDLERS", tmp_path / "functions")
    monkeypatch.setattr(module, "PACKAGE", tmp_path / "functions" / PACKAGE.name)
    return tmp_path / "functions"


def changed(copy: Path, name: str) -> bool:
    """Whether a change of a file changes the fingerprint."""
    before = module.fingerprint()
    with (copy / name).open("a", encoding="utf-8") as file:
        file.write("\n# changed\n")
    return module.fingerprint() != before


def test_a_copy_has_the_same_one(copy: Path) -> None:
    """It does not matter where the code is."""
    assert copy.is_dir()
    here = module.fingerprint()
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(module, "HANDLERS", HANDLERS)
        patched.setattr(module, "PACKAGE", PACKAGE)
        assert module.fingerprint() == here


@pytest.mark.parametrize("name", ["crawl.py", "requirements.txt", "docferry/model.py", "docferry/sources/s3.py"])
def test_what_a_function_runs_counts(copy: Path, name: str) -> None:
    """Handlers, libraries and the package."""
    assert changed(copy, name)


def test_what_is_not_deployed_does_not_count(copy: Path) -> None:
    """Reading connectors.yaml is the work of the command."""
    assert not changed(copy, "docferry/config/connectors.py")
