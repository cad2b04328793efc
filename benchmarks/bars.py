"""What the engine must reach, as ratios of one run, and whether it did."""

from collections.abc import Mapping
from typing import NamedTuple

from benchmarks.timing import TWO_THREADS, Cost


class Bar(NamedTuple):
    """Cost of ``slow`` over cost of ``fast``: at least ``least``, at most ``most``, or whatever it is, to compare."""

    slow: str
    fast: str
    least: float | None = None
    most: float | None = None


class Verdict(NamedTuple):
    """``met`` is None where one of the two was not measured, or nothing is asked."""

    bar: Bar
    ratio: float | None
    met: bool | None


BARS = (
    Bar("habitus", "C limit", most=1.3),
    Bar("habitus", "C limit, all outputs", most=1.3),
    Bar("numpy, value sorts", "habitus", least=6),
    Bar("polars, lists", "habitus", least=45),
    Bar("pandas", "habitus", least=300),
    Bar("ranx, bare kernel", "habitus", least=12),
    Bar("ranx", "habitus", least=150),
    Bar("pytrec_eval", "habitus", least=35),
    Bar("habitus", f"habitus{TWO_THREADS}", least=1.75),
    Bar("C limit, all outputs", f"C limit, all outputs{TWO_THREADS}"),
    Bar("habitus, ten models on a task", "habitus", most=0.45),
    Bar("habitus, half-empty lists: chance", "habitus"),
)


def judge(costs: Mapping[str, Cost]) -> list[Verdict]:
    """Each bar beside what was measured."""
    return [_verdict(bar, costs) for bar in BARS]


def _verdict(bar: Bar, costs: Mapping[str, Cost]) -> Verdict:
    if bar.slow not in costs or bar.fast not in costs:
        return Verdict(bar, None, None)
    ratio = costs[bar.slow].of(bar.fast) / costs[bar.fast].of(bar.fast)
    if bar.least is None and bar.most is None:
        return Verdict(bar, ratio, None)
    met = (bar.least is None or ratio >= bar.least) and (bar.most is None or ratio <= bar.most)
    return Verdict(bar, ratio, met)


def line(verdict: Verdict) -> str:
    """For people."""
    (slow, fast, least, most), ratio, met = verdict
    wanted = f">= {least:g}" if least is not None else f"<= {most:g}" if most is not None else ""
    judged = {True: "met", False: "MISSED", None: ""}[met]
    found = "not measured" if ratio is None else f"{ratio:8.2f}  {judged}"
    return f"{slow + ' / ' + fast:48}{wanted:>8}{found:>18}"
