"""The comparison runs whole at a small size; the README's table is made from what was kept, never by hand."""

import re
from pathlib import Path

import pytest
from benchmarks import bars, compare, kept, timing
from benchmarks.competitors import COMPETITORS
from benchmarks.competitors import EVERY as ALL_COMPETITORS
from benchmarks.kept import Comparison
from benchmarks.peers import EVERY as ALL_PEERS
from benchmarks.peers import PEERS
from benchmarks.timing import TWO_THREADS, Contestant, Cost

SEVERAL = f"habitus{TWO_THREADS}"
COSTS = {"habitus": Cost(100, 110), "pandas": Cost(25_000, 26_000), SEVERAL: Cost(104, 56), "C limit": Cost(80, 81)}


def comparison() -> Comparison:
    machine = {"processor": "A processor", "cores": "2", "numpy": "2.0", "torch": "not installed"}
    return Comparison(
        "2025-01-31", machine, {"dense": {}, "zeros": COSTS}, {"torch, value sorts": "torch not installed"}
    )


def test_the_readme_holds_what_the_generator_makes_of_the_kept_measurements() -> None:
    text = kept.README.read_text("utf-8")
    assert Comparison.read().in_readme(text) == text


@pytest.mark.filterwarnings("ignore:unsafe cast from uint64 to int64")
def test_everything_is_measured_in_turn(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(timing, "TURN", 0)
    found = compare.measure(rounds=1, scale=0.001)
    dense, zeros = found.columns.values()
    assert COMPETITORS.keys() <= dense.keys() <= zeros.keys()
    assert PEERS.keys() <= zeros.keys()
    assert found.lacking.keys() == (ALL_COMPETITORS.keys() - COMPETITORS.keys()) | (ALL_PEERS.keys() - PEERS.keys())
    assert all(cost.processor > 0 and cost.clock > 0 for cost in zeros.values())
    printed = "\n".join(compare.lines(found))
    assert all(name in printed for name in (ALL_COMPETITORS | ALL_PEERS))


def test_what_is_kept_is_read_again(tmp_path: Path) -> None:
    comparison().keep(tmp_path / "compare.json")
    assert Comparison.read(tmp_path / "compare.json") == comparison()


def test_the_table_stands_between_its_marks() -> None:
    text = comparison().in_readme(f"before\n{kept.BEGIN}\nold\n{kept.END}\nafter\n")
    assert text.startswith(f"before\n{kept.BEGIN}\n| one ranking")
    assert text.endswith(f"2025-01-31.\n{kept.END}\nafter\n")
    assert "old" not in text
    assert re.search(r"^\| pandas.*\|  \| 25,000 \| 250 \|$", text, re.MULTILINE)
    assert re.search(r"^\| habitus, two threads.*\|  \| 56 \| 0.51 \|$", text, re.MULTILINE)
    assert comparison().in_readme(text) == text


def test_a_readme_without_marks_is_refused() -> None:
    with pytest.raises(ValueError, match="speed: begin"):
        comparison().in_readme(f"{kept.BEGIN} and no end")


def test_bars_are_ratios_of_one_run() -> None:
    verdicts = {(verdict.bar.slow, verdict.bar.fast): verdict for verdict in bars.judge(COSTS)}
    assert verdicts["habitus", "C limit"].ratio == 1.25
    assert verdicts["habitus", "C limit"].met
    assert verdicts["pandas", "habitus"].ratio == 250
    assert not verdicts["pandas", "habitus"].met
    assert verdicts["habitus", SEVERAL].ratio == pytest.approx(110 / 56)
    assert verdicts["polars, lists", "habitus"].met is None
    assert [bars.line(verdict).split()[-1] for verdict in verdicts.values()].count("MISSED") == 1


def test_every_bar_is_about_something_that_is_measured() -> None:
    counts, rankings = compare.synthetic(40)
    known = ALL_COMPETITORS.keys() | ALL_PEERS.keys() | compare.variants(counts, rankings).keys()
    assert {name for bar in bars.BARS for name in bar[:2]} <= known
    assert kept.ROWS.keys() <= known


def test_a_turn_is_the_median_of_its_runs(monkeypatch: pytest.MonkeyPatch) -> None:
    assert timing.median([Cost(1, 9), Cost(5, 2), Cost(3, 4)]) == Cost(3, 4)
    monkeypatch.setattr(timing, "TURN", 0)
    runs = []
    costs = timing.in_turn({"one": Contestant(lambda: runs.append(1), 10)}, rounds=3)
    assert len(runs) == 4  # one to warm up
    assert costs["one"].clock > 0
