"""State Commit: bring the manifest in line with the index, report, free the lease."""

from aws_lambda_powertools.utilities.typing import LambdaContext

from docferry.handling import handles
from docferry.report import Report
from docferry.wiring import Wired
from docferry.workflow.commit import Request, commit


@handles(Request)
def handler(wired: Wired, event: Request, _context: LambdaContext) -> Report:
    """See docferry.workflow.commit."""
    return commit(wired, event)
