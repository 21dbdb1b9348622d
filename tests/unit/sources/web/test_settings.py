"""The settings of a website."""

from typing import Any

import msgspec
import pytest

from docferry.sources.web.settings import WebSettings

START = {"start": ["https://docs.example.com/"]}
WRONG: list[tuple[dict[str, Any], str]] = [
    ({}, "either sitemaps, or start"),
    ({**START, "sitemaps": ["https://docs.example.com/sitemap.xml"]}, "either sitemaps, or start"),
    ({"sitemaps": ["https://docs.example.com/sitemap.xml"], "sitemap": "auto"}, "needs start"),
    ({"start": ["ftp://docs.example.com/"]}, "start"),
    ({"start": ["https://docs.example.com:99999/"]}, "is not an address"),
    ({**START, "hosts": ["https://docs.example.com"]}, "hosts"),
    ({**START, "max_pages": 0}, "max_pages"),
    ({**START, "max_bytes": 50_000_001}, "max_bytes"),
    ({**START, "timeout": 0}, "timeout"),
    ({**START, "requests_per_second": 0}, "requests_per_second"),
    ({**START, "user_agent": "a\r\nX: y"}, "user_agent"),
    ({**START, "headers": {"X": "a\r\nY: z"}}, "headers.X"),
    ({**START, "headers": {"Authorization": "Bearer abc"}}, "looks like a secret"),
    ({**START, "headers": {"Cookie": "session=abc"}}, "looks like a secret"),
    ({**START, "depth": 1}, "depth"),
]


@pytest.mark.parametrize(("settings", "reason"), WRONG)
def test_wrong_settings_are_refused(settings: dict[str, Any], reason: str) -> None:
    """Before anything is asked for; the message names the setting."""
    with pytest.raises(msgspec.ValidationError, match=reason):
        msgspec.convert(settings, WebSettings)


def test_a_header_names_its_secret() -> None:
    """By its ARN, or on a laptop by a variable; what is no secret may be written out."""
    arn = "arn:aws:secretsmanager:eu-west-1:123456789012:secret:wiki-AbCdEf"
    headers = {"Authorization": arn, "Cookie": "env:WIKI_COOKIE", "X-Team": "docs"}
    assert msgspec.convert({**START, "headers": headers}, WebSettings).headers == headers
