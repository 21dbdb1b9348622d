"""Keeps moto's EC2 out: it takes longer to import than the rest of the laptop, and nothing here uses it.

The interpreter of state machines knows a task for AWS Batch, and takes an enumeration for it from moto's Batch, which
imports all of EC2.
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
    # A place where modules of the package are found; what the package itself imports is not run.
    sys.modules["moto.batch"] = module_from_spec(spec)
    try:
        import_module("moto.batch.utils")
    finally:
        del sys.modules["moto.batch"]
