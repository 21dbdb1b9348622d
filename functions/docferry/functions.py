"""The functions of a connector, as data: what the stack deploys and what the laptop runs."""

from msgspec import Struct


class Function(Struct, frozen=True):
    """One Lambda function: the module of its handler, the ASL placeholder for its ARN, memory in MiB, time in s."""

    name: str
    placeholder: str
    memory: int
    timeout: int

    @property
    def handler(self) -> str:
        """The handler, as Lambda names it."""
        return f"{self.name}.handler"


# A crawl works through up to 15 minutes, Lambda's limit, and then goes on from its checkpoint. A shard is at most 100
# requests of 5 MB. Commit reads the whole manifest once: about a minute for a million documents.
FUNCTIONS = (
    Function("crawl", "CrawlFunctionArn", memory=1769, timeout=900),
    Function("start_sync", "StartSyncFunctionArn", memory=256, timeout=120),
    Function("put_batch", "PutBatchFunctionArn", memory=512, timeout=900),
    Function("delete_batch", "DeleteBatchFunctionArn", memory=256, timeout=900),
    Function("stop_sync", "StopSyncFunctionArn", memory=256, timeout=120),
    Function("poll_sync", "PollSyncFunctionArn", memory=256, timeout=120),
    Function("commit", "CommitFunctionArn", memory=1769, timeout=900),
    Function("janitor", "JanitorFunctionArn", memory=256, timeout=300),
)
