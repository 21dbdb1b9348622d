"""State PutBatch: put the documents of one shard."""

from aws_lambda_powertools.utilities.typing import LambdaContext

from docferry.runtime.handling import handles
from docferry.runtime.wiring import Wired
from docferry.state.runs import Shard
from docferry.workflow.put_batch import put_batch
from docferry.workflow.shard import Applied


@handles(Shard)
def handler(wired: Wired, event: Shard, context: LambdaContext) -> Applied:
    """See docferry.workflow.put_batch."""
    return put_batch(wired, event, context.get_remaining_time_in_millis)
