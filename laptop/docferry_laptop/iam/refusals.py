"""Refuses a call as each service refuses it.

https://docs.aws.amazon.com/IAM/latest/UserGuide/troubleshoot_access-denied.html has the forms of the message.
"""

from xml.sax.saxutils import escape

import msgspec

from docferry_emulators.errors import AccessDenied
from docferry_emulators.qbusiness import exceptions
from docferry_emulators.wire.rest_json import write_error
from docferry_laptop.iam.policy import Decision, Demand

Reply = tuple[int, dict[str, str], bytes]


class NotAuthorized(Exception):  # noqa: N818  # the message begins so
    """A role may not make a call; the text is that of AWS."""


def message(principal: str, demand: Demand, decision: Decision) -> str:
    """Return AWS's message for a demand that is not met. ``principal`` is an ARN."""
    resource = f'"{demand.resource}"' if demand.action.startswith("s3:") else demand.resource
    why = (
        "with an explicit deny in an identity-based policy"
        if decision == "denied"
        else f"because no identity-based policy allows the {demand.action} action"
    )
    return f"User: {principal} is not authorized to perform: {demand.action} on resource: {resource} {why}"


def write(service: str, text: str, *, form: bool = False) -> Reply:
    """Return status, headers and body of a refusal by a service, under the name that a signature has for it.

    ``form``: the request was a form, which is answered in XML.
    """
    if service == "s3":
        body = f"<Error><Code>AccessDenied</Code><Message>{escape(text)}</Message></Error>"
        return 403, {"Content-Type": "application/xml"}, body.encode()
    if form:
        code = "AuthorizationError" if service == "sns" else "AccessDenied"
        body = f"<Error><Type>Sender</Type><Code>{code}</Code><Message>{escape(text)}</Message></Error>"
        return 403, {"Content-Type": "text/xml"}, f"<ErrorResponse>{body}</ErrorResponse>".encode()
    if service == "qbusiness":
        return exceptions.write(AccessDenied(text))
    if service == "bedrock":
        return write_error(AccessDenied(text))
    code = "AccessDeniedException"
    headers = {"Content-Type": "application/x-amz-json-1.1", "x-amzn-ErrorType": code}
    status = 403 if service == "lambda" else 400
    return status, headers, msgspec.json.encode({"__type": code, "Message": text})
