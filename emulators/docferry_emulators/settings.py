"""How the emulators behave where the real services are not documented, and how fast they are.

Every default is the safe choice: a caller that can handle it can handle the other choices too.
"""

from collections.abc import Iterable
from difflib import get_close_matches
from typing import Any, Literal, Self

import msgspec
from msgspec import Struct, field


def _by_edition(developer: int, enterprise: int) -> dict[str, int]:
    return {
        "DEVELOPER_EDITION": developer,
        "ENTERPRISE_EDITION": enterprise,
        "GEN_AI_ENTERPRISE_EDITION": enterprise,
    }


class Settings(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The settings. Times are in seconds of the clock, sizes in bytes."""

    # How long things take. A small job passes every state within three seconds.
    resource_seconds: float = 1.0
    """CREATING, UPDATING and DELETING of applications, indexes and data sources."""
    received_seconds: float = 0.5
    """The time from the acceptance of a document until work on it starts (RECEIVED)."""
    processing_seconds: float = 0.5
    """The shortest time that work on one document takes (PROCESSING)."""
    seconds_per_document: float = 0.002
    """The time that each document adds to the queue of its index."""
    stopping_seconds: float = 1.0
    """How long a job stays STOPPING."""
    indexing_seconds: float = 1.0
    """The shortest time that a job with documents stays SYNCING_INDEXING."""
    mapping_seconds: float = 0.5
    """How long a group mapping is PROCESSING."""

    # How far answers lag behind the current state, as those of eventually consistent services may.
    job_list_lag: float = 0.0
    """ListDataSourceSyncJobs shows each job as it was this long ago; Start and Stop know its current state."""
    metrics_lag: float = 0.0
    """The metrics of a job are those of this long ago, and may grow after SUCCEEDED. No job ends INCOMPLETE then."""
    status_lag: float = 0.0
    """The statuses of documents, one by one or in a list, are those of this long ago. A search does not lag."""

    # Sync jobs.
    start_while_indexing: Literal["reject", "allow"] = "reject"
    """Whether the next job may start while the last is SYNCING_INDEXING, as guides before 2023 said."""
    kendra_stop_idle: Literal["accept", "invalid", "not_found"] = "accept"
    """The answer to Stop when no job runs. Kendra's model has no ConflictException for Stop."""
    qbusiness_stop_idle: Literal["conflict", "accept"] = "conflict"
    job_age_limit: float | None = None
    """After this time, a job that is not stopped becomes ABORTED. None: never."""
    metrics_while_syncing: Literal["live", "final"] = "live"
    unchanged_put: Literal["modified", "ignored"] = "modified"
    """How a put counts that changes nothing in the index."""
    job_without_id: Literal["running", "none"] = "running"
    """Whether a document that names its data source, but no job, counts for the running job."""

    # Documents.
    undeclared_fields: Literal["reject", "declare"] = "reject"
    """What to do with an unknown attribute. ``declare`` makes it a field, with the type of its first value."""
    date_as_string: Literal["reject", "accept"] = "reject"
    """Whether a DATE field takes a string in ISO 8601, as AWS's own connector framework sends it."""
    duplicate_in_batch: Literal["last", "reject"] = "last"
    foreign_document: Literal["reject", "replace"] = "reject"
    """What to do with a put or delete of a document that another data source of the index owns."""
    left_out_on_put: Literal["clear", "keep"] = "clear"
    """What a put does to attributes and access control that it does not mention."""
    kendra_delete_unknown: Literal["reject", "accept"] = "reject"
    qbusiness_delete_unknown: Literal["reject", "accept"] = "reject"
    sync_id_mismatch: Literal["reject", "request"] = "reject"
    """Q Business: ``dataSourceSyncId`` and the attribute name different jobs. ``request`` takes the former."""
    s3_without_role: Literal["reject", "accept"] = "reject"
    read_s3: Literal["indexing", "put"] = "indexing"
    """When content on S3 is read. If the object is missing, ``indexing`` fails the document, ``put`` rejects it."""
    put_to_inactive_index: Literal["reject", "accept"] = "reject"
    status_after_update: Literal["UPDATED", "INDEXED"] = "UPDATED"

    qbusiness_search_without_user: Literal["public", "all", "deny"] = "public"
    """What SearchRelevantContent shows if the credentials carry no user, such as those of a role."""

    # Bedrock Knowledge Bases.
    bedrock_unchanged: Literal["index", "ignore"] = "index"
    """How the ingest of a document ends that changes nothing: INDEXED again, or IGNORED."""
    partially_indexed: Literal["keep", "replace"] = "keep"
    """What a document that ends PARTIALLY_INDEXED does to its old version. ``replace`` puts a part of it there."""
    bedrock_token_seconds: float = 3600.0
    """How long a clientToken is remembered."""
    bedrock_other_request: Literal["ignore", "reject"] = "ignore"
    """What happens to other documents that come with a clientToken that was used. ``reject``: ValidationException."""
    bedrock_delete_unknown: Literal["not_found", "accept"] = "not_found"
    """The status in the answer to a delete of a document that does not exist: NOT_FOUND, or DELETING at first."""
    bedrock_access_when_off: Literal["reject", "ignore"] = "reject"
    """What happens to access control that is sent to a data source without it."""

    # Limits. Where sources contradict each other, the smallest one.
    kendra_document_bytes: int = 5_000_000
    kendra_request_bytes: int | None = 5_000_000
    qbusiness_document_bytes: int = 50_000_000
    qbusiness_request_bytes: int | None = None
    s3_object_bytes: int = 50_000_000
    text_bytes: int = 5_000_000
    string_list: int = 10
    principals: int = 200
    delete_batch: int = 10
    """The most documents in one BatchDeleteDocument of Q Business. Its model has no limit."""
    bedrock_batch: int = 10
    """The most documents in one call. The model says 10, the guide 25."""
    bedrock_request_bytes: int | None = 6_000_000
    """The longest body of an ingest, with content in base64. The quota is 6 MB of payload."""
    bedrock_principals: int = 3000
    bedrock_knowledge_bases: int = 100
    bedrock_data_sources: int = 5
    kendra_fields: int = 500
    qbusiness_fields: int = 500
    qbusiness_attributes: int = 500
    kendra_indexes: int = 10
    qbusiness_applications: int = 50
    kendra_data_sources: dict[str, int] = field(default_factory=lambda: _by_edition(5, 50))
    """The most data sources of an index, by edition."""
    qbusiness_data_sources: int = 50
    """The most data sources of all indexes of an application."""
    kendra_documents: dict[str, int] = field(default_factory=lambda: _by_edition(10_000, 100_000))
    """The most documents in an index, by edition, per unit of capacity."""
    kendra_text_bytes: dict[str, int] = field(default_factory=lambda: _by_edition(3_000_000_000, 30_000_000_000))
    qbusiness_documents: int | None = None
    """The most documents in an index of Q Business, per unit of capacity. None: no limit."""

    @classmethod
    def parse(cls, assignments: Iterable[str]) -> Self:
        """Read settings such as ``kendra_stop_idle=invalid`` or ``job_age_limit=3600``. A value may be a JSON object.

        Raises ValueError, which says what is wrong and which settings there are.
        """
        values: dict[str, Any] = {}
        for assignment in assignments:
            name, equals, value = assignment.partition("=")
            if not equals:
                raise ValueError(f"{assignment}: give NAME=VALUE")
            if name not in cls.__struct_fields__:
                near = get_close_matches(name, cls.__struct_fields__, 1)
                cure = f"did you mean {near[0]}?" if near else f"there are: {', '.join(sorted(cls.__struct_fields__))}"
                raise ValueError(f"there is no setting {name}; {cure}")
            values[name] = msgspec.json.decode(value) if value.startswith("{") else value
        try:
            return msgspec.convert(values, cls, strict=False)
        except msgspec.ValidationError as error:
            raise ValueError(str(error)) from error


DEFAULTS = Settings()
