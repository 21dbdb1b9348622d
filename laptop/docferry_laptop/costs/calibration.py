"""The measured figures of the model (``calibration.yaml``): requests for each thing that there is to do, and times."""

from functools import cache
from pathlib import Path

import msgspec
from msgspec import Struct

FILE = Path(__file__).parent / "calibration.yaml"


class Requests(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How many calls of each kind one function makes, for one of each driver. See ``model.drivers``."""

    s3_puts: dict[str, float] = {}
    s3_gets: dict[str, float] = {}
    index_calls: dict[str, float] = {}


class Counted(Struct, frozen=True, forbid_unknown_fields=True):
    """The requests of each function, the transitions, and how they were found."""

    how: str
    functions: dict[str, Requests]
    transitions: dict[str, float]


class Seconds(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A time, and where it comes from."""

    seconds: float
    how: str


class Times(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How long things take in AWS, in seconds. Processor times are those of a whole vCPU.

    ``start`` is the start of a cold function. ``s3_call``, ``s3_list_call``, ``index_call`` and, when it is refused,
    ``throttled_call`` are the waits for one reply; ``s3_megabyte`` is added for each megabyte. ``transition`` lies
    between two states. ``client_call``, ``index_client_call`` and, for each listed key, ``s3_key`` are the processor
    time of boto3. ``list`` is
    the time in which a source that is not S3 describes a document, ``open`` that in which it gives its content.
    ``s3_list`` is the processor time for a listed key, ``compare`` for a document of the listing, ``settle`` for a
    change, ``put`` for a document that is sent. ``indexing`` and ``indexing_document`` are the time that the service
    takes after the last document, and for each of them.
    """

    start: Seconds
    s3_call: Seconds
    s3_list_call: Seconds
    s3_megabyte: Seconds
    index_call: Seconds
    throttled_call: Seconds
    transition: Seconds
    client_call: Seconds
    index_client_call: Seconds
    s3_key: Seconds
    open: Seconds
    list: Seconds
    s3_list: Seconds
    compare: Seconds
    settle: Seconds
    put: Seconds
    indexing: Seconds
    indexing_document: Seconds


class Limit(Struct, frozen=True, forbid_unknown_fields=True):
    """A limit of a service, and where it is said."""

    value: int
    how: str


class Service(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What AWS takes at most.

    ``index_rate`` is in calls of one operation a second, ``warm_seconds`` how long an idle function is kept,
    ``function_seconds`` and ``disk_mib`` what an invocation has at most, ``vcpu_mib`` the memory with which a function
    has a whole processor. The others are of Step Functions.
    """

    index_rate: Limit
    warm_seconds: Limit
    function_seconds: Limit
    disk_mib: Limit
    vcpu_mib: Limit
    payload_bytes: Limit
    history_events: Limit
    map_children: Limit


class Bytes(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Sizes, in bytes. ``document`` is what one takes in a compressed stream, ``description`` in a request.

    ``run`` is what the records of a run take, ``log`` what an invocation logs, ``transition_log`` what Step Functions
    logs of a transition.
    """

    document: float
    description: float
    run: float
    log: float
    transition_log: float
    how: str


class Calibration(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """All of it. ``read`` has what no run on the emulators counts."""

    counted: Counted
    read: Counted
    times: Times
    service: Service
    bytes: Bytes

    @property
    def functions(self) -> dict[str, Requests]:
        """The requests of every function."""
        counted, read = self.counted.functions, self.read.functions
        return {name: _both(counted.get(name, NONE), read.get(name, NONE)) for name in counted.keys() | read.keys()}

    @property
    def transitions(self) -> dict[str, float]:
        """The transitions for one of each driver; ``again`` is a further one of Crawl or Commit."""
        return {**self.counted.transitions, **self.read.transitions}


NONE = Requests()


def _both(one: Requests, other: Requests) -> Requests:
    return Requests(
        s3_puts=one.s3_puts | other.s3_puts,
        s3_gets=one.s3_gets | other.s3_gets,
        index_calls=one.index_calls | other.index_calls,
    )


@cache
def load() -> Calibration:
    """Read the figures."""
    return msgspec.yaml.decode(FILE.read_bytes(), type=Calibration)
