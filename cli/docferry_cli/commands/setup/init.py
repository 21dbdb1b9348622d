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

PROJECT = Path(__file__).parents[2] / "project"
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

FILL_IN = (
    "First say in `connectors.yaml` where the system is. A secret is named there as `env:NAME`, a variable of this\n"
    "machine; to deploy, store it in Secrets Manager, and give its ARN in place of that."
)

BESIDE = frozenset({".git", ".venv", "venv"})
"""What the folder may contain already: a Git repository without files, and the environment with docferry."""


def command(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="A new folder, or an empty one.")] = Path(),
    *,
    source: Annotated[SourceKind, typer.Option(help="Where the documents are.")] = "s3",
    recipe: Annotated[
        str | None, typer.Option(help="The system that holds the documents, in place of --source.", metavar="NAME")
    ] = None,
    index: Annotated[IndexKind, typer.Option(help="The service to sync into.")] = "kendra",
) -> None:
    """Write a new project that runs as it is.

    It has one connector, one document, and the CDK app that deploys the connector. Nothing is overwritten: the folder
    must be empty, except for .git, .venv or venv.

    With --recipe, the connector reads a system such as bookstack or mediawiki. It runs once connectors.yaml says where
    that system is. docs/recipes.md lists the recipes.

    Examples:

      docferry init handbook && cd handbook && docferry sync

      docferry init handbook --source files --index qbusiness

      docferry init wiki --recipe mediawiki
    """
    from importlib import metadata

    from docferry.runtime.assets import RECIPES

    refuse(folder)
    name = name_of(folder)
    settings = text(f"sources/{source}.yaml", 0, name=name) if recipe is None else recipe_text(RECIPES, recipe)
    kind = settings.partition("kind: ")[2].split()[0]
    documents = Path("documents") if source == "files" else Path(".docferry", "buckets", f"{name}-documents")
    written = {
        "name": name,
        "version": metadata.version("docferry"),
        "extras": "deploy" if recipe is None else f"deploy,{kind}",
        "start": f"The documents are in `{documents}`: change some, and sync again." if recipe is None else FILL_IN,
        "source": indent(settings, " " * 6).rstrip("\n"),
        "index": text(f"indexes/{index}.yaml", 6),
        # AWS cannot reach a folder of this machine, so there is nothing to deploy.
        "deploy": "" if kind == "files" else text(f"indexes/{index}.deploy.yaml", 4),
    }
    if recipe is None:
        write(folder / documents / "welcome.md", text("welcome.md"))
    for file, template in FILES.items():
        write(folder / file, text(template, 0, **written))
    where = "" if folder.resolve() == Path.cwd() else f"cd {shlex.quote(str(folder))} && "
    first = "Try it" if recipe is None else "Fill in connectors.yaml; then"
    typer.echo(f"A project for the connector {name} is in {folder.resolve()}. {first}: {where}docferry sync")


def recipe_text(folder: Path, name: str) -> str:
    """The source of a recipe. Raises ConfigurationError for one that does not exist."""
    names = sorted(file.stem for file in folder.glob("*.yaml"))
    if name not in names:
        raise ConfigurationError(f"there is no recipe {name!r}; there are: {', '.join(names)}")
    return (folder / f"{name}.yaml").read_text(encoding="utf-8")


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
