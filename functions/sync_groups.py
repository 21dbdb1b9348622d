"""State SyncGroups: tell the index who is in which group, before any document is sent."""

from aws_lambda_powertools.utilities.typing import LambdaContext

from docferry.runtime.handling import handles
from docferry.runtime.wiring import Wired
from docferry.state.runs import Run
from docferry.workflow.sync_groups import Synced, sync_groups


@handles(Run)
def handler(wired: Wired, event: Run, context: LambdaContext) -> Synced:
    """See docferry.workflow.sync_groups."""
    return sync_groups(wired, event, context.get_remaining_time_in_millis)
