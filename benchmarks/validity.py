"""Keeps what `habitus check validity` found: `python -m benchmarks.validity DIR` writes its table into the README."""

import argparse
import datetime as dt
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from benchmarks.marks import between

README = Path(__file__).with_name("README.md")
KEPT = Path(__file__).parent / "measured" / "validity.json"
MARKS = "<!-- validity: begin -->", "<!-- validity: end -->"


def table(kept: Mapping[str, Any]) -> str:
    """One row per property."""
    rows = [
        f"| {one['key']} {one['name']} | {one['criterion']} | {one['found']} | {one['rests_on']} |"
        f" {'holds' if one['holds'] else '**fails**'} |"
        for one in kept["properties"]
    ]
    seconds = sum(one["seconds"] for one in kept["properties"])
    command = f"`habitus check validity --worlds {kept['size']['worlds']} --seed {kept['seed']}`"
    source = f"{command}, habitus {kept['habitus']}; {seconds / 60:.0f} minutes; {kept['date']}."
    heading = "| property | must hold | found | rests on | |\n|---|---|---|---|---|"
    return "\n".join([heading, *(row.replace("\n", " ") for row in rows), "", source])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path, help="what the command wrote")
    found = json.loads((parser.parse_args().folder / "validity.json").read_text("utf-8"))
    for one in found["properties"]:
        one["found"], one["rests_on"] = (one[name].replace("|", "\\|") for name in ("found", "rests_on"))
        one["criterion"] = one["criterion"].replace("|", "\\|")
    kept = found | {"date": f"{dt.datetime.now(dt.UTC):%Y-%m-%d}"}
    KEPT.write_text(json.dumps(kept, indent=1, ensure_ascii=False) + "\n", "utf-8")
    README.write_text(between(README, README.read_text("utf-8"), MARKS, table(kept)), "utf-8")


if __name__ == "__main__":
    main()
