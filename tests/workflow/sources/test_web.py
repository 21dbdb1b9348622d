"""A website through the real state machine, into both services: what is asked for, and what moves."""

from collections.abc import Iterator
from typing import Any

import pytest

from docferry_laptop.laptop import Laptop
from tests.unit.sources.web.site import Site, website
from tests.workflow.sources.world import held, synced
from tests.workflow.world import World

PAGES = 500


@pytest.fixture
def kind() -> str:
    """One service: a source knows nothing of the index. test_own.py tries them all."""
    return "qbusiness"


@pytest.fixture
def site() -> Iterator[Site]:
    """A website of 500 pages: an entrance, chapters, and pages that link to each other."""
    with website() as made:
        made.html("/", "The handbook", links=tuple(f"/chapter-{number}/" for number in range(20)))
        for chapter in range(20):
            made.html(f"/chapter-{chapter}/", f"Chapter {chapter}", links=tuple(_path(chapter, n) for n in range(24)))
        for number in range(PAGES - 21):
            chapter, page = divmod(number, 24)
            made.html(_path(chapter, page), f"Lighthouse {number}", links=("/", _path(chapter, (page + 1) % 24)))
        yield made


def _path(chapter: int, page: int) -> str:
    return f"/chapter-{chapter}/{page}"


def world_of(aws: Laptop, kind: str, **settings: Any) -> World:
    """A connector whose source is a website."""
    return synced(aws, {"kind": "web", "allow_private": True, "requests_per_second": 1_000, **settings}, kind)


def test_a_website_is_synced_and_only_what_changed_moves(aws: Laptop, site: Site, kind: str) -> None:
    """500 pages; then nothing but 304; then one put for a changed page, and one delete for a page that is gone."""
    world = world_of(aws, kind, start=[f"{site.url}/"])

    first = world.sync()

    assert (first.status, first.added, first.skipped) == ("SUCCEEDED", PAGES, 0)
    assert len(held(world)) == PAGES
    hits = world.deployment.wired.index.search("Lighthouse 77", 5)
    assert f"team/{site.url}{_path(3, 5)}" in [hit.document_id for hit in hits]

    site.taken()
    second = world.sync()

    assert (second.added, second.modified, second.deleted, second.unchanged) == (0, 0, 0, PAGES)
    assert second.execution_id is None
    asked = site.taken()
    # The last chapter has a link to a page that is not there.
    assert [status for path, status in asked if path != _path(19, 23)] == [304] * PAGES

    site.html(_path(4, 2), "Another text", links=("/",))
    third = world.sync()

    assert (third.added, third.modified, third.deleted) == (0, 1, 0)
    assert [one for one in site.taken() if one[1] == 200] == [(_path(4, 2), 200)]

    del site.answers[_path(5, 3)]
    fourth = world.sync()

    assert (fourth.added, fourth.modified, fourth.deleted) == (0, 0, 1)
    assert f"{site.url}{_path(5, 3)}" not in held(world)
    assert len(held(world)) == PAGES - 1
    world.assert_at_rest()


def test_a_website_that_fails_loses_nothing(aws: Laptop, site: Site, kind: str) -> None:
    """Pages that fail stay; a website that is down fails the run; a sitemap that breaks off deletes nothing."""
    paths = [_path(1, number) for number in range(12)]
    site.sitemap("/sitemap.xml", *paths)
    world = world_of(aws, kind, sitemaps=[f"{site.url}/sitemap.xml"])
    world.sync()
    pages = dict(site.answers)

    for path in paths[:6]:
        site.status(path, 503)
    failing = world.sync()
    site.answers = {"/sitemap.xml": pages["/sitemap.xml"], **dict.fromkeys(paths, site.answers[paths[0]])}
    down = world.sync()
    site.answers = dict(pages)
    site.put("/sitemap.xml", f"<urlset><url><loc>{site.url}{paths[0]}</loc></url>", "text/xml")
    broken = world.sync()
    site.answers = dict(pages)
    site.taken()
    mended = world.sync()

    assert (failing.status, failing.deleted, failing.skipped, failing.unchanged) == ("SUCCEEDED", 0, 6, 12)
    assert (down.status, down.deleted) == ("FAILED", 0)
    assert (broken.status, broken.deleted, broken.withheld) == ("SUCCEEDED", 0, 11)
    assert (mended.status, mended.unchanged) == ("SUCCEEDED", 12)
    assert sorted(site.taken()) == sorted([("/sitemap.xml", 200), *((path, 304) for path in paths)])
    assert len(world.manifest()) == 12
    world.assert_at_rest()


def test_a_page_that_the_index_has_rejected_is_downloaded_again(aws: Laptop, site: Site, kind: str) -> None:
    """That the page has not changed does not keep it out of the index."""
    site.sitemap("/sitemap.xml", _path(1, 1), _path(1, 2))
    world = world_of(aws, kind, sitemaps=[f"{site.url}/sitemap.xml"])
    rejected = f"team/{site.url}{_path(1, 1)}"
    world.knobs.reject[rejected] = "not today"
    first = world.sync()
    world.knobs.reject.clear()

    second = world.sync()

    assert (first.added, first.failed) == (1, 1)
    assert (second.added, second.unchanged) == (1, 1)
    assert rejected in world.manifest()
