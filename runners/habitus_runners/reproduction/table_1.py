"""Table 1: prompts per proxy level and history length, the paper's and ours; do they differ by more than chance?"""

from collections import Counter
from collections.abc import Mapping
from typing import Any, NamedTuple

from scipy import stats

from habitus_runners import paper
from habitus_runners.significance import SIGNIFICANCE, holm


class Cell(NamedTuple):
    """One level and history length. ``by_chance``: two studies of one design may differ so; Holm over all cells."""

    level: str
    length: int
    ours: int
    theirs: int
    p: float
    by_chance: bool


def cells(manifest: Mapping[str, Any]) -> list[Cell]:
    """Every cell of the paper's Table 1, with the tasks of a run.

    Both are taken for draws that were accepted at one rate, of as many as the run made: Fisher's exact test. Where both
    were cut off at the cap nothing is known of the rates.
    """
    theirs = paper.TABLE_1["ml-1m"]
    counts: dict[str, Counter[tuple[str, int]]] = {name: Counter() for name in ("draws", "accepted", "kept")}
    for drawn in manifest["draws"]:
        for name, counter in counts.items():
            counter[drawn["level"], drawn["history"]] += drawn[name]
    keys = [
        (level, length, published)
        for level, row in theirs.items()
        for length, published in zip(paper.LENGTHS, row, strict=True)
    ]
    cap = manifest["settings"]["draws"]["cap"]
    p = [_p(counts["draws"][key[:2]], counts["accepted"][key[:2]], key[2], cap) for key in keys]
    return [
        Cell(level, length, counts["kept"][level, length], published, chance, corrected >= SIGNIFICANCE)
        for (level, length, published), chance, corrected in zip(keys, p, holm(p), strict=True)
    ]


def rows(manifest: Mapping[str, Any]) -> list[tuple[str, list[Cell]]]:
    """The cells of each level, by the length of the history."""
    found = cells(manifest)
    return [(level, [cell for cell in found if cell.level == level]) for level in paper.TABLE_1["ml-1m"]]


def _p(draws: int, accepted: int, theirs: int, cap: int) -> float:
    """Of no difference; 0 where so many could not have been accepted of so few draws."""
    if min(accepted, theirs) >= cap:
        return 1.0
    if theirs > draws:
        return 0.0
    return float(stats.fisher_exact([[theirs, draws - theirs], [accepted, draws - accepted]]).pvalue)
