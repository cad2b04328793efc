"""``python -m habitus_bindings.dataset``: parses and prints."""

import argparse
import sys

from habitus.scoring import FILLS

try:
    from habitus_bindings.dataset import Columns, score_dataset
except ImportError as missing:
    sys.exit(str(missing))


def main() -> int:
    """Exit code 0, or 1 after one line that says what is wrong."""
    given = _parser().parse_args()
    try:
        report = score_dataset(
            given.tasks,
            None if given.rankings == "-" else given.rankings,
            given.out,
            alpha=given.alpha,
            fill=given.fill,
            columns=Columns(*(getattr(given, name) for name in Columns._fields)),
            carry=given.carry,
            joined=given.joined,
            threads=given.threads,
        )
    except (ValueError, OSError) as error:
        if given.debug:
            raise
        sys.stderr.write(f"{error}\n")
        return 1
    before = f", {report.resumed:,} of them before" if report.resumed else ""
    sys.stdout.write(
        f"{report.rankings:,} rankings of {report.tasks:,} tasks scored{before};"
        f" {len(report.files)} files in {given.out}\n"
    )
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m habitus_bindings.dataset",
        description="Score rankings in Parquet files, in nats. Interrupted, the same command goes on where it was.",
    )
    add = parser.add_argument
    add("tasks", metavar="TASKS", help="file, folder or glob of Parquet files with lists of counts")
    add("rankings", metavar="RANKINGS", help="likewise with rankings; - if each row of TASKS has its own")
    add("out", metavar="OUT", help="folder of the results")
    add("--alpha", type=float, help="pseudo-count; default 1/K")
    add("--fill", choices=FILLS, default="chance", help="what empty slots are given")
    add("--threads", type=int, help="default one per core")
    add("--joined", action="store_true", help="entropy, chance and worst beside each ranking, too")
    add(
        "--carry",
        action="append",
        metavar="COLUMN",
        help="column to stand beside the scores; default all but lists read",
    )
    for name, default in Columns()._asdict().items():
        add(f"--{name.replace('_', '-')}", default=default, metavar="NAME", help=f"column instead of {default}")
    add("--debug", action="store_true", help="show where an error comes from")
    return parser


if __name__ == "__main__":
    sys.exit(main())
