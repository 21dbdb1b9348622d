"""One run in this process: `python -m benchmarks.scale.one FOLDER [--events]`, with what is wanted on standard input.

The folder is the world before the run, and becomes the one after it. Prints what was measured as JSON.
"""

import sys
from pathlib import Path

import msgspec

from benchmarks.scale.measured import Wanted
from benchmarks.scale.world import World

HOUR, MINUTE = 3600, 60


def main(folder: Path, *, events: bool) -> None:
    """Run, and print."""
    wanted = msgspec.json.decode(sys.stdin.buffer.read(), type=Wanted)
    world = World(folder)

    def tell(now: float, text: str) -> None:
        if events:
            clock = f"{int(now // HOUR):3}:{int(now // MINUTE % MINUTE):02}:{now % MINUTE:05.2f}"
            print(f"{wanted.documents:,} {wanted.scenario} {clock} {text}", file=sys.stderr)

    measured = world.run(wanted, tell)
    world.save()
    print(msgspec.json.encode(measured).decode())


if __name__ == "__main__":
    main(Path(sys.argv[1]), events="--events" in sys.argv)
