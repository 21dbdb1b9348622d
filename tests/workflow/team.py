"""A world whose connector reads groups from a file."""

import json
from pathlib import Path
from typing import Any

from msgspec import structs

from docferry.connector import Groups
from docferry.reporting.report import Report
from tests.workflow.world import World

PEOPLE = ("ann", "bob", "eve")


class Team:
    """Writes documents and the file of their groups. ``settings`` are others of the connector."""

    def __init__(self, world: World, file: Path, **settings: Any) -> None:
        self.file = file
        connector = structs.replace(world.connector, groups=Groups(file=str(file)), **settings)
        self.world = World.of(world.aws, world.folder, connector)

    def groups(self, **members: str) -> None:
        """Write the list: users by their name, groups with an @ before it."""
        rows = [
            f"{group},{one.removeprefix('@')},{'group' if one.startswith('@') else 'user'}\n"
            for group, names in members.items()
            for one in names.split()
        ]
        self.file.write_text("".join(["group,member,kind\n", *rows]))

    def secret(self, name: str, *groups: str, **principals: str) -> None:
        """Write a document for these groups and users."""
        entries = [{"Name": group, "Type": "GROUP", "Access": "ALLOW"} for group in groups]
        entries += [{"Name": user, "Type": "USER", "Access": access} for user, access in principals.items()]
        self.world.write(name, f"ferry, said {name}")
        self.world.write(f"{name}.metadata.json", json.dumps({"AccessControlList": entries}))

    def sync(self, **inputs: object) -> Report:
        """Run one execution, and let the index come to rest."""
        report = self.world.sync(**inputs)
        self.world.aws.clock.sleep(60)
        return report
