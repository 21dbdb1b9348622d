"""Avoids the import of moto's EC2, which takes longer than the rest of the laptop. Nothing here uses EC2.

The interpreter of state machines has a task for AWS Batch. For this task it takes an enumeration from moto's Batch,
which imports all of EC2.
"""

import sys
from importlib import import_module
from importlib.util import find_spec, module_from_spec


def import_batch_utils() -> None:
    """Import the module with the enumeration, without the package around it. ``import moto.batch`` still works."""
    if "moto.batch" in sys.modules:
        return
    spec = find_spec("moto.batch")
    assert spec is not None
    # This only says where the modules of the package are. The package's own imports do not run.
    sys.modules["moto.batch"] = module_from_spec(spec)
    try:
        import_module("moto.batch.utils")
    finally:
        del sys.modules["moto.batch"]
