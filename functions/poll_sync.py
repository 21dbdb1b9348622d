"""State PollSync: look whether the service has finished indexing."""

from aws_lambda_powertools.utilities.typing import LambdaContext

from docferry.runtime.handling import handles
from docferry.runtime.wiring import Wired
from docferry.workflow.events import Polled
from docferry.workflow.poll_sync import Request, poll_sync


@handles(Request)
def handler(wired: Wired, event: Request, _context: LambdaContext) -> Polled:
    """See docferry.workflow.poll_sync."""
    return poll_sync(wired, event)
