"""Runs the AWS CDK CLI, which deploys synthesized stacks."""

import os
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from docferry.connector import stack_name
from docferry.errors import ConfigurationError
from docferry_laptop.assembly import Assembly

# The CLI must not be older than the assembly schema that aws-cdk-lib writes.
CLI = "aws-cdk@2"


def cdk_deploy(assembly: Assembly, connector: str, arguments: Sequence[str]) -> int:
    """Deploy the stack of a connector with the CDK CLI, which talks to the person itself. Returns its exit code.

    Raises ConfigurationError when npx is not installed.
    """
    # The Node of this machine, or else the one that is installed beside this Python.
    path = os.pathsep.join([os.environ.get("PATH", ""), str(Path(sys.executable).parent)])
    npx = shutil.which("npx", path=path)
    if npx is None:
        raise ConfigurationError("npx, which runs the CDK CLI, is not installed: pip install 'docferry[deploy]'")
    asked = any(argument.partition("=")[0] == "--require-approval" for argument in arguments)
    approval = () if asked else ("--require-approval", "broadening")
    return subprocess.run(  # noqa: S603  # found on the path
        [npx, "--yes", CLI, "deploy", "--app", str(assembly.folder), *approval, *arguments, stack_name(connector)],
        env={**os.environ, "PATH": path},
        check=False,
    ).returncode
