"""Why a run failed, in one sentence for each error.

A report has the whole text of an error. A message has only these sentences: the text may name documents, or quote them.
"""

import re

ABORTED = "the execution was aborted or timed out"
"""The error in the report of a run that could not say how it ended."""

UNEXPECTED = "An error occurred that Docferry does not expect. The report and the log of the function have its text."

_TOO_LITTLE = "A function ended before its work was done: it took too long, or more memory than it has."

REASONS = {
    "Throttled": "The index asked for fewer calls for a long time.",
    "ShardUnfinished": "The index took the documents too slowly for the run to end.",
    "ServiceUnavailable": "An AWS service, or the way to it, failed.",
    "Conflict": "The index, the data source or its sync job was in a state that does not allow the call.",
    "SyncJobBusy": "Another sync job of the data source did not end in time.",
    "SourceUnavailable": "The source could not be listed.",
    "ConfigurationError": "A setting is missing or wrong.",
    "SourceInvalid": "The source listed something that is no document, or did not come to an end.",
    "ListingTooLong": "The source could not be listed to its end in time.",
    "AccessDenied": "The role of a function lacks a permission.",
    "ResourceNotFound": "The index, the data source or a bucket does not exist.",
    "RequestRefused": "The index found a request invalid.",
    "QuotaExceeded": "The index is full, or a limit of the account is reached.",
    "AlreadyRunning": "Another run of the connector was under way. This one has changed nothing.",
    "LeaseLost": "Another run has taken over. This one has changed nothing since.",
    "ManifestInvalid": "The manifest is damaged, or not of this connector.",
    "ChangeSetInvalid": "The change set is damaged, or not the one that the crawl wrote.",
    "ApprovalRefused": "The run that was to be approved cannot be approved.",
    "PlanRefused": "The run that was to be applied is no plan.",
    "PlanMoved": "The plan cannot be applied any more: the source, the manifest or the index has changed.",
    "StateInvalid": "A record in the state bucket is damaged.",
    "Lambda.Unknown": _TOO_LITTLE,
    "Runtime.ExitError": _TOO_LITTLE,
    "Runtime.OutOfMemory": _TOO_LITTLE,
    "Sandbox.Timedout": _TOO_LITTLE,
    "States.Timeout": _TOO_LITTLE,
}
"""By the name of the error, as the state machine has it."""

OWN = {
    ABORTED: "The execution was aborted, or timed out.",
    "sync job ": "The sync job did not end well.",
    "shards without a result": "Some documents were not sent. The next run sends them again.",
}
"""By how a text begins that Docferry writes itself."""


def reason(error: str) -> tuple[str, str]:
    """The name of the error in a report, which may be empty, and why the run failed."""
    for text, why in OWN.items():
        if error.startswith(text):
            return "", why
    name = error.partition(": ")[0]
    known = name in REASONS or re.fullmatch("[A-Z][A-Za-z]*(Error|Exception)", name)
    return name if known else "", REASONS.get(name, UNEXPECTED)
