"""The settings of an index of kind bedrock."""

from typing import Annotated

from msgspec import Meta, Struct

from docferry.indexes import Concurrency, Verify
from docferry.indexes.service import Unprotected

Id = Annotated[str, Meta(pattern="^[0-9a-zA-Z]{10}$", description="10 letters and digits")]


class BedrockSettings(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The ``index`` part of a connector that syncs into a knowledge base. The ids may be left out on a laptop.

    ``acl`` says whether the data source has access control (``aclEnabled``). ``role_arn`` is the service role of the
    knowledge base, when it may read the state bucket; without it, content goes inline.
    """

    knowledge_base_id: Id | None = None
    data_source_id: Id | None = None
    acl: bool = False
    role_arn: Annotated[str, Meta(pattern="^arn:[^:]+:iam::[0-9]{12}:role/.+$")] | None = None
    verify: Verify = "auto"
    concurrency: Concurrency | None = None

    @property
    def unprotected(self) -> Unprotected:
        """Who sees a document without access control."""
        return "nobody" if self.acl else "all"
