"""Lambda's execution environment: one process of a function, within the limits of the function.

Failures are reported as Lambda reports them, so that Retry and Catch of a state machine see the same names:
https://docs.aws.amazon.com/lambda/latest/dg/troubleshooting-invocation.html
https://docs.aws.amazon.com/step-functions/latest/dg/concepts-error-handling.html
"""

import json
import signal
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import BinaryIO

from msgspec import Struct

from docferry_laptop.processes.runtime_api import Invocation, RuntimeApi

# https://docs.aws.amazon.com/lambda/latest/dg/lambda-runtime-environment.html: a start that takes longer is repeated
# within the time of the first invocation.
INIT_SECONDS = 10.0
# How often the limits are checked while a process works.
LOOK_SECONDS = 0.02


class Result(Struct, frozen=True):
    """The result of an invocation: JSON, and whether it describes an error."""

    payload: bytes
    failed: bool = False


class ExecutionEnvironment:
    """One process, and the Runtime API that gives it work. It handles one invocation at a time.

    ``memory`` is in MiB. ``variables`` is the whole environment of the process.
    """

    def __init__(
        self, handler: str, *, code: Path, variables: Mapping[str, str], memory: int, log: BinaryIO | int
    ) -> None:
        self._bytes = memory * 1024 * 1024
        self._api = RuntimeApi()
        # -S: the process uses only the libraries of its code and of the runtime, not those of this machine.
        # A new session: Ctrl-C reaches only this process, which ends the others in order.
        self._process = subprocess.Popen(  # noqa: S603  # AWS's client, and the function's own code
            [sys.executable, "-S", "-m", "awslambdaric", handler],
            cwd=code,
            env={**variables, "AWS_LAMBDA_RUNTIME_API": self._api.address},
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            start_new_session=True,
        )

    @property
    def alive(self) -> bool:
        """Whether the process can take an invocation."""
        return self._process.poll() is None

    def invoke(self, invocation: Invocation) -> Result:
        """Let the process handle one invocation. After an error of Lambda's own, such as a timeout, it has ended."""
        self._api.offer(invocation)
        deadline = time.monotonic() + INIT_SECONDS + invocation.timeout
        while True:
            told = self._api.hear(LOOK_SECONDS)
            if told is not None:
                if told.what == "taken":
                    deadline = time.monotonic() + invocation.timeout
                    continue
                if told.what == "init error":
                    self.end()
                return Result(told.body, failed=told.what != "response")
            if not self.alive:
                return exited(invocation, self._process.returncode)
            if self._peak_bytes() > self._bytes:
                self.end()
                return exited(invocation, self._process.returncode)
            if time.monotonic() > deadline:
                self.end()
                return timed_out(invocation)

    def end(self) -> None:
        """End the process, even in the middle of its work. May be repeated."""
        self._process.kill()
        self._process.wait()

    def close(self) -> None:
        """End the process, and stop its Runtime API."""
        self.end()
        self._api.close()

    def _peak_bytes(self) -> int:
        """Return the most memory that the process has had. Lambda ends a process that exceeds its limit even once."""
        try:
            status = Path(f"/proc/{self._process.pid}/status").read_text(encoding="utf-8")
        except OSError:
            return 0
        kib = next((line.split()[1] for line in status.splitlines() if line.startswith("VmHWM:")), "0")
        return int(kib) * 1024


def timed_out(invocation: Invocation) -> Result:
    """Return Lambda's answer when a handler takes longer than the function's timeout."""
    return _error("Sandbox.Timedout", invocation, f"Task timed out after {invocation.timeout:.2f} seconds")


def exited(invocation: Invocation, code: int) -> Result:
    """Return Lambda's answer when the process ended by itself, or was killed for its memory."""
    if code < 0:
        why = f"Runtime exited with error: signal: {(signal.strsignal(-code) or str(-code)).lower()}"
    elif code:
        why = f"Runtime exited with error: exit status {code}"
    else:
        why = "Runtime exited without providing a reason"
    return _error("Runtime.ExitError", invocation, why)


def _error(kind: str, invocation: Invocation, why: str) -> Result:
    described = {"errorType": kind, "errorMessage": f"RequestId: {invocation.id} Error: {why}"}
    return Result(json.dumps(described).encode(), failed=True)
