"""The AWS side of a connector: one CloudFormation stack, or a part of yours, made without an account or Docker.

    from docferry_infra import Connector, KendraSettings, S3Settings

CDK runs on Node, which is installed into the virtual environment like any other requirement. It looks for it on the
path, where it is only while the environment is activated.
"""

import os
import shutil
import sys
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from docferry.config.deployment import Deploy, Messages, Mount, Schedule, Vpc
    from docferry.connector import DeleteGuard, Groups
    from docferry.indexes.bedrock.settings import BedrockSettings
    from docferry.indexes.kendra import KendraSettings
    from docferry.indexes.qbusiness import QBusinessSettings
    from docferry.sources.folder.files import FilesSettings
    from docferry.sources.s3 import S3Settings
    from docferry_infra.connector import Connector

__all__ = [
    "BedrockSettings",
    "Connector",
    "DeleteGuard",
    "Deploy",
    "FilesSettings",
    "Groups",
    "KendraSettings",
    "Messages",
    "Mount",
    "QBusinessSettings",
    "S3Settings",
    "Schedule",
    "Vpc",
]

_MODULES = {
    "BedrockSettings": "docferry.indexes.bedrock.settings",
    "Connector": "docferry_infra.connector",
    "DeleteGuard": "docferry.connector",
    "Groups": "docferry.connector",
    **dict.fromkeys(("Deploy", "Messages", "Mount", "Schedule", "Vpc"), "docferry.config.deployment"),
    "FilesSettings": "docferry.sources.folder.files",
    "KendraSettings": "docferry.indexes.kendra",
    "QBusinessSettings": "docferry.indexes.qbusiness",
    "S3Settings": "docferry.sources.s3",
}

if shutil.which("node") is None:
    os.environ["PATH"] = os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", "")])


def __getattr__(name: str) -> Any:
    """Import what is asked for: importing the CDK starts Node, and a bundle is built without it."""
    if name not in _MODULES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(_MODULES[name]), name)
