"""The verdicts on a terminal: a line per alternative, what it changed beneath it, and what follows."""

from itertools import groupby

from rich.table import Table
from rich.text import Text

from habitus_runners.console import plain, say, screen
from habitus_runners.sensitivity import Sensitivity
from habitus_runners.sensitivity.telling import changes, depending, standing, tally


def show(found: Sensitivity) -> None:
    """Everything, as text from data and models that is never read as markup."""
    say(f"{len(found.conclusions)} conclusions of this run:")
    for one in found.conclusions:
        _item(f"{one.subject}: {one.answer.says}")
    screen.print(_table(found))
    for note in found.notes:
        say(note)
    kept, lost = standing(found), depending(found)
    say(f"{len(kept)} of {len(found.conclusions)} conclusions survive every alternative that touches them:")
    for one in kept:
        _item(f"{one.subject}: {one.answer.says}")
    if lost:
        say(f"{len(lost)} depend on a choice:")
    for sentence in lost:
        _item(sentence)


def _table(found: Sensitivity) -> Table:
    table = Table(title=f"{len(found.rows)} alternatives; of the conclusions that each touches, survive")
    for name in ("alternative", "survive", "what changes"):
        table.add_column(name, overflow="fold", no_wrap=name == "survive")
    for family, rows in groupby(found.rows, key=lambda row: row.family):
        table.add_section()
        for row in rows:
            table.add_row(plain(f"{family}: {row.name}"), tally(row), _lines("\n".join(changes(found, row))))
    return table


def _item(text: str) -> None:
    say(f"- {text}")


def _lines(text: str) -> Text:
    return Text("\n").join(plain(line) for line in text.split("\n"))
