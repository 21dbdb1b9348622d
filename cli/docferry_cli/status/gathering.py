"""Looks at all connectors of a target, one after the other; one that cannot be read does not hide the others."""

from collections.abc import Mapping
from datetime import datetime

from docferry.config.deployment import Described, for_laptop
from docferry.connector import Connector, pick
from docferry.errors import DocferryError, NotDeployed
from docferry_cli.aws_errors import explain, of_aws
from docferry_cli.next_steps import NextSteps
from docferry_cli.status.facts import Status
from docferry_cli.status.judging import judge, unreadable
from docferry_cli.status.looking import look
from docferry_cli.targets import Where


def gather(where: Where, name: str | None, now: datetime | None = None) -> list[Status]:
    """Return the status of each connector, or of the named one. Raises ConfigurationError."""
    connectors = where.connectors() if name is None else [_named(where, name)]
    described = _described(where)
    schedules = {one: of.schedule for one, of in described.items() if of.schedule is not None}
    laptops = {one for one, of in described.items() if for_laptop(of)}
    found = []
    with where.see() as opened:
        for connector in connectors:
            steps = NextSteps(where, connector)
            try:
                seen = look(opened(connector), schedules.get(connector.name), steps, now)
            except NotDeployed as error:
                if name is None and connector.name in laptops:
                    continue  # nobody says that it should be
                found.append(unreadable(where.target, str(error), steps))
            except DocferryError as error:
                found.append(unreadable(where.target, str(error), steps))
            except Exception as error:
                if not of_aws(error):
                    raise
                found.append(unreadable(where.target, explain(error), steps))
            else:
                found.append(judge(where.target, seen, steps))
    return found


def exit_code(found: list[Status]) -> int:
    """Return 0 when all connectors are healthy, 1 when one is not, and 2 when one could not be read."""
    healths = {status.health for status in found}
    return 1 if "unhealthy" in healths else 2 if "unknown" in healths else 0


def _named(where: Where, name: str) -> Connector:
    if where.target != "here":
        return where.connector(name)
    return pick({one.name: one for one in where.connectors()}, name)


def _described(where: Where) -> Mapping[str, Described]:
    """What connectors.yaml says of connectors. Nothing starts a sync by itself at the target ``here``."""
    if where.target == "here" or not where.config.exists():
        return {}
    from docferry.config.connectors import describe

    return describe(where.config)
