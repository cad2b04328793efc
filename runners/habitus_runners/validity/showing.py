"""The table of properties on a terminal."""

from collections.abc import Sequence

from rich.table import Table
from rich.text import Text

from habitus_runners.console import say, screen
from habitus_runners.validity.property import Property


def show_properties(found: Sequence[Property]) -> None:
    """One line per property, what else was seen, and a verdict."""
    table = Table(show_lines=True)
    for name in ("", "property", "", "found", "rests on", "s"):
        table.add_column(name)
    for one in found:
        verdict = Text("holds", "green") if one.holds else Text("FAILS", "bold red")
        table.add_row(one.key, one.name, verdict, one.found, one.rests_on, f"{one.seconds:.0f}")
    screen.print(table)
    for one in found:
        for remark in one.remarks:
            say(f"{one.key}: {remark}")
    failed = [one.key for one in found if not one.holds]
    say(f"does not hold: {', '.join(failed)}" if failed else "every property holds")
