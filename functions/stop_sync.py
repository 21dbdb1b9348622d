"""State StopSync: end the sync job."""

from aws_lambda_powertools.utilities.typing import LambdaContext

from docferry.handling import handles
from docferry.runs import Run
from docferry.wiring import Wired
from docferry.workflow.poll_sync import Polled
from docferry.workflow.stop_sync import stop_sync


@handles(Run)
def handler(wired: Wired, event: Run, _context: LambdaContext) -> Polled:
    """See docferry.workflow.stop_sync."""
    return stop_sync(wired, event)
