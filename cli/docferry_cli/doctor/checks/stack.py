"""Checks of the deployed stack: its status, its code, the environment of its functions, its dead letters."""

from collections.abc import Mapping

from docferry.runtime.fingerprint import fingerprint
from docferry.runtime.lambdas import DEPLOYED
from docferry.runtime.settings import Settings
from docferry_cli.doctor.context import Context
from docferry_cli.doctor.findings import NotHere, Ok, Result, Unknown, Wrong

# https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html: all variables of a function together.
ENVIRONMENT_BYTES = 4096
CODE, DEAD_LETTERS = "Code", "DeadLetters"
"""Outputs of a stack: the fingerprint of its code, and the URL of its queue for dead letters."""
WHOLE = frozenset({"CREATE_COMPLETE", "UPDATE_COMPLETE", "IMPORT_COMPLETE", "UPDATE_COMPLETE_CLEANUP_IN_PROGRESS"})


def status(context: Context) -> Result:
    """Look whether the stack is whole. Without a stack, opening the connector says what to do."""
    context.open()
    if context.stack is None:
        return Ok("it is part of the stack of another app")
    said = context.stack["StackStatus"]
    if said in WHOLE:
        return Ok(f"{context.stack_name} is {said}")
    if said.endswith("_IN_PROGRESS"):
        return Unknown(f"{context.stack_name} is {said}: ask again when it is done")
    reason = f" ({why})" if (why := context.stack.get("StackStatusReason")) else ""
    back = " The version before it runs." if said == "UPDATE_ROLLBACK_COMPLETE" else ""
    return Wrong(
        f"{context.stack_name} is {said}{reason}.{back}",
        f"look at the stack's events for the reason, then `docferry deploy {context.connector.name}`",
    )


def environment(context: Context) -> Result:
    """Measure the environment of each function, as it is deployed and as connectors.yaml would deploy it."""
    opened = context.open()
    sizes = {"connectors.yaml": _size(Settings(opened.bucket, context.deployed()).to_env())}
    if context.target != "here":
        for function in DEPLOYED:
            variables = context.function(function.name).get("Environment", {}).get("Variables", {})
            sizes[function.name] = _size(variables)
    name, size = max(sizes.items(), key=lambda one: one[1])
    if size > ENVIRONMENT_BYTES:
        what = f"the environment of a function is {size:,} bytes ({name}); Lambda takes {ENVIRONMENT_BYTES:,}"
        return Wrong(what, "shorten the settings of the source: fewer or shorter patterns and names")
    return Ok(f"{size:,} of {ENVIRONMENT_BYTES:,} bytes")


def code(context: Context) -> Result:
    """Compare the code of the stack with the code that would be deployed now."""
    if context.stack is None:
        return NotHere(f"the stack of another app has no output {CODE}; `cdk diff` of that app compares")
    deployed, ours = context.outputs.get(CODE), fingerprint()
    where = " local" if context.target == "stack" else ""
    cure = f"`docferry{where} deploy {context.connector.name}`"
    if deployed is None:
        return Wrong("the stack was deployed by a version that did not say which it was", cure)
    if deployed != ours:
        return Wrong(f"the stack has the code {deployed}, and this Docferry is {ours}", cure)
    return Ok(f"the stack has this Docferry's code, {ours}")


def dead_letters(context: Context) -> Result:
    """Count the events that could not be handled."""
    if context.stack is None:
        return NotHere("they are in the stack of another app, whose alarm DeadLetters tells")
    queue = context.outputs.get(DEAD_LETTERS)
    if queue is None:
        return Unknown(f"the stack has no output {DEAD_LETTERS}: `docferry deploy {context.connector.name}` adds it")
    name = "ApproximateNumberOfMessages"
    reply = context.client("sqs").get_queue_attributes(QueueUrl=queue, AttributeNames=[name])
    waiting = int(reply["Attributes"][name])
    if waiting:
        what = f"{waiting:,} events did not reach the trigger, the janitor or the schedule: they are in {queue}"
        cure = "read a message for the reason and mend it, then purge the queue; the next run compares everything"
        return Wrong(what, cure)
    return Ok("none")


def _size(variables: Mapping[str, str]) -> int:
    return sum(len(name.encode()) + len(value.encode()) for name, value in variables.items())
