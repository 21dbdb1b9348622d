"""State CleanUp: stop, report and free what a run that failed has left."""

from aws_lambda_powertools.utilities.typing import LambdaContext

from docferry.reporting.report import Report
from docferry.runtime.handling import handles
from docferry.runtime.wiring import Wired
from docferry.workflow.janitor import Request, janitor


@handles(Request)
def handler(wired: Wired, event: Request, _context: LambdaContext) -> Report:
    """See docferry.workflow.janitor."""
    return janitor(wired, event)
