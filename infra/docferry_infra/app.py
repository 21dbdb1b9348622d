"""Synthesize a stack for each connector of connectors.yaml. ``docferry synth`` runs it, and so does the cdk command.

The environment, or the CDK context, says what else than the default: ``DOCFERRY_CONNECTORS`` or ``connectors`` is the
file to read, ``DOCFERRY_BUNDLE=here`` or ``bundle=here`` takes this machine's bundle instead of Lambda's.
"""

import os
import sys
from pathlib import Path
from subprocess import CalledProcessError

from docferry.errors import ConfigurationError
from docferry_infra.request import Request


def main(root: Path | None = None) -> int:
    """Synthesize ``connectors.yaml`` of a folder into its ``cdk.out``; the folder is the current one by default.

    Returns 2 for a bad configuration, with every mistake told and nothing written; 2, too, when no bundle can be built.
    """
    root = root or Path.cwd()
    try:
        request = Request.from_env(os.environ, config=root / "connectors.yaml", out=root / "cdk.out")
        from docferry_infra.synth import synthesize  # noqa: PLC0415  # starts Node

        synthesize(request)
    except ConfigurationError as error:
        return _told(str(error))
    except CalledProcessError as error:
        program = " ".join(map(str, error.cmd[:4]))
        return _told(f"the bundle cannot be built: `{program} …` failed, and has said why above; is the network there?")
    return 0


def _told(problem: str) -> int:
    print(problem, file=sys.stderr)  # noqa: T201  # a command
    return 2


if __name__ == "__main__":
    sys.exit(main())
