"""The commands that go on with a connector, as a person types them."""

from pathlib import Path
from typing import cast, get_args

from msgspec import Struct

from docferry.connector import Connector
from docferry.errors import ConfigurationError
from docferry_cli import connectors
from docferry_cli.options import IndexKind
from docferry_cli.targets import Where


class NextSteps(Struct, frozen=True):
    """Gives command lines for one connector, where it runs."""

    where: Where
    connector: Connector

    def about(self, command: str) -> str:
        """Return a command about the connector, such as `docferry failures handbook`."""
        return self.where.command(command, self.connector.name)

    def of_run(self, command: str, run: str) -> str:
        """Return a command about one of its runs, such as `docferry approve RUN --connector handbook`."""
        return self.where.command(command, run, "--connector", self.connector.name)

    def sync(self) -> str:
        """Return the command that syncs the connector: by its name, or by the folder that it was made for."""
        part, kind = self.connector.source, self.connector.index.kind
        folder = part.settings.get("path")
        if part.kind == "files" and folder and self.where.target == "here" and kind in get_args(IndexKind):
            try:
                made = connectors.of_folder(Path(folder), cast("IndexKind", kind))
            except ConfigurationError:
                return self.about("sync")
            if made.name == self.connector.name:
                return self.where.command("sync", "--path", folder, "--index", kind)
        return self.about("sync")
