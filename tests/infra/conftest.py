"""Stacks, synthesized once a session from connectors.yaml in this folder, with a bundle that has nothing in it."""

import pytest
from aws_cdk import Validations
from cdk_nag import AwsSolutionsChecks

from docferry.config.deployment import Described
from docferry_infra.bundle import Bundle
from docferry_infra.deployable import deployable
from docferry_infra.synth import application
from tests.infra.synthesis import CONNECTORS, NAMES, Assembly, Template


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
