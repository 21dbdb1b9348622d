"""What the messages in the trigger's queue say: which keys have changed, and which executions have ended."""

from collections.abc import Mapping
from typing import Any

import msgspec
from msgspec import Struct

PREFIX = "upload-"
"""Names of runs that uploads have started begin so."""

KEYS = 10_000
"""How many keys a run looks at. At two calls of 20 to 60 ms a key, 16 keys at a time, that takes 25 to 75 s. Of more
keys, a listing tells at less cost. With real names the trigger's memory of them is 1 MB, and 20 MB at most."""


class Ended(Struct, frozen=True):
    """An execution of the state machine that has ended."""

    execution: str
    status: str

    @property
    def run(self) -> str:
        """The name of its run."""
        return self.execution.rpartition(":")[2]

    @property
    def ours(self) -> bool:
        """Whether the trigger has started it."""
        return self.run.startswith(PREFIX)


class Signals(Struct, frozen=True):
    """What a batch of messages says. Their number and order do not matter.

    ``keys`` of the source's bucket were created or removed. ``changed``: something else has changed, such as the inbox.
    """

    changed: bool = False
    ended: tuple[Ended, ...] = ()
    keys: frozenset[str] = frozenset()


def signals(event: Mapping[str, Any], bucket: str = "") -> Signals:
    """Read the messages of an SQS event. ``bucket`` is the source's, if it has one.

    A message that tells neither of a key of this bucket nor of an execution says that something has changed.
    """
    heard = [_read(record["body"], bucket) for record in event.get("Records", ())]
    return Signals(
        changed=None in heard,
        ended=tuple(one for one in heard if isinstance(one, Ended)),
        keys=frozenset(one for one in heard if isinstance(one, str)),
    )


class _Event(Struct, frozen=True):
    source: str = ""
    detail: msgspec.Raw = msgspec.Raw(b"{}")


class _Execution(Struct, frozen=True, rename={"execution": "executionArn"}):
    execution: str
    status: str


class _Bucket(Struct, frozen=True):
    name: str


class _Object(Struct, frozen=True):
    key: str


class _Stored(Struct, frozen=True):
    """https://docs.aws.amazon.com/AmazonS3/latest/userguide/ev-events.html: here the key is not URL-encoded."""

    bucket: _Bucket
    object: _Object


def _read(body: str, bucket: str) -> Ended | str | None:
    try:
        event = msgspec.json.decode(body, type=_Event)
        match event.source:
            case "aws.states":
                execution = msgspec.json.decode(event.detail, type=_Execution)
                return Ended(execution.execution, execution.status)
            case "aws.s3":
                stored = msgspec.json.decode(event.detail, type=_Stored)
                return stored.object.key if bucket and stored.bucket.name == bucket else None
    except msgspec.MsgspecError:
        pass
    return None
