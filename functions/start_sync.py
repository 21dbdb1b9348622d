"""State StartSync: open the sync job."""

from aws_lambda_powertools.utilities.typing import LambdaContext

from docferry.runtime.handling import handles
from docferry.runtime.wiring import Wired
from docferry.state.runs import Run
from docferry.workflow.start_sync import Started, start_sync


@handles(Run)
def handler(wired: Wired, event: Run, _context: LambdaContext) -> Started:
    """See docferry.workflow.start_sync."""
    return start_sync(wired, event)
