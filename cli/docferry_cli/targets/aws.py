"""The target ``aws``: the stack in AWS, in the account and the region that boto3 finds."""

from docferry.connector import Connector
from docferry_cli.targets.deployed import find
from docferry_cli.targets.opened import Startable

INTERRUPTED = "interrupted; the run continues in AWS."


def opened(connector: Connector) -> Startable:
    """Open the stack of a connector in AWS. Raises ConfigurationError when there is none."""
    return find(connector, "aws", INTERRUPTED)
