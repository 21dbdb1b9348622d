"""From connectors to a cloud assembly: one stack a connector."""

from collections.abc import Callable, Mapping
from pathlib import Path

from aws_cdk import App

from docferry.config.deployment import Described
from docferry.sources.remote.extras import bundle_name
from docferry_infra.bundle import Bundle, bundle
from docferry_infra.connector_stack import ConnectorStack
from docferry_infra.request import Request

BundleOf = Callable[[str], Bundle]
"""Gives a bundle by its name."""


def synthesize(request: Request) -> Path:
    """Synthesize the connectors; return the folder of the assembly. Builds the bundles that are not built yet."""
    app = application(request.connectors, lambda name: bundle(name, request.target), out=request.out)
    return Path(app.synth().directory)


def application(connectors: Mapping[str, Described], bundle_of: BundleOf, *, out: Path) -> App:
    """The CDK app, with a stack for each connector. Nothing of one stack depends on another connector."""
    names = {name: bundle_name(described.connector.source) for name, described in connectors.items()}
    bundles = {name: bundle_of(name) for name in sorted(set(names.values()))}
    app = App(outdir=str(out), analytics_reporting=False, auto_synth=False, stack_traces=False)
    for name, described in connectors.items():
        ConnectorStack(app, described=described, bundle=bundles[names[name]])
    return app
