"""The AWS CDK CLI, which deploys what was synthesized."""

import os
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from docferry.errors import ConfigurationError
from docferry_laptop.assembly import Assembly

# Not older than the schema of the assembly that aws-cdk-lib writes.
CLI = "aws-cdk@2"


def cdk_deploy(assembly: Assembly, connector: str, arguments: Sequence[str]) -> int:
    """Deploy the stack of a connector, and return the exit code of the CDK CLI: it talks to the person itself.

    Raises ConfigurationError where there is no npx.
    """
    # Node of this machine, or the one that was installed beside this Python.
    path = os.pathsep.join([os.environ.get("PATH", ""), str(Path(sys.executable).parent)])
    npx = shutil.which("npx", path=path)
    if npx is None:
        raise ConfigurationError("npx, which runs the CDK CLI, is not installed: pip install 'docferry[deploy]'")
    approval = () if "--require-approval" in arguments else ("--require-approval", "broadening")
    return subprocess.run(  # noqa: S603  # found on the path
        [npx, "--yes", CLI, "deploy", "--app", str(assembly.folder), *approval, *arguments, f"docferry-{connector}"],
        env={**os.environ, "PATH": path},
        check=False,
    ).returncode
