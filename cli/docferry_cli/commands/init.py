"""`docferry init`: writes a project that runs as it is."""

import shlex
from pathlib import Path
from string import Template
from textwrap import indent
from typing import Annotated, Literal

import typer

from docferry.connector import slug
from docferry.errors import ConfigurationError
from docferry_cli.options import IndexKind

SourceKind = Literal["files", "s3"]

PROJECT = Path(__file__).parents[1] / "project"
"""The templates."""
FILES = {
    "app.py": "app.py.in",
    "cdk.json": "cdk.json.in",
    "requirements.txt": "requirements.txt.in",
    ".gitignore": "gitignore.in",
    "README.md": "README.md.in",
    "connectors.yaml": "connectors.yaml.in",
}
"""The files of a project, each with its template. connectors.yaml, which makes a folder a project, comes last."""

BESIDE = frozenset({".git", ".venv", "venv"})
"""What the folder may contain already: a Git repository without files, and the environment with docferry."""


def command(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="A new folder, or an empty one.")] = Path(),
    *,
    source: Annotated[SourceKind, typer.Option(help="Where the documents are.")] = "s3",
    index: Annotated[IndexKind, typer.Option(help="The service to sync into.")] = "kendra",
) -> None:
    """Write a new project that runs as it is.

    It has one connector, one document, and the CDK app that deploys the connector. Nothing is overwritten: the folder
    must be empty, except for .git, .venv or venv.

    Examples:

      docferry init handbook && cd handbook && docferry sync

      docferry init handbook --source files --index qbusiness
    """
    from importlib import metadata

    refuse(folder)
    name = name_of(folder)
    documents = Path("documents") if source == "files" else Path(".docferry", "buckets", f"{name}-documents")
    written = {
        "name": name,
        "version": metadata.version("docferry"),
        "documents": str(documents),
        "source": text(f"sources/{source}.yaml", 6, name=name),
        "index": text(f"indexes/{index}.yaml", 6),
        # AWS cannot reach a folder of this machine, so there is nothing to deploy.
        "deploy": "" if source == "files" else text(f"indexes/{index}.deploy.yaml", 4),
    }
    write(folder / documents / "welcome.md", text("welcome.md"))
    for file, template in FILES.items():
        write(folder / file, text(template, 0, **written))
    where = "" if folder.resolve() == Path.cwd() else f"cd {shlex.quote(str(folder))} && "
    typer.echo(f"A project for the connector {name} is in {folder.resolve()}. Try it: {where}docferry sync")


def refuse(folder: Path) -> None:
    """Raise ConfigurationError if a folder cannot take a new project."""
    if folder.exists() and not folder.is_dir():
        raise ConfigurationError(f"{folder} is not a folder: give a new folder, or an empty one")
    found = sorted(entry.name for entry in folder.iterdir() if entry.name not in BESIDE) if folder.exists() else []
    if found:
        raise ConfigurationError(
            f"{folder} is not empty (it has {found[0]}), and nothing is overwritten: give a new folder, or an empty one"
        )
    project = next((above for above in folder.resolve().parents if (above / "connectors.yaml").exists()), None)
    if project is not None:
        raise ConfigurationError(
            f"{folder} is inside another project, {project}: add a connector to its connectors.yaml, or begin elsewhere"
        )


def name_of(folder: Path) -> str:
    """Turn the name of a folder into the name of a connector. It is short enough to begin the name of a bucket."""
    return slug(folder.resolve().name)[:30].strip("-") or "documents"


def text(template: str, spaces: int = 0, /, **values: str) -> str:
    """Fill in a template, and indent it by ``spaces``. Indented text has no line break at its end."""
    filled = Template(PROJECT.joinpath(template).read_text(encoding="utf-8")).substitute(values)
    return indent(filled, " " * spaces).rstrip("\n") if spaces else filled


def write(file: Path, content: str) -> None:
    """Write a new file. Raises FileExistsError if the file exists."""
    file.parent.mkdir(parents=True, exist_ok=True)
    with file.open("x", encoding="utf-8") as new:
        new.write(content.rstrip("\n") + "\n")
