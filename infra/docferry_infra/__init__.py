"""The AWS side of a connector: one CloudFormation stack, synthesized without an account, Docker or the network.

CDK runs on Node, which is installed into the virtual environment like any other requirement. It looks for it on the
path, where it is only while the environment is activated.
"""

import os
import shutil
import sys
from pathlib import Path

if shutil.which("node") is None:
    os.environ["PATH"] = os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", "")])
