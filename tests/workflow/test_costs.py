"""The cost model against what runs on the emulators really use: no figure is more than a tenth off."""

from pathlib import Path

import pytest
from msgspec import structs

from benchmarks.trial import DOCUMENT_SECONDS, INDEXING_SECONDS, trial
from docferry.delivery import shards
from docferry_laptop.costs.calibration import Calibration, Seconds, load
from docferry_laptop.costs.limits import Sizes
from docferry_laptop.costs.model import usage
from docferry_laptop.costs.usage import Usage
from docferry_laptop.costs.workload import Workload

CLOSE = 0.1
SIZES = Sizes(shard_documents=50)
"""Small shards, so that few documents fill several of them."""
FIGURES = ("invocations", "s3_puts", "s3_gets", "index_calls", "transitions")
OF_FUNCTION = ("invocations", "s3_puts", "s3_gets", "index_calls")
NOT_ON_A_LAPTOP = frozenset({"trigger"})
"""Functions that no state of the workflow calls: a run of the workflow alone has none."""


@pytest.fixture(scope="module")
def emulated() -> Calibration:
    """The figures of the model, with the emulators' times for indexing instead of those of AWS."""
    figures, how = load(), "a setting of the emulators"
    whole, each = Seconds(seconds=INDEXING_SECONDS, how=how), Seconds(seconds=DOCUMENT_SECONDS, how=how)
    return structs.replace(figures, times=structs.replace(figures.times, indexing=whole, indexing_document=each))


@pytest.mark.parametrize(
    ("source", "index", "sidecars", "documents"),
    [
        ("files", "kendra", False, 220),
        ("files", "qbusiness", True, 120),
        ("s3", "kendra", True, 60),
        ("s3", "qbusiness", False, 60),
    ],
)
def test_an_estimate_is_close_to_what_a_run_uses(
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    emulated: Calibration,
    source: str,
    index: str,
    sidecars: bool,  # noqa: FBT001  # a parameter of the test
    documents: int,
) -> None:
    """A first run, one that finds nothing to do, and one with puts and deletes: each figure of each function."""
    monkeypatch.setattr(shards, "SHARD_DOCUMENTS", SIZES.shard_documents)
    with trial(tmp_path, source, index, sidecars=sidecars) as connector:
        connector.write(range(documents))
        assert_close(*connector.sync(), emulated)
        assert_close(*connector.sync(), emulated)
        connector.write(range(15))
        connector.write(range(documents, documents + 12))
        connector.remove(range(50, 55))
        work, used = connector.sync()
        assert (work.added, work.modified, work.deleted) == (12, 15, 5)
        assert_close(work, used, emulated)


def assert_close(work: Workload, used: Usage, figures: Calibration) -> None:
    """Compare an estimate with what was counted."""
    estimated = usage(work, figures, SIZES)
    for name in NOT_ON_A_LAPTOP:
        estimated.functions.pop(name)
    assert {name: getattr(estimated, name) for name in FIGURES} == pytest.approx(
        {name: getattr(used, name) for name in FIGURES}, rel=CLOSE
    )
    called = {name: use for name, use in estimated.functions.items() if use.invocations or use.s3_gets}
    assert called.keys() == used.functions.keys()
    for name, use in called.items():
        counted = used.functions[name]
        assert {kind: getattr(use, kind) for kind in OF_FUNCTION} == pytest.approx(
            {kind: getattr(counted, kind) for kind in OF_FUNCTION}, rel=CLOSE
        ), name
