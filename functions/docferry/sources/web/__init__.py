"""A website: the pages of its sitemaps, or those that its links lead to."""

from docferry.sources.web.web import Web

__all__ = ["Web"]
