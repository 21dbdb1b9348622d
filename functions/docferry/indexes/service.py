"""What a stack, a laptop and a command have to know of an index service, as data."""

from typing import Literal, get_args

from msgspec import Struct, field

FieldType = Literal["STRING", "STRING_LIST", "NUMBER", "DATE"]
"""The types of an index field, under Q Business's names."""

OnJobs = Literal["start", "stop", "jobs"]
OnIndex = Literal["put", "delete", "statuses", "fields", "declare"]
OnGroups = Literal["set_group", "remove_group", "group_status"]
IndexCall = OnJobs | OnIndex | OnGroups
"""A method of Index that calls the service."""

Counted = Literal["added", "modified", "deleted", "failed"]
SYNC_JOBS: dict[OnJobs, tuple[str, ...]] = {
    "start": ("StartDataSourceSyncJob",),
    "stop": ("StopDataSourceSyncJob",),
    "jobs": ("ListDataSourceSyncJobs",),
}
"""The operations of a service that has sync jobs."""

Unprotected = Literal["everybody", "nobody", "all"]
"""Who sees a document without access control. ``all``: the data source has no access control, so all see everything."""


class Service(Struct, frozen=True):
    """An index service, as data: what a stack, a laptop and a command have to know of it.

    ``name`` is its name in boto3 and in IAM. ``ids`` are the settings that together name a data source, the outermost
    first. ``editions`` are those of an index that a stack makes, the default first. ``on_index`` are the operations of
    each call that concerns documents or fields, the main one first, ``on_groups`` of each that concerns groups, and
    ``on_jobs`` of each that concerns sync jobs. They are IAM actions, too. An index without ``on_groups`` knows no
    groups: it is told of their members, document by document. ``field_types`` are the service's own names for the
    types of a field; without any, an index takes every attribute. ``own_groups``: each data source has groups of its
    own. Where it is False the index has them, and connectors of one index share them. ``folds_addresses``: of a user's
    e-mail address neither letter case nor +tag counts. ``names_groups``: a search for a reader may say in which groups
    the reader is, beside those that the index knows.

    ``has_jobs``: the service has sync jobs. Where it is False the adapter keeps its own in the state bucket.
    ``counts`` is what the metrics of a job tell.
    ``takes_role``: requests name the role that content on S3 is read with; otherwise the index has one. ``clients`` are
    the names of the service's clients in boto3.
    """

    name: str
    ids: tuple[str, ...]
    editions: tuple[str, ...]
    on_index: dict[OnIndex, tuple[str, ...]]
    on_groups: dict[OnGroups, tuple[str, ...]]
    field_types: dict[FieldType, str]
    own_groups: bool
    folds_addresses: bool
    names_groups: bool
    clients: tuple[str, ...]
    on_jobs: dict[OnJobs, tuple[str, ...]] = field(default_factory=lambda: dict(SYNC_JOBS))
    has_jobs: bool = True
    takes_role: bool = True
    counts: frozenset[Counted] = frozenset(get_args(Counted))

    @property
    def outputs(self) -> dict[str, str]:
        """The output of a connector's stack that has each id: ``IndexId`` for ``index_id``."""
        return {setting: setting.title().replace("_", "") for setting in self.ids}

    @property
    def principal(self) -> str:
        """What a role has to trust so that the service can take it on."""
        return f"{self.name}.amazonaws.com"
