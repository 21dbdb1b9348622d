"""The AWS CLI, a process a call."""

import json
import subprocess
import sys
from collections.abc import Callable
from typing import Any

import pytest
from botocore import xform_name

from tests.clients import full_sync


@pytest.mark.parametrize("service", ["kendra", "qbusiness"])
def test_a_full_sync(service: str, environment: dict[str, str], wait: Callable[[], None]) -> None:
    """Both jobs succeed, and search shows what they did."""

    def call(operation: str, **request: Any) -> dict[str, Any]:
        command = [sys.executable, "-m", "awscli", service, xform_name(operation, "-"), "--output", "json"]
        done = subprocess.run(
            [*command, "--cli-input-json", json.dumps(request)],
            check=False,
            capture_output=True,
            text=True,
            env=environment,
        )
        assert done.returncode == 0, done.stderr
        reply: dict[str, Any] = json.loads(done.stdout or "{}")
        return reply

    getattr(full_sync, service)(call, wait)
