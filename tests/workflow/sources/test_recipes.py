"""Each recipe against a server that answers as the system's documentation says."""

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from docferry.runtime.assets import RECIPES
from docferry_laptop.laptop import Laptop
from tests.servers import Server, serving
from tests.workflow.sources.systems import SECRET, SYSTEMS, Page, System
from tests.workflow.sources.world import held, synced

EXAMPLES = {"feed", "json-api"}
"""Recipes for any system of a sort; test_feed.py and test_http.py run such sources."""


def recipe(name: str, system: System, server: Server) -> dict[str, Any]:
    """A recipe as it is, except for the address, and for pages of two."""
    written: dict[str, Any] = yaml.safe_load((RECIPES / f"{name}.yaml").read_text(encoding="utf-8"))
    written["base_url"] = server.url + system.base
    for part in ("params", "paginator"):
        for key, value in system.short.items():
            if key in written.get(part, {}):
                written[part][key] = value
    return written


@pytest.mark.parametrize("name", SYSTEMS)
def test_a_recipe_syncs(aws: Laptop, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    """Everything at first, nothing when nothing has changed, then what changed; contents are read when they are due."""
    system = SYSTEMS[name]
    for variable in re.findall(r"env:(\w+)", (RECIPES / f"{name}.yaml").read_text(encoding="utf-8")):
        monkeypatch.setenv(variable, SECRET)
    pages = [Page(number) for number in range(1, 6)]
    with serving(system.answer(pages)) as server:
        world = synced(aws, recipe(name, system, server), "kendra" if len(name) % 2 else "qbusiness")

        assert world.sync().added == 5
        found = held(world)
        assert set(found) == {system.id(page) for page in pages}
        third = found[system.id(pages[2])]
        assert (third.title, third.attributes["_source_uri"]) == ("Page 3: a/b?", system.uri)
        assert len(lazily(server, system)) == (5 if system.lazy else 0)

        assert world.sync().unchanged == 5
        assert lazily(server, system) == []

        pages[2].text, pages[2].revision = "a lighthouse", 2
        del pages[4]
        run = world.sync()

        assert (run.modified, run.deleted, run.unchanged) == (1, 1, 3)
        assert len(lazily(server, system)) == (1 if system.lazy else 0)
        hits = world.deployment.wired.index.search("lighthouse", 5)
        assert [hit.document_id for hit in hits] == [f"team/{system.id(pages[2])}"]


@pytest.mark.parametrize("name", sorted(set(SYSTEMS) - {"mediawiki", "tiddlywiki", "zendesk"}))
def test_a_recipe_without_its_secret_fails(aws: Laptop, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    """It names the setting, and deletes nothing."""
    system = SYSTEMS[name]
    for variable in re.findall(r"env:(\w+)", (RECIPES / f"{name}.yaml").read_text(encoding="utf-8")):
        monkeypatch.setenv(variable, "wrong")
    with serving(system.answer([Page(1)])) as server:
        run = synced(aws, recipe(name, system, server), "kendra").sync()

    assert run.status == "FAILED"
    assert "check the setting auth" in run.error


def test_every_recipe_is_run_and_documented() -> None:
    """docs/recipes.md has a section for each."""
    names = {file.stem for file in RECIPES.glob("*.yaml")}
    documented = (Path(__file__).parents[3] / "docs" / "recipes.md").read_text(encoding="utf-8")

    assert names == set(SYSTEMS) | EXAMPLES
    assert {name for name in names if f"\n## {name}\n" in documented} == set(SYSTEMS)
    assert all(f"`{name}`" in documented for name in EXAMPLES)


def lazily(server: Server, system: System) -> list[str]:
    """The addresses of contents that were asked for since the last time."""
    asked, server.asked = server.asked, []
    whole = [f"{request.path}?{request.query.get('action', '')}" for request in asked]
    return [path for path in whole if system.lazy and system.lazy in path]
