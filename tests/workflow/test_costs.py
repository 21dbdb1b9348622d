"""The cost model against what runs on the emulators really use: no figure is more than a tenth off."""

from pathlib import Path

import pytest
from msgspec import structs

from docferry_laptop.costs.calibration import Calibration, Seconds, load
from docferry_laptop.costs.model import usage
from docferry_laptop.costs.trial import INDEXING_SECONDS, trial
from docferry_laptop.costs.usage import Usage
from docferry_laptop.costs.workload import Workload

DOCUMENTS = 220
CLOSE = 0.1
FIGURES = ("invocations", "s3_puts", "s3_gets", "index_calls", "transitions")
OF_FUNCTION = ("invocations", "s3_puts", "s3_gets", "index_calls")
NOT_ON_A_LAPTOP = frozenset({"trigger"})
"""Functions that no state of the workflow calls: a run of the workflow alone has none."""


@pytest.fixture(scope="module")
def emulated() -> Calibration:
    """The figures of the model, with the emulators' time for indexing in the place of that of AWS."""
    figures = load()
    soon = Seconds(seconds=INDEXING_SECONDS, how="a setting of the emulators")
    return structs.replace(figures, times=structs.replace(figures.times, indexing=soon, indexing_document=soon_each()))


def soon_each() -> Seconds:
    """The emulators' time for one document."""
    return Seconds(seconds=0.002, how="a setting of the emulators")


@pytest.mark.parametrize(
    ("source", "index", "sidecars"),
    [("files", "kendra", False), ("files", "qbusiness", True), ("s3", "kendra", True), ("s3", "qbusiness", False)],
)
def test_an_estimate_is_close_to_what_a_run_uses(
    tmp_path: Path, emulated: Calibration, source: str, index: str, sidecars: bool
) -> None:
    """A first run, one that finds nothing to do, and one with puts and deletes: each figure of each function."""
    with trial(tmp_path, source, index, sidecars=sidecars) as connector:
        connector.write(range(DOCUMENTS))
        assert_close(*connector.sync(), emulated)
        assert_close(*connector.sync(), emulated)
        connector.write(range(15))
        connector.write(range(DOCUMENTS, DOCUMENTS + 12))
        connector.remove(range(100, 105))
        work, used = connector.sync()
        assert (work.added, work.modified, work.deleted) == (12, 15, 5)
        assert_close(work, used, emulated)


def assert_close(work: Workload, used: Usage, figures: Calibration) -> None:
    """Compare an estimate with what was counted."""
    estimated = usage(work, figures)
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
