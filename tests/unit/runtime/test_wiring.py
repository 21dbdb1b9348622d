"""What a function works with."""

import subprocess
import sys

import pytest

from docferry.connector import Connector, Part
from docferry.runtime import wiring
from docferry.runtime.settings import Settings


def test_clients_are_made_when_they_are_used(monkeypatch: pytest.MonkeyPatch) -> None:
    """Wiring a connector makes no client; a call makes that of its service alone."""
    made: list[str] = []

    class Made:
        def head_object(self, **_: str) -> dict[str, str]:
            return {"ETag": "x"}

    def client(name: str) -> Made:
        made.append(name)
        return Made()

    monkeypatch.setattr(wiring, "client", client)
    connector = Connector("tides", Part("s3", {"bucket": "documents"}), Part("kendra"))
    wired = wiring.wire(Settings("state", connector))
    assert made == []
    assert wired.store.etag("key") == "x"
    assert set(made) == {"s3"}


@pytest.mark.parametrize(
    ("kind", "services"),
    [
        ("kendra", ("kendra",)),
        ("qbusiness", ("qbusiness",)),
        ("bedrock", ("bedrock-agent", "bedrock-agent-runtime")),
    ],
)
def test_calls_of_an_index_are_made_once(monkeypatch: pytest.MonkeyPatch, kind: str, services: tuple[str, ...]) -> None:
    """A start that is repeated unseen opens a second sync job. Others are tried again by botocore, which may."""
    for name, value in (("DEFAULT_REGION", "eu-west-1"), ("ACCESS_KEY_ID", "x"), ("SECRET_ACCESS_KEY", "x")):
        monkeypatch.setenv(f"AWS_{name}", value)
    monkeypatch.setattr(wiring, "ONE_ATTEMPT", set())
    wiring.client.cache_clear()
    wiring.wire(Settings("state", Connector("tides", Part("s3", {"bucket": "documents"}), Part(kind))))

    attempts = {name: wiring.client(name).meta.config.retries.get("total_max_attempts") for name in (*services, "s3")}
    wiring.client.cache_clear()
    wiring._session.cache_clear()  # it has the credentials of this test

    assert attempts == {**dict.fromkeys(services, 1), "s3": None}


def test_a_function_imports_one_adapter() -> None:
    """That of its connector: a cold start is paid for in every run."""
    program = (
        "import sys; from docferry.connector import Connector, Part; from docferry.runtime import wiring; "
        "from docferry.runtime.settings import Settings; "
        "wiring.wire(Settings('state', Connector('tides', Part('s3', {'bucket': 'documents'}), Part('kendra')))); "
        "print(*(name for name in sys.modules if name.startswith('docferry.indexes.')))"
    )
    found = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True).stdout.split()

    assert "docferry.indexes.kendra" in found
    assert not [name for name in found if "bedrock" in name or "qbusiness" in name or "own_jobs" in name]
