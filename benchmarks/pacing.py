"""Counts how near the workers of a run come to the rate that a service takes, on virtual time.

A discrete-event simulation around the real ``Pace``: no thread, no sleep, no clock. The service is a token bucket. The
workers are those of ApplyBatches: each takes a shard, has several requests under way, and takes the next shard.
"""

import heapq
import math
import random
from collections.abc import Iterator
from itertools import count

from msgspec import Struct

from docferry.indexes.pace import Pace

RATES = (1, 2, 5, 50, 200)
"""Calls a second that the service takes."""
WORKERS = (4, 40)
AT_ONCE = 20
"""Requests that a worker may have under way: docferry.workflow.put_batch.REQUESTS_AT_ONCE."""
CALL_SECONDS = 0.3
SECONDS = 1_200
"""How long a run takes at the rate of the service."""
SHARD_REQUESTS = 50
LEAST_BURST = 3.0
"""A bucket holds the calls of a second, and at least so many."""


class Paced(Struct, frozen=True):
    """What came of a run. Times are in seconds; ``ratio`` is the time that it took to the least that is possible.

    ``throttled`` counts the calls that the service did not take, for one that it took. ``silence`` is the longest time
    that a worker has waited for a call to get through.
    """

    rate: float
    workers: int
    seconds: float
    ratio: float
    throttled: float
    silence: float


class Bucket:
    """The service: it takes ``rate`` calls a second, and those of a second, or LEAST_BURST, at once."""

    def __init__(self, rate: float) -> None:
        self._rate = rate
        self._burst = self._tokens = max(LEAST_BURST, rate)
        self._at = 0.0

    def takes(self, now: float) -> bool:
        """Whether a call that comes now gets through."""
        self._tokens = min(self._burst, self._tokens + (now - self._at) * self._rate)
        self._at = now
        if self._tokens < 1:
            return False
        self._tokens -= 1
        return True


class Worker:
    """One function at work: ``todo`` requests of its shard have not begun, ``free`` threads have none."""

    def __init__(self, dice: random.Random) -> None:
        self.pace = Pace(dice.random)
        self.todo = 0
        self.free = AT_ONCE
        self.waiting = False
        self.silence = 0.0
        self.heard = 0.0


class Run:
    """A run of some workers against a service."""

    def __init__(self, rate: float, workers: int, seed: int) -> None:
        dice = random.Random(seed)
        requests = int(rate * SECONDS)
        shards = max(workers, math.ceil(requests / SHARD_REQUESTS))
        self._shards = [requests // shards + (number < requests % shards) for number in range(shards)]
        self._bucket = Bucket(rate)
        self._numbers = count()
        self._events: list[tuple[float, int, str, Worker, int]] = []
        self.workers = [Worker(dice) for _ in range(workers)]
        self.left = requests
        self.throttled = 0
        self.now = 0.0

    def end(self) -> None:
        """Let every request get through."""
        for worker in self.workers:
            self._next(worker)
        while self.left:
            self.now, _, what, worker, began = heapq.heappop(self._events)
            if what == "begins":
                self._begins(worker)
            elif what == "passed":
                self._passed(worker)
            else:
                self._refused(worker, began)
            self._next(worker)

    def _next(self, worker: Worker) -> None:
        """Let a free thread wait for its turn; take the next shard when one is done."""
        if not worker.todo and worker.free == AT_ONCE and not worker.waiting and self._shards:
            worker.todo = self._shards.pop()
            worker.heard = self.now
        if worker.todo and worker.free and not worker.waiting:
            worker.waiting = True
            self._add(worker.pace.pause(), "begins", worker)

    def _begins(self, worker: Worker) -> None:
        worker.waiting = False
        worker.todo -= 1
        worker.free -= 1
        what = "passed" if self._bucket.takes(self.now) else "refused"
        self._add(CALL_SECONDS, what, worker, worker.pace.slowed)

    def _passed(self, worker: Worker) -> None:
        self.left -= 1
        worker.free += 1
        worker.silence = max(worker.silence, self.now - worker.heard)
        worker.heard = self.now
        worker.pace.passed()

    def _refused(self, worker: Worker, began: int) -> None:
        self.throttled += 1
        worker.todo += 1
        worker.free += 1
        worker.pace.throttled(began)

    def _add(self, seconds: float, what: str, worker: Worker, began: int = 0) -> None:
        heapq.heappush(self._events, (self.now + seconds, next(self._numbers), what, worker, began))


def paced(rate: float, workers: int, seed: int = 1) -> Paced:
    """Simulate a run. The least possible time is that of the bucket, or of threads that are never idle."""
    run = Run(rate, workers, seed)
    requests = run.left
    run.end()
    by_rate = (requests - max(LEAST_BURST, rate)) / rate
    by_threads = requests * CALL_SECONDS / (workers * AT_ONCE)
    least = max(by_rate, by_threads) + CALL_SECONDS
    silence = max(worker.silence for worker in run.workers)
    return Paced(rate, workers, run.now, run.now / least, run.throttled / requests, silence)


def all_paced(seed: int = 1) -> Iterator[Paced]:
    """Every rate with every number of workers."""
    return (paced(rate, workers, seed) for workers in WORKERS for rate in RATES)


def main() -> None:
    """Print them."""
    print("calls a second  workers   time to ideal  throttled for one taken  longest silence")
    for one in all_paced():
        print(f"{one.rate:>14}  {one.workers:>7}  {one.ratio:>13.3f}  {one.throttled:>23.2f}  {one.silence:>13.0f} s")


if __name__ == "__main__":
    main()
