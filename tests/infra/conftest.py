"""Stacks, synthesized once a session from connectors.yaml in this folder, with a bundle that has nothing in it."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from aws_cdk import Validations
from cdk_nag import AwsSolutionsChecks
from msgspec import Struct

from docferry.config.deployment import Described
from docferry_infra.bundle import Bundle
from docferry_infra.deployable import deployable
from docferry_infra.synth import application

CONNECTORS = Path(__file__).parent / "connectors.yaml"
NAMES = ("contracts", "handbook-q", "wiki", "intranet")


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
        """The functions, by the names that docferry.runtime.lambdas has for them."""
        found = self.resources("AWS::Lambda::Function").values()
        return {properties["Handler"].removesuffix(".handler"): properties for properties in found}

    def statements(self, role: dict[str, Any]) -> Iterator[dict[str, Any]]:
        """The policy statements of a role, given as the reference to its ARN."""
        (name, _) = role["Fn::GetAtt"]
        for properties in self.resources("AWS::IAM::Policy").values():
            if {"Ref": name} in properties["Roles"]:
                yield from properties["PolicyDocument"]["Statement"]


@pytest.fixture(scope="session")
def described() -> dict[str, Described]:
    """The connectors of this folder."""
    return deployable(CONNECTORS)


@pytest.fixture(scope="session")
def empty_bundle(tmp_path_factory: pytest.TempPathFactory) -> Bundle:
    """A bundle as far as a stack looks at one."""
    folder = tmp_path_factory.mktemp("bundle")
    (folder / "crawl.py").write_text("handler = print\n")
    return Bundle(folder, "0" * 64, "3.13", "arm64", compiled=True)


@pytest.fixture(scope="session")
def assembly(
    described: dict[str, Described], empty_bundle: Bundle, tmp_path_factory: pytest.TempPathFactory
) -> Assembly:
    """All connectors, synthesized as app.py does, and looked at by cdk-nag."""
    out = tmp_path_factory.mktemp("assembly")
    app = application(described, lambda _: empty_bundle, out=out)
    Validations.of(app).add_plugins(AwsSolutionsChecks(app))
    app.synth()
    return Assembly(out)


@pytest.fixture(params=NAMES)
def template(request: pytest.FixtureRequest, assembly: Assembly) -> Template:
    """Each template, one after the other."""
    return assembly.template(request.param)
