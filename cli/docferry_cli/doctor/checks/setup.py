"""Checks of what a person has set up: credentials, and the secrets of the source."""

import re
from collections.abc import Iterator
from typing import Any

from botocore.exceptions import ClientError

from docferry.config.deployment import SECRETS_MANAGER
from docferry.errors import ConfigurationError
from docferry.runtime import wiring
from docferry.sources.secrets import ENVIRONMENT, resolve
from docferry_cli.doctor.context import Context
from docferry_cli.doctor.findings import Ok, Result, Wrong


def credentials(_: Context) -> Result:
    """Ask AWS who is calling. What keeps the call from working makes the check unknown."""
    sts = wiring.client("sts")
    caller = sts.get_caller_identity()
    return Ok(f"{caller['Arn']} in {sts.meta.region_name}")


def secrets(context: Context) -> Result:
    """Look whether each secret that the source names is there. The secrets of a deployed source are not read."""
    named = sorted(set(references(context.connector.source.settings)))
    if context.target == "here":
        context.open()
        problems = [problem for reference in named if (problem := _unresolved(reference))]
    else:
        problems = [problem for reference in named if (problem := _missing(context, reference))]
    if problems:
        return Wrong("; ".join(problems), "make the secret, or name another one in connectors.yaml")
    return Ok(f"{len(named)} secrets are there" if named else "the source names none")


def references(value: Any) -> Iterator[str]:
    """The references to secrets anywhere in the settings of a source."""
    if isinstance(value, str) and (value.startswith(ENVIRONMENT) or re.match(SECRETS_MANAGER, value)):
        yield value
    for inner in value.values() if isinstance(value, dict) else value if isinstance(value, list) else ():
        yield from references(inner)


def _unresolved(reference: str) -> str:
    try:
        resolve(reference, wiring.client)
    except ConfigurationError as error:
        return str(error)
    return ""


def _missing(context: Context, reference: str) -> str:
    if reference.startswith(ENVIRONMENT):
        return f"{reference} names a variable of one machine, which a function does not have"
    try:
        described = context.client("secretsmanager").describe_secret(SecretId=reference)
    except ClientError as error:
        if error.response["Error"]["Code"] == "ResourceNotFoundException":
            return f"there is no secret {reference}"
        raise
    return f"the secret {reference} is being deleted" if described.get("DeletedDate") else ""
