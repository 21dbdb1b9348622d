"""Starts a run when something was uploaded, and the next one when that run has ended."""

import os
from typing import Any

import msgspec
from aws_lambda_powertools import Logger
from aws_lambda_powertools.utilities.typing import LambdaContext

from docferry.runtime.wiring import client
from docferry.state.store import Store
from docferry.workflow.signals import signals
from docferry.workflow.trigger import TriggerSettings, trigger


def handler(event: dict[str, Any], _context: LambdaContext) -> dict[str, Any]:
    """See docferry.workflow.trigger. An error brings the messages back: SQS delivers them again."""
    settings = TriggerSettings.from_env(os.environ)
    store = Store(settings.state_bucket, client("s3"))
    heard = signals(event, settings.source_bucket)
    result = trigger(store, client("stepfunctions"), settings.state_machine, heard)
    built: dict[str, Any] = msgspec.to_builtins(result)
    Logger(service=settings.connector).info("done", state="trigger", result=built)
    return built
