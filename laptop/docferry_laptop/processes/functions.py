"""Lambda on a laptop, as close as possible: each function's own code runs in a process, under AWS's runtime client.

The functions are those that moto's Lambda knows, with the environment, the memory and the timeout of the template.
"""

import io
import shutil
import tempfile
import threading
import zipfile
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from subprocess import DEVNULL
from typing import Any, BinaryIO
from unittest.mock import patch
from uuid import uuid4

from moto.awslambda_simple.models import LambdaSimpleBackend

from docferry.errors import ConfigurationError
from docferry_laptop.processes.execution_environment import ExecutionEnvironment, Result
from docferry_laptop.processes.runtime_api import Invocation

RUNTIME = ("awslambdaric", "runtime_client", "simplejson", "snapshot_restore_py")
"""The runtime client and its dependencies: everything that a function finds beside its own code."""

SDK = ("boto3", "botocore", "dateutil", "jmespath", "s3transfer", "six", "urllib3")
"""What Lambda's Python has beside the runtime client, for a function whose code is written into the template."""


class Processes:
    """Runs functions in processes. A process that has done its work is kept for the next invocation."""

    def __init__(self, endpoint: str, *, folder: Path, log: BinaryIO | None = None) -> None:
        self._endpoint = endpoint
        self._folder = folder
        self._log = log
        self._runtime = runtime_in(folder / "runtime")
        self._with_sdk = runtime_in(folder / "runtime-with-sdk", (*RUNTIME, *SDK))
        self._lock = threading.Lock()
        self._idle: dict[Any, list[ExecutionEnvironment]] = defaultdict(list)
        self._all: list[ExecutionEnvironment] = []
        self._closed = False

    def invoke(self, function: Any, payload: str | bytes) -> Result:
        """Run one of moto's functions in a process that does nothing else at the same time."""
        body = payload.encode() if isinstance(payload, str) else payload
        invocation = Invocation(str(uuid4()), function.function_arn, body or b"{}", float(function.timeout))
        key = (function.function_arn, function.code_sha_256, str(function.get_configuration()))
        environment = self._take(key) or self._start(function)
        result = environment.invoke(invocation)
        with self._lock:
            if environment.alive and not self._closed:
                self._idle[key].append(environment)
        return result

    def close(self) -> None:
        """End every process."""
        with self._lock:
            self._closed = True
            ending, self._all = self._all, []
        for environment in ending:
            environment.end()
        for environment in ending:
            environment.close()

    def _take(self, key: Any) -> ExecutionEnvironment | None:
        with self._lock:
            while self._idle[key]:
                environment = self._idle[key].pop()
                if environment.alive:
                    return environment
        return None

    def _start(self, function: Any) -> ExecutionEnvironment:
        code = self._code(function)
        with self._lock:
            if self._closed:
                raise RuntimeError("the processes were ended")
            environment = ExecutionEnvironment(
                function.handler,
                code=code,
                variables=self._variables(function, code),
                memory=int(function.memory_size),
                log=DEVNULL if self._log is None else self._log,
            )
            self._all.append(environment)
        return environment

    def _code(self, function: Any) -> Path:
        """Return the folder with the unpacked code of a function. Functions with the same code share it."""
        place: Path = self._folder / function.code_digest
        with self._lock:
            if not place.exists():
                with zipfile.ZipFile(io.BytesIO(function.code_bytes)) as packed:
                    packed.extractall(place)
        return place

    def _variables(self, function: Any, code: Path) -> Mapping[str, str]:
        """Return the environment of a function's process.

        A function that does not bring boto3 finds this machine's.
        https://docs.aws.amazon.com/lambda/latest/dg/configuration-envvars.html#configuration-envvars-runtime
        """
        runtime = self._runtime if (code / "boto3").exists() else self._with_sdk
        return {
            **{name: str(value) for name, value in function.environment_vars.items()},
            "_HANDLER": function.handler,
            "AWS_ACCESS_KEY_ID": "local",
            "AWS_SECRET_ACCESS_KEY": "local",
            "AWS_DEFAULT_REGION": function.region,
            "AWS_REGION": function.region,
            "AWS_EXECUTION_ENV": f"AWS_Lambda_{function.run_time}",
            "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": str(function.memory_size),
            "AWS_LAMBDA_FUNCTION_NAME": function.function_name,
            "AWS_LAMBDA_FUNCTION_VERSION": "$LATEST",
            "AWS_LAMBDA_INITIALIZATION_TYPE": "on-demand",
            "AWS_LAMBDA_LOG_GROUP_NAME": function.logs_group_name,
            "AWS_LAMBDA_LOG_STREAM_NAME": "local",
            "AWS_XRAY_CONTEXT_MISSING": "LOG_ERROR",
            "LAMBDA_RUNTIME_DIR": str(runtime),
            "LAMBDA_TASK_ROOT": str(code),
            "LANG": "C.UTF-8",
            "PATH": "/usr/local/bin:/usr/bin:/bin",
            "PYTHONPATH": str(runtime),
            "TZ": ":UTC",
            # Lambda does not need these: its endpoints are the real ones, and its code folder is read-only.
            "AWS_ENDPOINT_URL": self._endpoint,
            "AWS_EC2_METADATA_DISABLED": "true",
            "PYTHONDONTWRITEBYTECODE": "1",
        }


@contextmanager
def in_processes(endpoint: str, log: BinaryIO | None = None) -> Iterator[Processes]:
    """Let moto's Lambda run its functions in processes, which call AWS at ``endpoint``. End all of them at the end.

    Raises ConfigurationError when the runtime client is not installed.
    """
    folder = Path(tempfile.mkdtemp(prefix="docferry-functions-"))
    try:
        processes = Processes(endpoint, folder=folder, log=log)

        def invoke(  # moto's signature
            backend: Any, function_name: str, qualifier: str | None, body: Any, headers: Any, response_headers: Any
        ) -> bytes:
            del headers
            result = processes.invoke(backend.get_function(function_name, qualifier), body)
            if result.failed:
                response_headers["x-amz-function-error"] = "Unhandled"
            return result.payload

        with patch.object(LambdaSimpleBackend, "invoke", invoke):
            try:
                yield processes
            finally:
                processes.close()
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def runtime_in(folder: Path, names: Sequence[str] = RUNTIME) -> Path:
    """Make a folder with only the named libraries. Raises ConfigurationError when one is not installed."""
    folder.mkdir(parents=True)
    for name in names:
        spec = find_spec(name)
        if spec is None or spec.origin is None:
            raise ConfigurationError(
                f"the Lambda runtime client is not installed ({name} is missing): pip install 'docferry[deploy]' or, "
                "in a checkout, `make setup`"
            )
        origin = Path(spec.origin)
        place = origin.parent if origin.name == "__init__.py" else origin
        (folder / place.name).symlink_to(place)
    return folder
