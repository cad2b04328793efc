"""What `benchmarks.compare` measured, as it is committed, and the README's table, which is made from it alone."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

from benchmarks.marks import between
from benchmarks.timing import TWO_THREADS, Cost

ROOT = Path(__file__).parents[1]
MEASURED = ROOT / "benchmarks" / "measured"
README = ROOT / "README.md"
BEGIN, END = "<!-- speed: begin -->", "<!-- speed: end -->"

ROWS = {
    "habitus": "**habitus**: H, CE, chance, worst",
    f"habitus{TWO_THREADS}": "habitus, two threads, on the clock",
    "habitus, ten models on a task": "habitus, ten models on the same tasks",
    "C limit, all outputs": "AVX-512 intrinsics in C: as much, nothing checked",
    f"C limit, all outputs{TWO_THREADS}": "the same, two threads, on the clock",
    "C limit": "AVX-512 intrinsics in C: H and CE alone, nothing checked",
    "numpy, value sorts": "NumPy, sorting int16 values block by block",
    "numba, argsorts": "Numba, an argsort per ranking",
    "polars, lists": "Polars, list expressions",
    "polars, long": "Polars, lazy, a row per candidate",
    "numpy, per ranking": "NumPy, one ranking after the other",
    "duckdb, long": "DuckDB, a row per candidate",
    "pandas": "pandas, as one writes it first",
    "ranx, bare kernel": "ranx's bare kernel (NDCG@10)",
    "pytrec_eval": "pytrec_eval (NDCG@10)",
    "ir-measures": "ir-measures (NDCG@10)",
    "ranx": "ranx (NDCG@10)",
}


class Comparison(NamedTuple):
    """Per column (kind of counts) and name, what a ranking costs; ``lacking``: what could not be run, and why."""

    date: str
    machine: Mapping[str, str]
    columns: Mapping[str, Mapping[str, Cost]]
    lacking: Mapping[str, str]

    @classmethod
    def read(cls, path: Path = MEASURED / "compare.json") -> "Comparison":
        """What was kept."""
        held = json.loads(path.read_text("utf-8"))
        columns = {
            column: {name: Cost(**cost) for name, cost in costs.items()} for column, costs in held["columns"].items()
        }
        return cls(held["date"], held["machine"], columns, held["lacking"])

    def keep(self, path: Path = MEASURED / "compare.json") -> None:
        """Numbers are rounded to a picosecond."""
        columns = {
            column: {
                name: {clock: round(ns, 3) for clock, ns in cost._asdict().items()} for name, cost in costs.items()
            }
            for column, costs in self.columns.items()
        }
        path.parent.mkdir(exist_ok=True)
        path.write_text(json.dumps(self._asdict() | {"columns": columns}, indent=1) + "\n", "utf-8")

    def table(self) -> str:
        """Markdown: nanoseconds of processor time per ranking, and how many times Habitus' that is."""
        kinds = list(self.columns)
        rows = [f"| one ranking of 10 out of 50, one core | ns, {' | ns, '.join(kinds)} | × habitus |"]
        rows.append("|---|" + "---:|" * (len(kinds) + 1))
        known = set(self.lacking).union(*self.columns.values())
        rows += [f"| {words} | {' | '.join(self._cells(name))} |" for name, words in ROWS.items() if name in known]
        return "\n".join([*rows, "", self._provenance()])

    def _cells(self, name: str) -> list[str]:
        if name in self.lacking:
            return [self.lacking[name], *[""] * len(self.columns)]
        *_, last = self.columns.values()
        costs = [column.get(name) for column in self.columns.values()]
        times = _two_digits(last[name].of(name) / last["habitus"].of(name)) if name in last else ""
        return [*("" if cost is None else f"{cost.of(name):,.0f}" for cost in costs), times]

    def _provenance(self) -> str:
        versions = [f"{name} {found}" for name, found in self.machine.items() if name not in {"processor", "cores"}]
        where = f"{self.machine['processor']}, {self.machine['cores']} cores"
        used = ", ".join(line for line in versions if not line.endswith("not installed"))
        return f"{where}; {used}; {self.date}."

    def in_readme(self, text: str) -> str:
        """The README with this table between its marks.

        Raises:
            ValueError: the README does not hold both marks.
        """
        return between(README, text, (BEGIN, END), self.table())

    def write_readme(self) -> None:
        """Rewrite the table."""
        README.write_text(self.in_readme(README.read_text("utf-8")), "utf-8")


def _two_digits(number: float) -> str:
    return f"{float(f'{number:.2g}'):,.10g}"
