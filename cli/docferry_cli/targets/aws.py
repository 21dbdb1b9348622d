"""The target ``aws``: the stack in AWS, in the account and the region that boto3 finds."""

from collections.abc import Iterator
from contextlib import contextmanager

from docferry.connector import Connector
from docferry_cli.stack import find
from docferry_cli.targets.opened import Startable

INTERRUPTED = "interrupted; the run continues in AWS."


@contextmanager
def run(connector: Connector) -> Iterator[Startable]:
    """Open the stack of a connector in AWS. Raises ConfigurationError when there is none."""
    yield opened(connector)


def opened(connector: Connector) -> Startable:
    """Open the stack of a connector in AWS. Raises ConfigurationError when there is none."""
    found = find(connector)
    return Startable(
        "aws",
        connector,
        found.index,
        found.state_bucket,
        state_machine=found.state_machine,
        interrupted=INTERRUPTED,
    )
