"""The memory of this process, in KiB.

Not ru_maxrss where it can be avoided: on Linux a process begins with that of the one that started it.
"""

import resource
from pathlib import Path

STATUS, CLEAR = Path("/proc/self/status"), Path("/proc/self/clear_refs")


def idle() -> int:
    """What is in use now; from here on ``peak`` counts anew."""
    if not STATUS.exists():
        return peak()
    CLEAR.write_text("5", encoding="ascii")  # "reset the peak", proc(5)
    return _of("VmRSS:")


def peak() -> int:
    """The most that was in use since ``idle``."""
    return _of("VmHWM:") if STATUS.exists() else resource.getrusage(resource.RUSAGE_SELF).ru_maxrss


def _of(name: str) -> int:
    return next(int(line.split()[1]) for line in STATUS.read_text("utf-8").splitlines() if line.startswith(name))
