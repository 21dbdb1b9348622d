"""Bodies of answers, unpacked piece by piece."""

import gzip
import tracemalloc
import zlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from docferry.sources.web.bodies import capped, gunzipped, gunzipped_if_packed
from docferry.sources.web.failures import PageFailed, PageRefused


def pieces(data: bytes, length: int) -> list[bytes]:
    """Data in pieces."""
    return [data[at : at + length] for at in range(0, len(data), length)]


@given(st.binary(max_size=300), st.integers(1, 50), st.booleans())
def test_gzip_data_is_unpacked_wherever_it_is_cut(content: bytes, length: int, twice: bool) -> None:  # noqa: FBT001
    """Also two gzip files one after the other, which are one."""
    packed = gzip.compress(content) * (1 + twice)
    assert b"".join(gunzipped(pieces(packed, length))) == content * (1 + twice)
    assert b"".join(gunzipped_if_packed(pieces(packed, length))) == content * (1 + twice)


@given(st.binary(max_size=300).filter(lambda content: not content.startswith(b"\x1f\x8b")), st.integers(1, 50))
def test_what_is_not_packed_stays_as_it_is(content: bytes, length: int) -> None:
    """A sitemap may be called .gz and be none."""
    assert b"".join(gunzipped_if_packed(pieces(content, length))) == content


@given(st.binary(min_size=1, max_size=300), st.data())
def test_data_that_breaks_off_is_an_error(content: bytes, data: st.DataObject) -> None:
    """It is never taken for the whole."""
    packed = gzip.compress(content)
    cut = packed[: data.draw(st.integers(1, len(packed) - 1))]
    with pytest.raises(PageFailed):
        list(gunzipped([cut]))


def test_broken_data_is_an_error() -> None:
    """As a disk or a proxy may leave it."""
    with pytest.raises(PageFailed, match="broken gzip data"):
        list(gunzipped([gzip.compress(b"text")[:10] + b"\xff" * 20]))


def test_a_gzip_bomb_is_stopped_at_the_cap() -> None:
    """A hundred kilobytes that unpack to a hundred megabytes are never held in memory."""
    packer = zlib.compressobj(9, wbits=31)
    block = bytes(1_000_000)
    bomb = b"".join([*(packer.compress(block) for _ in range(100)), packer.flush()])
    assert len(bomb) < 150_000

    tracemalloc.start()
    with pytest.raises(PageRefused, match="larger than 1,000,000 bytes"):
        for _ in capped(gunzipped([bomb]), 1_000_000):
            pass
    _, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()

    assert most < 2_000_000
