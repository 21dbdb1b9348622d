"""Reads the queries of a file, one a line."""

from pathlib import Path

from docferry.errors import ConfigurationError


def read(file: Path) -> list[str]:
    """Return the queries, without empty lines and those that begin with #. Each counts once. Raises ConfigurationError.

    A program that writes UTF-8 with a byte order mark is understood.
    """
    try:
        text = file.read_text(encoding="utf-8-sig")
    except OSError as error:
        raise ConfigurationError(f"--queries: {file} cannot be read ({error.strerror})") from error
    except UnicodeDecodeError as error:
        raise ConfigurationError(f"--queries: {file} is not UTF-8: write one query a line, as text") from error
    if "\0" in text:
        raise ConfigurationError(f"--queries: {file} is not text: write one query a line")
    lines = (line.strip() for line in text.splitlines())
    found = list(dict.fromkeys(line for line in lines if line and not line.startswith("#")))
    if not found:
        raise ConfigurationError(f"--queries: {file} has no query: write one a line; lines with # are left out")
    return found
