"""Examines a connector: every check looks by itself, and what keeps one from looking keeps no other."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack

from botocore.exceptions import BotoCoreError, ClientError

from docferry.connector import Connector
from docferry.errors import AccessDenied, ConfigurationError, DocferryError, RetriableError
from docferry_cli.aws_errors import explain
from docferry_cli.doctor.checks import CHECKS
from docferry_cli.doctor.context import Blocked, Context
from docferry_cli.doctor.findings import Check, Examination, Finding, NotHere, Ok, Result, Unknown, Wrong
from docferry_cli.targets import Where

CONFIGURATION = "configuration"
NOT_HERE = "not on this machine"


def examine(
    where: Where, name: str | None, checks: Sequence[Check] = CHECKS, told: Callable[[Finding], None] = lambda _: None
) -> Examination:
    """Run the checks on a connector, and tell each finding as it is made.

    Raises ConfigurationError when there is no such connector.
    """
    first = _configuration(where)
    told(first)
    if first.status == "wrong" and where.target != "here":
        rest = [Finding(check.name, "unknown", "there is no valid configuration") for check in checks]
        for finding in rest:
            told(finding)
        return _summed(name or "", where, [first, *rest])
    connector = where.connector(name)
    found = [first]
    for finding in _looked(where, connector, checks):
        told(finding)
        found.append(finding)
    return _summed(connector.name, where, found)


def _looked(where: Where, connector: Connector, checks: Sequence[Check]) -> Iterator[Finding]:
    with ExitStack() as opening:
        context = Context(where, connector, opening)
        for check in checks:
            if where.target in check.targets:
                yield finding_of(check.name, looked(check, context))
            else:
                yield Finding(check.name, "not here", NOT_HERE)


def looked(check: Check, context: Context) -> Result:
    """Run one check. What it raises says that something is wrong, or that it cannot tell."""
    try:
        return check.look(context)
    except AccessDenied as error:
        cause = error.__cause__
        return Unknown(explain(cause) if isinstance(cause, ClientError | BotoCoreError) else str(error))
    except (Blocked, RetriableError) as error:
        return Unknown(str(error))
    except DocferryError as error:
        return Wrong(str(error))
    except (ClientError, BotoCoreError) as error:
        return Unknown(explain(error))
    except Exception as error:  # noqa: BLE001  # the other checks go on
        return Unknown(f"{type(error).__name__}: {error}")


def finding_of(name: str, result: Result) -> Finding:
    """What a check has found, as it is printed."""
    match result:
        case Ok(seen):
            return Finding(name, "ok", seen)
        case Wrong(what, cure):
            return Finding(name, "wrong", what, cure)
        case Unknown(why):
            return Finding(name, "unknown", why)
        case NotHere(why):
            return Finding(name, "not here", why)


def _configuration(where: Where) -> Finding:
    """Read connectors.yaml as a whole. A folder that was synced with ``--path`` needs none."""
    if where.target != "stack" and not where.config.exists():
        known = "what was synced is known" if where.target == "here" else "the functions of a connector say what it is"
        return Finding(CONFIGURATION, "ok", f"there is no {where.config}, and {known}")
    from docferry.config.connectors import load_connectors

    try:
        connectors = load_connectors(where.config)
    except ConfigurationError as error:
        return Finding(CONFIGURATION, "wrong", str(error), f"correct {where.config}")
    return Finding(CONFIGURATION, "ok", f"{where.config} describes {len(connectors)} connectors")


def _summed(name: str, where: Where, findings: list[Finding]) -> Examination:
    statuses = {finding.status for finding in findings}
    if "wrong" in statuses:
        return Examination(name, where.target, "wrong", findings)
    return Examination(name, where.target, "unknown" if "unknown" in statuses else "ok", findings)
