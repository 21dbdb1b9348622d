"""Emulators of Amazon Kendra, Amazon Q Business and Amazon Bedrock Knowledge Bases, as backends of moto.

    with emulated() as emulation:
        kendra = boto3.client("kendra", region_name="eu-west-1")

Inside the block, boto3 clients of these services work in this process, beside everything that moto emulates.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from docferry_emulators.emulation import Emulation
    from docferry_emulators.faults import Faults, Knobs, LostReply
    from docferry_emulators.settings import DEFAULTS, Settings
    from docferry_emulators.start import emulated, opened

__all__ = ["DEFAULTS", "Emulation", "Faults", "Knobs", "LostReply", "Settings", "emulated", "opened"]

_MODULES = {
    "Emulation": "emulation",
    **dict.fromkeys(("Faults", "Knobs", "LostReply"), "faults"),
    **dict.fromkeys(("DEFAULTS", "Settings"), "settings"),
    **dict.fromkeys(("emulated", "opened"), "start"),
}


def __getattr__(name: str) -> Any:
    """Import a name only when it is used: moto takes a second, and the settings and the pytest plug-in need no moto."""
    if name not in _MODULES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_MODULES[name]}"), name)
