"""State StopSync: end the sync job."""

from aws_lambda_powertools.utilities.typing import LambdaContext

from docferry.runtime.handling import handles
from docferry.runtime.wiring import Wired
from docferry.state.runs import Run
from docferry.workflow.events import Polled
from docferry.workflow.stop_sync import stop_sync


@handles(Run)
def handler(wired: Wired, event: Run, _context: LambdaContext) -> Polled:
    """See docferry.workflow.stop_sync."""
    return stop_sync(wired, event)
