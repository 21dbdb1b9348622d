"""The AWS SDK for JavaScript v3, in full_sync.mjs; to Q Business it speaks HTTP/2."""

import subprocess
from pathlib import Path

import pytest


@pytest.mark.parametrize("service", ["kendra", "qbusiness"])
def test_a_full_sync(service: str, environment: dict[str, str]) -> None:
    """Both jobs succeed, and search shows what they did."""
    script = Path(__file__).with_name("full_sync.mjs")
    done = subprocess.run(["node", str(script), service], check=False, capture_output=True, text=True, env=environment)
    assert done.returncode == 0, done.stderr
