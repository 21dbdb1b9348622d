"""State Crawl: list the source, and write down what has to change in the index."""

from aws_lambda_powertools.utilities.typing import LambdaContext

from docferry.runtime.handling import handles
from docferry.runtime.wiring import Wired
from docferry.workflow.crawl import Crawled, Request, crawl


@handles(Request)
def handler(wired: Wired, event: Request, context: LambdaContext) -> Crawled:
    """See docferry.workflow.crawl."""
    return crawl(wired, event, context.get_remaining_time_in_millis)
