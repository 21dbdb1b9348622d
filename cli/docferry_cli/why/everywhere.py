"""Asks one connector, or all of them, and makes one answer of it."""

from collections.abc import Iterator

from rich.console import Console

from docferry.connector import Connector
from docferry.errors import ConfigurationError
from docferry_cli.next_steps import NextSteps
from docferry_cli.targets import Opened, Where
from docferry_cli.why import reads
from docferry_cli.why.answer import Answer
from docferry_cli.why.evidence import Question
from docferry_cli.why.held import NEAREST, SHOWN
from docferry_cli.why.inquiry import Found, inquire

STEP = 100


def ask(where: Where, connector: str | None, question: Question) -> Answer:
    """Ask the named connector; without one, that of the id, or else all. Raises ConfigurationError."""
    names: list[str | None] = [connector] if connector is not None else _names(where, question.text)
    answers: list[Found] = []
    problems: list[str] = []
    for name in names:
        try:
            answers.append(_of_one(where, name, question))
        except ConfigurationError as error:
            if len(names) == 1:
                raise
            # One of several may not be deployed.
            problems.append(f"{name}: {error}")
    if not answers:
        raise ConfigurationError("; ".join(problems))
    matches = [match for one in answers for match in one.matches]
    explained = [one.document for one in answers if one.document is not None]
    for one in answers:
        problems += one.problems
    return Answer(
        asked=question.text,
        document=explained[0] if len(matches) == 1 and explained else None,
        matches=tuple(matches[:SHOWN]),
        nearest=tuple([match for one in answers for match in one.nearest][:NEAREST]) if not matches else (),
        problems=tuple(dict.fromkeys(problems)),
    )


def _names(where: Where, text: str) -> list[str | None]:
    """The connectors to ask: an id begins with the name of its connector. None: whichever the command finds."""
    names = [one.name for one in where.connectors()]
    found: list[str | None] = [name for name in names if text.startswith(f"{name}/")]
    return found or [*names] or [None]


def _of_one(where: Where, name: str | None, question: Question) -> Found:
    with where.look(name) as looked:
        opened = _as_described(where, looked)
        reads.check(opened, question.reader)
        with Console(stderr=True).status(f"asking {opened.connector.name}") as status:

            def step(count: int) -> None:
                if not count % STEP:
                    status.update(f"listing the source: {count:,} documents")

            return inquire(opened, question, NextSteps(where, opened.connector), step)


def _as_described(where: Where, opened: Opened) -> Opened:
    """The connector as connectors.yaml describes it now. On this machine the last sync may have had other settings."""
    if where.target != "here":
        return opened
    now = next((one for one in _described(where) if one.name == opened.connector.name), None)
    if now is None or now.index.kind != opened.connector.index.kind:
        return opened
    return Opened(opened.target, now, opened.part, opened.bucket)


def _described(where: Where) -> Iterator[Connector]:
    if where.config.exists():
        from docferry.config.connectors import load_connectors

        yield from load_connectors(where.config).values()
