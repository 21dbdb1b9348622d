"""A state bucket in memory, and waits that cost no time."""

from collections.abc import Iterator
from typing import Any

import boto3
import pytest
from moto import mock_aws

from docferry.state.store import Store
from docferry_emulators.clock import VirtualClock
from docferry_laptop.moto.virtual_time import waiting_on
from tests.state_buckets import serving, timed
from tests.unit.fakes import STORES, new_store

# Outside of mock_aws, which makes a new default session each time: botocore reads its models from disk once a session.
SESSION = boto3.Session(aws_access_key_id="key", aws_secret_access_key="secret", region_name="us-east-1")


@pytest.fixture(scope="module")
def s3() -> Iterator[Any]:
    """S3 in memory. One a module: a client takes longer to build than most tests to run.

    The state buckets are not moto's, which takes two milliseconds for a call.
    """
    with pytest.MonkeyPatch.context() as patch, mock_aws():
        patch.setenv("AWS_DEFAULT_REGION", "us-east-1")
        s3 = SESSION.client("s3")
        with serving(timed(lambda name: name.startswith(STORES)), s3):
            yield s3


@pytest.fixture(scope="module")
def shared_store(s3: Any) -> Store:
    """One bucket for the many examples of a property; each example writes under keys of its own."""
    return new_store(s3)


@pytest.fixture
def store(s3: Any) -> Store:
    """An empty state bucket."""
    return new_store(s3)


@pytest.fixture(autouse=True)
def clock() -> Iterator[VirtualClock]:
    """The clock that backoff passes on, in every test; ``now`` tells how much of it there was."""
    clock = VirtualClock()
    with waiting_on(clock):
        yield clock
