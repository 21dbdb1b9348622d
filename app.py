"""Synthesize a stack for each connector of connectors.yaml. ``make synth`` runs it, and so does the cdk command.

The environment, or the CDK context, says what else than the default: ``DOCFERRY_CONNECTORS`` or ``connectors`` is the
file to read, ``DOCFERRY_BUNDLE=here`` or ``bundle=here`` takes this machine's bundle instead of Lambda's.
"""

import os
import sys
from pathlib import Path

ROOT = Path(__file__).parent
sys.path[:0] = [str(ROOT), str(ROOT / "functions")]

from docferry.errors import ConfigurationError  # noqa: E402  # found through the line above
from infra.order import Order  # noqa: E402


def main() -> int:
    """Synthesize into ``cdk.out``. Returns 2, with every mistake told and nothing written, for a bad configuration."""
    try:
        order = Order.from_env(os.environ, config=ROOT / "connectors.yaml", out=ROOT / "cdk.out")
    except ConfigurationError as error:
        print(error, file=sys.stderr)  # noqa: T201  # a command
        return 2
    from infra.synth import synthesize  # noqa: PLC0415  # starts Node

    synthesize(order)
    return 0


if __name__ == "__main__":
    sys.exit(main())
