"""The data that a laptop keeps from one process to the next: the emulated indexes and the buckets.

This is enough for a command that only reads. It imports neither the interpreter of the workflow nor Lambda.
"""

import os
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any
from unittest.mock import patch

import boto3
from filelock import FileLock, Timeout

from docferry.errors import ConfigurationError
from docferry_emulators import DEFAULTS, Emulation, Settings, emulated
from docferry_emulators.clock import Clock, VirtualClock
from docferry_emulators.engine.store import UnusableDatabase
from docferry_laptop.botocore_data import botocore_data_read_once
from docferry_laptop.moto.buckets import kept_in, shared

ACCOUNT = "123456789012"
REGION = "us-east-1"

MOTO: dict[str, Any] = {
    "lambda": {"use_docker": False},
    "stepfunctions": {"execute_state_machine": True},
    "core": {"reset_boto3_session": False},
}


class FolderInUse(ConfigurationError):  # noqa: N818  # named after what happened, as all errors are
    """Another process uses the state folder."""


@contextmanager
def storage(
    *, state: Path | None = None, clock: Clock | None = None, settings: Settings = DEFAULTS
) -> Iterator[Emulation]:
    """Start the index services and S3 of the laptop's AWS, with the data that they had before.

    ``state`` is the folder that keeps the data; None keeps it in memory. ``clock`` is the clock of the indexes; None
    takes a virtual one. Raises ConfigurationError when another process uses the folder.
    """
    with ExitStack() as stack:
        stack.enter_context(botocore_data_read_once())
        stack.enter_context(shared())
        stack.enter_context(patch.dict(os.environ, {"AWS_DEFAULT_REGION": REGION, "AWS_EC2_METADATA_DISABLED": "true"}))
        if state is not None:
            stack.enter_context(locked(state))
        database = state / "indexes.sqlite3" if state else None
        emulation = stack.enter_context(
            emulated(clock=clock or VirtualClock(), settings=settings, database=database, moto_config=MOTO)
        )
        if state is not None:
            stack.enter_context(kept_in(state / "buckets"))
        yield emulation


@contextmanager
def locked(state: Path) -> Iterator[None]:
    """Make a state folder if it does not exist, and keep other processes out of it.

    Raises FolderInUse when another process uses the folder, and ConfigurationError when its content cannot be read or
    written.
    """
    try:
        state.mkdir(parents=True, exist_ok=True)
        lock = FileLock(state / "lock", timeout=0)
        lock.acquire()
    except Timeout as error:
        raise FolderInUse(
            f"another docferry process uses {state}: wait until it ends, or give this one another folder with --state"
        ) from error
    except OSError as error:
        raise ConfigurationError(
            f"the state folder {state} cannot be used ({error.strerror or error}): give a writable folder with --state"
        ) from error
    try:
        yield
    except UnusableDatabase as error:
        raise ConfigurationError(f"{error}; move it away, or give another folder with --state") from error
    finally:
        lock.release()


def in_use(state: Path) -> bool:
    """Return whether another process uses a state folder at the moment."""
    lock = FileLock(state / "lock", timeout=0)
    try:
        with lock:
            return False
    except Timeout:
        return True


def state_bucket(connector: str) -> str:
    """Return the name of a connector's state bucket."""
    return f"docferry-{connector}-state"


def create_bucket(name: str) -> None:
    """Create an emulated bucket. An existing bucket stays as it is."""
    s3 = boto3.client("s3", region_name=REGION)
    if all(bucket["Name"] != name for bucket in s3.list_buckets()["Buckets"]):
        s3.create_bucket(Bucket=name)
