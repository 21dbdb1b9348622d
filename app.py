"""The CDK app: a stack for each connector of connectors.yaml. docferry_infra/app.py says what it reads."""

import sys
from pathlib import Path

ROOT = Path(__file__).parent
sys.path[:0] = [str(ROOT / "functions"), str(ROOT / "infra")]

from docferry_infra.app import main  # noqa: E402  # found through the line above

if __name__ == "__main__":
    sys.exit(main(ROOT))
