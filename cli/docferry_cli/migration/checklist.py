"""What is left to do once the new index is filled, in order, with the commands. Pure."""

from collections.abc import Iterator

from msgspec import Struct

from docferry.indexes import service
from docferry.model import Document
from docferry_cli.migration.facts import Step
from docferry_cli.migration.pair import Pair
from docferry_cli.next_steps import NextSteps
from docferry_cli.targets import Where

USER = "ann@example.com"
QUERIES = "queries.txt"


class Sample(Struct, frozen=True):
    """A document that not everybody may see, and a user who may, where its access control names one."""

    id: str
    user: str = USER


def sample(rest: str, document: Document, new: str) -> Sample:
    """The sample that a document makes, under its id in the new index."""
    named = (one.name for one in document.access_control if (one.type, one.access) == ("USER", "ALLOW"))
    return Sample(f"{new}/{rest}", next(named, USER))


def steps(where: Where, pair: Pair, secret: Sample | None) -> Iterator[Step]:
    """The checklist. The old index goes last, since it is the way back."""
    old, new = pair.names
    after = NextSteps(where, pair.new.connector)
    yield Step("Nothing failed, or you know why", after.about("failures"))
    yield Step("All that the new connector needs is there", after.about("doctor"))
    yield Step(
        f"People find what they found before: write the queries that your application is asked most into {QUERIES}",
        where.command("compare", old, new, "--queries", QUERIES, "--user", secret.user if secret else USER),
    )
    shown = secret or Sample(f"{new}/DOCUMENT")
    yield Step(
        "The right people see a document that is not for everybody: ask for one who may, and for one who may not",
        where.command("why", shown.id, "--user", shown.user),
    )
    yield from _while_both_run(where, pair)
    yield from _switch(pair)
    yield Step(f"Take `schedule` of {old} out of connectors.yaml, and deploy it", f"docferry deploy {old}")
    yield Step(
        f"Keep {old} for as long as you may want to go back: until then its index costs what it did. Sync it once "
        "before you do",
        NextSteps(where, pair.old.connector).sync(),
    )
    yield Step(
        f"Last of all delete the stack of {old}, and its index if the stack has not made it. The state bucket stays "
        "(docs/deploy.md, Removing)"
    )


def unknown(pair: Pair, target: str) -> Iterator[str]:
    """What Docferry cannot know before, or at all."""
    old, new = pair.old.connector, pair.new.connector
    yield "what a document contains is looked at when it is sent: the report of the fill says what was refused then"
    if target != "aws":
        yield "how the service itself ranks: on this machine an emulator answers"
    yield (
        f"what else the index of {old.name} has: documents of other data sources, FAQs, synonyms, tuning of relevance, "
        "enrichment of documents"
    )
    yield "the names of users: the new index has to be asked with those that your access control names"
    if service(new.index.kind).on_groups and new.groups is None and not service(old.index.kind).on_groups:
        yield (
            f"who is in which group: {new.name} has no `groups`, so each search has to say in which groups its user is"
        )
    yield "how many calls, and how much, the accounts of both services allow, and what both cost side by side"


def _while_both_run(where: Where, pair: Pair) -> Iterator[Step]:
    old, new = pair.names
    if pair.old.schedule is not None and pair.new.schedule is None:
        yield Step(
            f"Give {new} a `schedule` in connectors.yaml, as {old} has one, so that both are up to date",
            f"docferry deploy {new}",
        )
    else:
        yield Step("Both are synced while both are searched", NextSteps(where, pair.new.connector).about("status"))
    yield Step(f"Whatever hands documents in to the inbox of {old} hands them in to that of {new}, too")


def _switch(pair: Pair) -> Iterator[Step]:
    old, new = pair.old.connector, pair.new.connector
    yield Step(
        f"Switch the application from {old.index.kind} to {new.index.kind}. Ids begin with {new.name}/ in place of "
        f"{old.name}/: change whatever stores them, such as bookmarks, feedback and featured results"
    )
