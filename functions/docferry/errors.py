"""The errors of a sync, grouped by what the caller does about them.

The state machine's Retry and Catch name these classes: Lambda reports an exception under its class name.
"""


class DocferryError(Exception):
    """Base of every error that Docferry raises on purpose; its text says what is wrong and what to do."""


class RetriableError(DocferryError):
    """The same call may succeed later: wait, then try again."""


class Throttled(RetriableError):
    """The service asked for fewer calls and went on asking through every attempt of the client."""


class ServiceUnavailable(RetriableError):
    """The service, or the way to it, failed: a 5xx answer, a broken connection, a reply that never came."""


class Conflict(RetriableError):
    """The index, the data source or its sync job is in a state that does not allow the call now."""


class SyncJobBusy(RetriableError):
    """Another sync job of this data source has not ended yet; only one may run at a time."""


class SourceUnavailable(RetriableError):
    """The source could not be listed; nothing can be said about what it holds."""


class ShardUnfinished(RetriableError):
    """A part of a shard is done and recorded; another invocation goes on with the rest, at once."""


class FatalError(DocferryError):
    """Trying again without a change by a person ends the same way."""


class ConfigurationError(FatalError):
    """A setting is missing or wrong; the text names each one, and the cure."""


class NotDeployed(ConfigurationError):
    """A connector has no stack at the target; the text says what makes one."""


class SourceInvalid(FatalError):
    """A source yields what is no record, or lists without an end; the text says what, and the cure."""


class ListingTooLong(FatalError):
    """The source cannot be listed in one invocation, and cannot go on in another."""


class AccessDenied(FatalError):
    """The role of the function lacks a permission; the text names the operation."""


class ResourceNotFound(FatalError):
    """The index, the data source or the bucket does not exist."""


class RequestRefused(FatalError):
    """The service found the request as a whole invalid (ValidationException)."""


class QuotaExceeded(FatalError):
    """The index is full, or an account limit is reached: raise the limit, or index less."""


class AlreadyRunning(FatalError):
    """Another run of this connector holds the lease; this one has changed nothing."""


class LeaseLost(FatalError):
    """Another run has taken the lease over; this one must change nothing more."""


class ManifestInvalid(FatalError):
    """The manifest is corrupt, foreign, or moved by another run; nothing is committed on it."""


class ChangeSetInvalid(FatalError):
    """A change set is broken, or not the one that the crawl wrote; nothing of it is applied."""


class ApprovalRefused(FatalError):
    """What a run has withheld cannot be approved; the text says why, and what to do. Nothing has changed."""


class PlanRefused(FatalError):
    """The run cannot be applied: it was not a plan, or does not exist. Nothing was sent."""


class PlanMoved(FatalError):
    """A plan cannot be applied any more: the source, the manifest or the index moved. Nothing was sent."""


class StateInvalid(FatalError):
    """A record of the state bucket is not what a run has written; the text names its key."""


class DocumentError(DocferryError):
    """One document cannot be sent in this run; every other document can."""


class DocumentVanished(DocumentError):
    """The document was listed, but is gone from the source now."""


class DocumentMoved(DocumentError):
    """The document is part of a plan that is applied, and has changed since it was made."""


class DocumentTooLarge(DocumentError):
    """The document is larger than the index takes, or than can be sent to it as the connector is set up."""


class DocumentUnreadable(DocumentError):
    """The document is in the source, but its content cannot be read."""
