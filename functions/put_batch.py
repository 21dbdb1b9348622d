"""State PutBatch: put the documents of one shard."""

from aws_lambda_powertools.utilities.typing import LambdaContext

from docferry.handling import handles
from docferry.runs import Shard
from docferry.wiring import Wired
from docferry.workflow.put_batch import put_batch
from docferry.workflow.shard import Applied


@handles(Shard)
def handler(wired: Wired, event: Shard, _context: LambdaContext) -> Applied:
    """See docferry.workflow.put_batch."""
    return put_batch(wired, event)
