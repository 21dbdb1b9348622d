"""The price list: what AWS charges for a unit of each thing, as data (``prices.yaml``)."""

from datetime import date
from pathlib import Path
from typing import Annotated

import msgspec
from msgspec import Meta, Struct

from docferry.errors import ConfigurationError

FILE = Path(__file__).parent / "prices.yaml"
NOT_FOUND = "not found"


class Price(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The price of ``per`` units, in US dollars. ``checked`` says where the figure was read."""

    dollars: Annotated[float, Meta(ge=0)]
    unit: str
    per: Annotated[int, Meta(ge=1)] = 1
    source: str
    checked: str

    @property
    def each(self) -> float:
        """The price of one unit."""
        return self.dollars / self.per


class PriceList(Struct, frozen=True, forbid_unknown_fields=True):
    """The prices of one region, and the day on which they were collected."""

    region: str
    as_of: date
    prices: dict[str, Price]

    def of(self, name: str) -> Price:
        """The price of a thing. Raises ConfigurationError when the list has none."""
        if name not in self.prices:
            raise ConfigurationError(f"the price list for {self.region} has no {name}: add it, as {FILE} has it")
        return self.prices[name]

    @property
    def unchecked(self) -> list[str]:
        """The names of the prices that were found on no page."""
        return sorted(name for name, price in self.prices.items() if price.checked == NOT_FOUND)


def load(path: Path | None = None) -> PriceList:
    """Read a price list; without a path, the one for us-east-1. Raises ConfigurationError."""
    file = path or FILE
    try:
        return msgspec.yaml.decode(file.read_bytes(), type=PriceList)
    except OSError as error:
        raise ConfigurationError(f"--prices: {file} cannot be read ({error.strerror}): give a price list") from error
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        raise ConfigurationError(f"--prices: {file} is no price list: {error}; {FILE} is one") from error
