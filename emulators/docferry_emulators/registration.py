"""Registers the services with moto, as if they were part of it."""

import re
import sys

import moto.backend_index

import docferry_emulators.bedrock.cloudformation
import docferry_emulators.kendra.cloudformation
import docferry_emulators.qbusiness.cloudformation  # noqa: F401  # CloudFormation finds classes that exist
from docferry_emulators import bedrock, cloudformation, kendra, qbusiness

_MODULES = {"kendra": kendra, "qbusiness": qbusiness, "bedrockknowledgebases": bedrock}
_HOSTS = {"kendra": "kendra", "qbusiness": "qbusiness", "bedrockknowledgebases": "bedrock-agent(-runtime)?"}
# These come first in moto's list of about two hundred patterns, which moto tries in order for each request. Moto's own
# pattern for bedrock-agent comes later: the emulator hands over what is not about knowledge bases.
_PATTERNS = [
    (service, re.compile(rf"https?://{host}(-fips)?\.([^./]+)\.(amazonaws\.com|api\.aws)"))
    for service, host in _HOSTS.items()
]


def register() -> None:
    """Register the backends. A second call changes nothing."""
    for service, module in _MODULES.items():
        sys.modules[f"moto.{service}"] = module
    known = {service for service, _ in moto.backend_index.backend_url_patterns}
    moto.backend_index.backend_url_patterns[:0] = [entry for entry in _PATTERNS if entry[0] not in known]
    cloudformation.announce()
