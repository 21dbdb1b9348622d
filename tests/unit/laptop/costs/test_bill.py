"""Prices, and what a usage costs by them."""

from pathlib import Path

import pytest

from docferry import indexes
from docferry.config.deployment import Deploy
from docferry.errors import ConfigurationError
from docferry.indexes import index_class
from docferry.runtime.lambdas import FUNCTIONS, TRIGGER
from docferry_laptop.costs import bill, prices
from docferry_laptop.costs.calibration import load
from docferry_laptop.costs.limits import CAPACITIES
from docferry_laptop.costs.usage import WORKFLOW, FunctionUse, Usage

USED = Usage(
    functions={"crawl": FunctionUse(invocations=2, s3_puts=1_000, s3_gets=10_000, seconds=1024, memory=1024)},
    transitions=4_000,
)


def month(index: str, edition: str, documents: int, deploy: Deploy | None = None) -> bill.Bill:
    """A month of one run a day."""
    runs = [(30.0, USED)]
    known = {"index": index, "edition": edition, "documents": documents, "deploy": deploy or Deploy()}
    return bill.of_month(runs, prices.load(), scheduled=True, **known)  # type: ignore[arg-type]  # of one dict


def test_a_run_is_priced_line_by_line() -> None:
    """Each quantity times the price of one unit."""
    lines = {line.price: line for line in bill.of_run(USED, prices.load()).lines}

    assert lines["lambda_gb_second_arm64"].dollars == pytest.approx(1024 * 0.0000133334)
    assert lines["state_transition"].dollars == pytest.approx(0.10)
    assert lines["s3_put_class"].dollars == pytest.approx(0.005)
    assert lines["s3_get_class"].dollars == pytest.approx(0.004)
    assert "lambda_gb_second_x86_64" in {line.price for line in bill.of_run(USED, prices.load(), "x86_64").lines}


def test_a_month_is_its_runs_and_what_is_paid_by_the_month() -> None:
    """The sum of its lines, with thirty times what a run takes."""
    found = month("kendra", "ENTERPRISE_EDITION", 150_000, Deploy(kms="own", alarms_topic=True))
    lines = {line.price: line for line in found.lines}

    assert lines["state_transition"].quantity == 120_000
    assert lines["kendra_enterprise_edition"].quantity == 730
    assert lines["kendra_enterprise_edition_unit"].quantity == 730
    assert {"alarm", "kms_key", "sns_publish"} <= lines.keys()
    assert found.dollars == pytest.approx(sum(line.dollars for line in found.lines))


@pytest.mark.parametrize(
    ("index", "documents", "edition"),
    [
        ("kendra", 10_000, "DEVELOPER_EDITION"),
        ("kendra", 10_001, "ENTERPRISE_EDITION"),
        ("qbusiness", 100_000, "STARTER"),
        ("qbusiness", 100_001, "ENTERPRISE"),
    ],
)
def test_the_edition_is_the_first_that_holds_the_documents(index: str, documents: int, edition: str) -> None:
    """And one that does not hold them is refused by name."""
    assert bill.edition_for(index, documents) == edition
    assert any(line.price.startswith(f"{index}_") for line in month(index, edition, documents).lines)
    with pytest.raises(ConfigurationError, match="holds at most 10,000 documents, not 10,001"):
        month("kendra", "DEVELOPER_EDITION", 10_001)
    with pytest.raises(ConfigurationError, match="'NONE'; known: "):
        month(index, "NONE", 1)


def test_every_service_and_edition_has_prices() -> None:
    """So has every function figures, and no price is without its source."""
    listed = prices.load()
    assert CAPACITIES.keys() == indexes.KINDS.keys()
    for kind, editions in CAPACITIES.items():
        assert set(editions) == set(index_class(kind).service.editions)
        for capacity in editions.values():
            assert {name for name in (capacity.base, capacity.unit) if name} <= listed.prices.keys()
    assert all(price.source.startswith("https://aws.amazon.com/") for price in listed.prices.values())
    # The janitor works only after a failure.
    assert {one.name for one in (*FUNCTIONS, TRIGGER)} | {WORKFLOW} == {*load().functions, "janitor"}


def test_a_price_list_of_ones_own_is_checked(tmp_path: Path) -> None:
    """It takes the form of ours; a mistake is one line with the file."""
    own = tmp_path / "prices.yaml"
    own.write_text(prices.FILE.read_text().replace("us-east-1", "eu-west-1"))
    assert prices.load(own).region == "eu-west-1"
    for text in ("region: x", "[", "region: 1\nas_of: never\nprices: {}"):
        own.write_text(text)
        with pytest.raises(ConfigurationError, match=f"--prices: {own} is no price list"):
            prices.load(own)
    with pytest.raises(ConfigurationError, match="cannot be read"):
        prices.load(tmp_path / "missing")
    own.write_text("region: moon\nas_of: 2026-01-01\nprices: {}")
    with pytest.raises(ConfigurationError, match="the price list for moon has no lambda"):
        bill.of_run(USED, prices.load(own))
