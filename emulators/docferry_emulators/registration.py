"""Registers the two services with moto, as if they were part of it."""

import re
import sys

import moto.backend_index

import docferry_emulators.kendra.cloudformation
import docferry_emulators.qbusiness.cloudformation  # noqa: F401  # CloudFormation finds classes that exist
from docferry_emulators import cloudformation, kendra, qbusiness

# These come first in moto's list of about two hundred patterns, which moto tries in order for each request.
_PATTERNS = [
    (service, re.compile(rf"https?://{service}(-fips)?\.([^./]+)\.(amazonaws\.com|api\.aws)"))
    for service in ("kendra", "qbusiness")
]


def register() -> None:
    """Register both backends. A second call changes nothing."""
    sys.modules["moto.kendra"] = kendra
    sys.modules["moto.qbusiness"] = qbusiness
    known = {service for service, _ in moto.backend_index.backend_url_patterns}
    moto.backend_index.backend_url_patterns[:0] = [entry for entry in _PATTERNS if entry[0] not in known]
    cloudformation.announce()
