"""The recipe for TiddlyWiki, against the real one from npm."""

import json
import os
import signal
import socket
import subprocess
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
import yaml

from docferry.runtime.assets import RECIPES
from docferry_emulators import Settings
from docferry_emulators.clock import VirtualClock
from docferry_laptop.laptop import laptop
from tests.waiting import wait_for
from tests.workflow.sources.world import held, synced

PROGRAM = Path(__file__).parent / "node_modules" / "tiddlywiki" / "tiddlywiki.js"


class Wiki:
    """A running TiddlyWiki."""

    def __init__(self, url: str) -> None:
        self.url = url

    def send(self, method: str, title: str, **fields: str) -> None:
        """Write or delete a tiddler."""
        tiddlers = "recipes/default/tiddlers" if method == "PUT" else "bags/default/tiddlers"
        request = urllib.request.Request(
            f"{self.url}/{tiddlers}/{quote(title, safe='')}",
            data=json.dumps({"title": title, **fields}).encode() if fields else None,
            method=method,
            headers={"X-Requested-With": "TiddlyWiki"},
        )
        urllib.request.urlopen(request).close()

    def answers(self) -> bool:
        """Whether it listens yet."""
        try:
            urllib.request.urlopen(f"{self.url}/status").close()
        except urllib.error.URLError:
            return False
        return True


@pytest.fixture
def wiki(tmp_path: Path) -> Iterator[Wiki]:
    """An empty wiki."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    node = ["node", str(PROGRAM), str(tmp_path / "wiki")]
    subprocess.run([*node, "--init", "server"], check=True, capture_output=True)
    listening = [*node, "--listen", f"port={port}", "host=127.0.0.1"]
    # A group of its own: `node` of a virtual environment may be a program that starts the real one.
    with subprocess.Popen(
        listening, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True
    ) as server:
        try:
            running = Wiki(f"http://127.0.0.1:{port}")
            wait_for(running.answers)
            yield running
        finally:
            os.killpg(server.pid, signal.SIGTERM)


@pytest.mark.parametrize("index", ["kendra", "qbusiness"])
def test_the_recipe_reads_the_real_one(wiki: Wiki, index: str) -> None:
    """Text is synced, an image is left out; what changes moves, what goes is deleted."""
    for number in range(1, 4):
        wiki.send("PUT", f"Page {number}: a/b?", text=f"the text of {number}")
    wiki.send("PUT", "Colours.txt", text="red", type="text/plain")
    wiki.send("PUT", "logo.png", text="iVBORw0KGgo=", type="image/png")
    recipe: dict[str, Any] = yaml.safe_load((RECIPES / "tiddlywiki.yaml").read_text(encoding="utf-8"))

    with laptop(clock=VirtualClock(), settings=Settings(undeclared_fields="declare")) as aws:
        world = synced(aws, {**recipe, "base_url": f"{wiki.url}/"}, index)
        assert world.sync().added == 4
        assert set(held(world)) == {"Colours.txt", *(f"Page {number}: a/b?" for number in range(1, 4))}
        assert world.sync().unchanged == 4

        wiki.send("PUT", "Page 2: a/b?", text="a lighthouse")
        wiki.send("DELETE", "Page 3: a/b?")
        run = world.sync()

        assert (run.modified, run.deleted, run.unchanged) == (1, 1, 2)
        hits = world.deployment.wired.index.search("lighthouse", 5)
        assert [hit.document_id for hit in hits] == ["team/Page 2: a/b?"]
