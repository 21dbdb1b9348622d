"""How a run is found by its name."""

import pytest

from docferry.errors import ConfigurationError
from docferry.reporting import ledger
from docferry.state.runs import Input, Run
from docferry.state.store import Store
from docferry_cli.finding import current, find


@pytest.fixture
def runs(store: Store) -> Store:
    """A connector with some runs."""
    for name in ("6b1ccd0e-4a5c", "6b1c0000-0001", "upload-77", "6b1c0000-0002"):
        ledger.register(store, Run(name, f"arn:{name}"), Input())
    return store


def test_a_name_or_the_beginning_of_one_finds_a_run(runs: Store) -> None:
    """As long as there is one such run."""
    assert find(runs, "6b1ccd0e-4a5c").run == "6b1ccd0e-4a5c"
    assert find(runs, "6b1cc").run == "6b1ccd0e-4a5c"
    assert find(runs, "upl").run == "upload-77"


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("6b1c0", "more than one run begins with 6b1c0: 6b1c0000-0001, 6b1c0000-0002; give more"),
        ("6b1ccd0f-4a5c", "no run 6b1ccd0f-4a5c; did you mean 6b1ccd0e-4a5c"),
        ("zzz", "no run zzz; the newest are 6b1c0000-0002, upload-77, 6b1c0000-0001; `docferry runs`"),
        ("../ledger", "no run ../ledger"),
        ("", "no run ''"),
        ("\x1b[2J", r"no run \x1b[2J"),
    ],
)
def test_an_unknown_run_is_told_with_runs_that_are_near(runs: Store, name: str, said: str) -> None:
    """And with what to do."""
    with pytest.raises(ConfigurationError) as raised:
        find(runs, name)

    assert said in str(raised.value)


def test_a_connector_without_runs_says_so(store: Store) -> None:
    """And how there comes to be one."""
    with pytest.raises(ConfigurationError, match="has none yet"):
        find(store, "abc")
    with pytest.raises(ConfigurationError, match="docferry sync"):
        current(store)


def test_the_current_run_is_the_one_that_goes_on(runs: Store) -> None:
    """Else the newest."""
    for name in ("6b1c0000-0002", "upload-77"):
        ledger.abandon(runs, name)

    assert current(runs).run == "6b1c0000-0001"
    for name in ("6b1c0000-0001", "6b1ccd0e-4a5c"):
        ledger.abandon(runs, name)
    assert current(runs).run == "6b1c0000-0002"
