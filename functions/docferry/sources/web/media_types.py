"""Which content type an answer has: by its Content-Type header, or by the extension in its address. Pure."""

from docferry.model import ContentType
from docferry.sources.describing.content_types import content_type
from docferry.sources.web.urls import name

BY_MEDIA_TYPE: dict[str, ContentType] = {
    "application/atom+xml": "XML",
    "application/csv": "CSV",
    "application/json": "JSON",
    "application/ld+json": "JSON",
    "application/msword": "MS_WORD",
    "application/pdf": "PDF",
    "application/rss+xml": "XML",
    "application/rtf": "RTF",
    "application/vnd.ms-excel": "MS_EXCEL",
    "application/vnd.ms-powerpoint": "PPT",
    "application/vnd.openxmlformats-officedocument.presentationml.presentation": "PPT",
    "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet": "MS_EXCEL",
    "application/vnd.openxmlformats-officedocument.wordprocessingml.document": "MS_WORD",
    "application/x-pdf": "PDF",
    "application/xhtml+xml": "HTML",
    "application/xml": "XML",
    "application/xslt+xml": "XSLT",
    "text/csv": "CSV",
    "text/html": "HTML",
    "text/json": "JSON",
    "text/markdown": "MD",
    "text/plain": "PLAIN_TEXT",
    "text/rtf": "RTF",
    "text/x-markdown": "MD",
    "text/xml": "XML",
}
# Servers send these for a file whose type they do not know.
_VAGUE = {"", "application/octet-stream", "binary/octet-stream", "application/download", "text/plain"}


def of(header: str, url: str) -> ContentType | None:
    """The content type of an answer; None for what neither service takes."""
    by_extension = content_type(name(url)) if media_type(header) in _VAGUE else None
    return by_extension or BY_MEDIA_TYPE.get(media_type(header))


def problem(header: str) -> str:
    """Why an answer without a content type is not indexed."""
    return f"{media_type(header) or 'what has no Content-Type'} is not a type that the services index; exclude it"


def media_type(header: str) -> str:
    """The media type of a Content-Type header, without its parameters."""
    return header.partition(";")[0].strip().lower()
