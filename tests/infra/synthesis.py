"""Stacks as they were synthesized, for the tests that look into them."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from msgspec import Struct

CONNECTORS = Path(__file__).parent / "connectors.yaml"
NAMES = ("contracts", "handbook-q", "wiki", "intranet", "staff", "manuals")


class Assembly(Struct, frozen=True):
    """What was synthesized."""

    folder: Path

    def template(self, name: str) -> "Template":
        """The template of a connector."""
        return Template(json.loads(self.text(name)))

    def text(self, name: str) -> str:
        """The template of a connector, as it was written."""
        return (self.folder / f"docferry-{name}.template.json").read_text(encoding="utf-8")

    def report(self) -> dict[str, Any]:
        """What the validations of the synthesis have said."""
        read: dict[str, Any] = json.loads((self.folder / "validation-report.json").read_text(encoding="utf-8"))
        return read


class Template(Struct, frozen=True):
    """One CloudFormation template."""

    body: dict[str, Any]

    def resources(self, kind: str) -> dict[str, dict[str, Any]]:
        """The properties of the resources of a type, by logical id."""
        return {
            name: resource.get("Properties", {})
            for name, resource in self.body["Resources"].items()
            if resource["Type"] == kind
        }

    def only(self, kind: str, inside: str = "") -> dict[str, Any]:
        """The properties of the one resource of a type whose logical id has this in it."""
        (found,) = (properties for name, properties in self.resources(kind).items() if inside in name)
        return found

    def functions(self) -> dict[str, dict[str, Any]]:
        """The functions, by the names that docferry.runtime.lambdas has for them, without that of the CDK."""
        found = self.resources("AWS::Lambda::Function").values()
        ours = (properties for properties in found if "ZipFile" not in properties["Code"])
        return {properties["Handler"].removesuffix(".handler"): properties for properties in ours}

    def statements(self, role: dict[str, Any]) -> Iterator[dict[str, Any]]:
        """The policy statements of a role, given as the reference to its ARN."""
        (name, _) = role["Fn::GetAtt"]
        for properties in self.resources("AWS::IAM::Policy").values():
            if {"Ref": name} in properties["Roles"]:
                yield from properties["PolicyDocument"]["Statement"]


def actions(template: Template, function: dict[str, Any]) -> set[str]:
    """The actions that the role of a function allows."""
    found: set[str] = set()
    for statement in template.statements(function["Role"]):
        found.update(statement["Action"] if isinstance(statement["Action"], list) else [statement["Action"]])
    return found


def joined(value: Any) -> str:
    """A value of a template with every reference in it spelled as ``<name>``."""
    match value:
        case {"Fn::Join": [separator, parts]}:
            return str(separator).join(map(joined, parts))
        case {"Ref": name}:
            return f"<{name}>"
        case {"Fn::GetAtt": [name, attribute]}:
            return f"<{name}.{attribute}>"
        case _:
            return str(value)
