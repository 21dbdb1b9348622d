"""What a function works with."""

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
