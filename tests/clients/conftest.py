"""The emulator as a process, and what a program is told of it: an endpoint, a region, any credentials."""

import os
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.cli.test_emulator_command import emulator


@pytest.fixture(scope="session")
def url() -> Iterator[str]:
    """The address of a running `docferry emulator`."""
    with emulator() as (address, _):
        yield address


@pytest.fixture
def environment(url: str, tmp_path: Path) -> dict[str, str]:
    """The environment of a client's process, with no configuration of AWS from this machine."""
    return {
        "PATH": os.environ["PATH"],
        "HOME": str(tmp_path),
        "AWS_ENDPOINT_URL": url,
        "AWS_REGION": "eu-west-1",  # JavaScript
        "AWS_DEFAULT_REGION": "eu-west-1",  # Python
        "AWS_ACCESS_KEY_ID": "any",
        "AWS_SECRET_ACCESS_KEY": "any",
    }


@pytest.fixture
def wait(url: str) -> Callable[[], None]:
    """Pass a second of the emulator's time, and none of ours."""

    def push() -> None:
        urllib.request.urlopen(f"{url}/_docferry/clock", data=b'{"seconds": 1}').close()

    return push
