"""The index of kind ``kendra``: the promises of every index, and what Kendra adds to them."""

from typing import ClassVar

import boto3
import pytest

from docferry.errors import DocferryError, RequestRefused, ResourceNotFound
from docferry.indexes import Reader
from docferry.model import Group, Principal
from docferry_emulators import Settings
from tests.contract.index_suite import GroupsSuite, Live, document


class TestKendra(GroupsSuite):
    """The suite on Kendra."""

    kind = "kendra"
    stop_without_job: ClassVar[type[DocferryError] | None] = None

    def readers(self, live: Live, id_: str, people: dict[str, list[str]]) -> set[str]:
        """Ask as each of them; Kendra believes what the request says of the user."""
        kendra = boto3.client("kendra")
        readers = set()
        for person, groups in people.items():
            reply = kendra.query(
                IndexId=live.part.settings["index_id"],
                QueryText="ferry",
                UserContext={"UserId": person, "Groups": groups} if groups else {"UserId": person},
            )
            if id_ in {item["DocumentId"] for item in reply["ResultItems"]}:
                readers.add(person)
        return readers

    def test_a_reader_may_be_said_to_be_in_groups(self, live: Live) -> None:
        """Kendra believes the request."""
        live.sync(document("demo/a", access_control=(Principal("crew", "GROUP", "ALLOW"),)), content=b"ferry")

        assert live.index.search("ferry", 10, Reader("ann")) == []
        assert len(live.index.search("ferry", 10, Reader("ann", ("crew",)))) == 1

    def test_an_action_with_a_lower_ordering_id_does_not_count(self, live: Live) -> None:
        """A call of an old run that comes late is not the last word."""
        live.sync(document("demo/a", access_control=(Principal("crew", "GROUP", "ALLOW"),)), content=b"ferry")

        live.index.set_group(Group("crew", ("ann",)), 7)
        live.index.set_group(Group("crew", ("ann", "bob")), 6)
        live.settle()

        assert self.readers(live, "demo/a", {"ann": [], "bob": []}) == {"ann"}

    @pytest.mark.parametrize(
        ("settings", "error"),
        [
            (Settings(kendra_stop_idle="invalid"), RequestRefused),
            (Settings(kendra_stop_idle="not_found"), ResourceNotFound),
        ],
    )
    def test_other_answers_to_an_idle_stop_keep_their_meaning(self, live: Live, error: type[DocferryError]) -> None:
        """What Kendra really says is documented nowhere."""
        with pytest.raises(error):
            live.index.stop()

    def test_statuses_are_asked_for_in_requests_of_ten(self, live: Live) -> None:
        """BatchGetDocumentStatus takes ten."""
        list(live.index.statuses(None, (f"demo/{number}" for number in range(21))))

        assert live.calls("BatchGetDocumentStatus") == 3

    def test_a_document_of_another_data_source_is_not_ours(self, live: Live) -> None:
        """Asked for with a job, a status is about that job's data source."""
        job = live.sync(document("demo/a"))
        other = live.other(data_source_id="another")

        statuses = {status.id: status.status for status in other.statuses(job.execution_id, ["demo/a"])}

        assert statuses == {"demo/a": "NOT_FOUND"}

    def test_a_long_question_is_cut(self, live: Live) -> None:
        """Query takes up to 1,000 characters."""
        live.sync(document("demo/a"), content=b"ferry")

        assert live.found("ferry " * 1_000) == {"demo/a"}
