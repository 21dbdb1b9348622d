"""State Commit: bring the manifest in line with the index, report, free the lease."""

from aws_lambda_powertools.utilities.typing import LambdaContext

from docferry.reporting.report import Report
from docferry.runtime.handling import handles
from docferry.runtime.wiring import Wired
from docferry.workflow.commit import Request, Unsettled, commit


@handles(Request)
def handler(wired: Wired, event: Request, context: LambdaContext) -> Report | Unsettled:
    """See docferry.workflow.commit."""
    return commit(wired, event, context.get_remaining_time_in_millis)
