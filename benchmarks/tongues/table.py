"""What `benchmarks.tongues` measured, as it is committed, and the table that is made from it alone."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

from benchmarks.marks import between
from benchmarks.tongues.cases import Golden

ROOT = Path(__file__).parents[2]
KEPT = ROOT / "benchmarks" / "measured" / "tongues.json"
README = ROOT / "bindings" / "README.md"
MARKS = "<!-- tongues: begin -->", "<!-- tongues: end -->"
BARS = dict.fromkeys(("Arrow", "Polars", "C", "JavaScript"), 1.1)
WORDS = {
    "Python": "Python, on NumPy arrays",
    "Arrow": "Arrow (pyarrow's fixed-size lists)",
    "Polars": "Polars (expression, Array columns)",
    "pandas": "pandas (accessor, columns of Arrow's lists)",
    "DuckDB": "DuckDB (function in SQL)",
    "C": "C, over libhabitus",
    "R": "R, over libhabitus (integer matrices)",
    "JavaScript": "JavaScript, over libhabitus (typed arrays)",
}


class Tried(NamedTuple):
    """``said``: to each bad call, one line; empty where it was accepted. ``ratio``: to the engine on NumPy arrays."""

    golden: Golden
    said: list[str]
    nanoseconds: float
    ratio: float

    def as_json(self) -> dict[str, Any]:
        """Numbers are rounded to a picosecond."""
        kept = {"nanoseconds": round(self.nanoseconds, 3), "ratio": round(self.ratio, 3)}
        return {"golden": self.golden._asdict(), "said": self.said, **kept}


def lines(found: Mapping[str, Tried], missing: Mapping[str, str]) -> list[str]:
    """Markdown."""
    rows = [
        "| tongue | golden vectors | farthest, nats | same bits | ns a ranking | × Python | bar | bad calls refused |",
        "|---|---:|---:|---:|---:|---:|---:|---:|",
    ]
    for name, tried in found.items():
        vectors, farthest, other = tried.golden
        refused = sum(bool(said) and "\n" not in said for said in tried.said)
        bar = f"{BARS[name]:g}: {'met' if tried.ratio <= BARS[name] else 'MISSED'}" if name in BARS else ""
        rows.append(
            f"| {WORDS[name]} | {vectors:,} | {farthest:.1e} | {vectors - other:,} | {tried.nanoseconds:,.0f} "
            f"| {tried.ratio:.2f} | {bar} | {refused} of {len(tried.said)} |"
        )
    return [*rows, *(f"| {WORDS[name]} | {why} | | | | | | |" for name, why in missing.items())]


def kept() -> list[str]:
    """The table of what is committed, and where it was measured."""
    held = json.loads(KEPT.read_text("utf-8"))
    found = {
        name: Tried(Golden(**each["golden"]), each["said"], each["nanoseconds"], each["ratio"])
        for name, each in held["tongues"].items()
    }
    machine = {name: version for name, version in held["machine"].items() if version != "not installed"}
    where = f"{machine.pop('processor')}, one core of {machine.pop('cores')}; {held['rows']:,} rankings of 10 out of 50"
    versions = ", ".join(f"{name} {version}" for name, version in machine.items())
    return [*lines(found, held["missing"]), "", f"{where}; {versions}; {held['date']}."]


def in_readme() -> None:
    """Rewrite the table of bindings/README.md."""
    text = between(README, README.read_text("utf-8"), MARKS, "\n".join(kept()))
    README.write_text(text, "utf-8")
