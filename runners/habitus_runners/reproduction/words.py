"""Figures as the page writes them."""

from collections.abc import Mapping
from typing import Any

from habitus_runners.report.summary import number, percent

MINUS = "\N{MINUS SIGN}"

_NEARLY_ALL = 0.99


def signed(value: float) -> str:
    """Three digits and a sign."""
    return f"{'+' if value > 0 else ''}{number(value, 3)}"


def share_text(share: float | None) -> str:
    """A share in percent, with two digits where it is nearly everything: 99.96 % is not 100 %."""
    return percent(share) if share is None or share < _NEARLY_ALL else f"{100 * share:.2f} %"


def with_ends(row: Mapping[str, Any], name: str, digits: int = 2) -> str:
    """A figure of a row of results, with its interval where there is one."""
    low, high = row.get(f"{name}_low"), row.get(f"{name}_high")
    ends = f" [{number(low, digits)}, {number(high, digits)}]" if low is not None and high is not None else ""
    return number(row.get(name), digits) + ends
