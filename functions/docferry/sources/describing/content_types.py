"""Which content type a file name stands for, in the words of both services."""

from typing import get_args

from docferry.model import ContentType

CONTENT_TYPES: frozenset[ContentType] = frozenset(get_args(ContentType))

BY_EXTENSION: dict[str, ContentType] = {
    ".csv": "CSV",
    ".doc": "MS_WORD",
    ".docx": "MS_WORD",
    ".htm": "HTML",
    ".html": "HTML",
    ".json": "JSON",
    ".markdown": "MD",
    ".md": "MD",
    ".pdf": "PDF",
    ".ppt": "PPT",
    ".pptx": "PPT",
    ".rtf": "RTF",
    ".text": "PLAIN_TEXT",
    ".txt": "PLAIN_TEXT",
    ".xhtml": "HTML",
    ".xls": "MS_EXCEL",
    ".xlsx": "MS_EXCEL",
    ".xml": "XML",
    ".xsl": "XSLT",
    ".xslt": "XSLT",
}


def content_type(path: str) -> ContentType | None:
    """Return the content type of a file by its extension, in any letter case; None when neither service takes it."""
    stem, dot, extension = path.rpartition("/")[2].rpartition(".")
    # As os.path.splitext has it, which takes longer: the dots that a name begins with begin no extension.
    return BY_EXTENSION.get(f".{extension.lower()}") if dot and stem.strip(".") else None
