"""`python -m benchmarks.reliability`: every bar, on every system that is there; kept, and printed as a table.

Inspect and lm-eval are run with the Python of the environments in which they are installed. What was measured of other
bars or systems before stays in benchmarks/measured/reliability.json; `--draw` prints the table from it.
"""

import argparse
import datetime as dt
import tempfile
from pathlib import Path

from benchmarks import timing
from benchmarks.kept import ROOT
from benchmarks.reliability import caches, hostile, keys, kills, processor, starts, together, troubles
from benchmarks.reliability.bar import Bar, Size
from benchmarks.reliability.inspect_peer import Inspect
from benchmarks.reliability.kept import Measured, lacking
from benchmarks.reliability.lm_eval_peer import LmEval
from benchmarks.reliability.ours import Habitus
from benchmarks.reliability.processes import said
from benchmarks.reliability.systems import System

BARS: dict[str, Bar] = {
    "kills": kills.BAR,
    "weather": troubles.WEATHER,
    "quota": troubles.QUOTA,
    "caches": caches.BAR,
    "together": together.BAR,
    "keys": keys.BAR,
    "hostile": hostile.BAR,
    "help": starts.HELP,
    "offline": starts.OFFLINE,
    "processor": processor.BAR,
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--ours", action="store_true", help="measure Habitus")
    parser.add_argument("--inspect", type=Path, metavar="PYTHON", help="measure Inspect")
    parser.add_argument("--lm-eval", type=Path, metavar="PYTHON", help="measure lm-eval")
    parser.add_argument("--bars", nargs="+", choices=BARS, default=list(BARS), metavar="BAR", help=", ".join(BARS))
    parser.add_argument("--kills", type=int, default=Size().kills, help="of Habitus")
    parser.add_argument("--peer-kills", type=int, default=Size().peer_kills, help="of every other system")
    parser.add_argument("--draw", action="store_true", help="print the table of what is kept, and measure nothing")
    given = parser.parse_args()
    if not given.draw:
        measure(_systems(given), given.bars, Size(kills=given.kills, peer_kills=given.peer_kills))
    print(Measured.read().table(BARS))


def measure(systems: list[System], bars: list[str], size: Size) -> None:
    """Keep every bar as soon as it is measured."""
    reasons = [reason for system in systems if (reason := system.lacks())]
    there = [system for system in systems if not system.lacks()]
    timing.progress(lacking(reasons))
    for name in bars:
        timing.progress(f"{name}: {', '.join(system.name for system in there)}")
        origin = _origin()
        with tempfile.TemporaryDirectory(prefix="reliability-", ignore_cleanup_errors=True) as folder:
            found = BARS[name].measure(there, Path(folder), size)
        Measured.read().having(name, found, origin).keep()


def _systems(given: argparse.Namespace) -> list[System]:
    systems: list[System] = [Habitus()] if given.ours else []
    systems += [Inspect(given.inspect)] if given.inspect else []
    systems += [LmEval(given.lm_eval)] if given.lm_eval else []
    return systems


def _origin() -> dict[str, str]:
    machine = timing.machine()
    return {
        "date": dt.datetime.now(dt.UTC).date().isoformat(),
        "commit": said("git", "-C", str(ROOT), "describe", "--always", "--dirty"),
        "processor": machine["processor"],
        "cores": machine["cores"],
        "python": machine["python"],
    }


if __name__ == "__main__":
    main()
