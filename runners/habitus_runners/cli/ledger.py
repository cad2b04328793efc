"""Commands about the ledger: what was paid for, for all runs."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from cyclopts import App, Parameter

from habitus_runners.cli.app import LEDGER, app
from habitus_runners.cli.options import LedgerPath

if TYPE_CHECKING:
    from habitus_runners.ledger import Ledger

ledger = App(name="ledger", help="Look at, seal or thin out the answers that were paid for.", group=LEDGER)
app.command(ledger)

Model = Annotated[str | None, Parameter(name=["--model", "-m"])]


@ledger.command(name="ls")
def ls(*, ledger: LedgerPath = None) -> None:
    """List what was paid for: answers, tokens, dollars, per model and way of asking.

    Args:
        ledger: the file; default: the user's.
    """
    from habitus_runners import terminal  # noqa: PLC0415 - --help must not load them
    from habitus_runners.ledger.listing import summary  # noqa: PLC0415 - as above

    with _opened(ledger) as opened:
        terminal.show_ledger(opened.path, summary(opened), opened.batches(), opened.repeats())


@ledger.command
def show(answer: str, /, *, ledger: LedgerPath = None) -> None:
    """Show one answer, its question and what it cost.

    Args:
        answer: the beginning of its id, as in the answers table.
        ledger: the file; default: the user's.
    """
    from habitus_runners import terminal  # noqa: PLC0415 - --help must not load them
    from habitus_runners.ledger.listing import show as found  # noqa: PLC0415 - as above

    with _opened(ledger) as opened:
        terminal.show_answer(found(opened, answer))


@ledger.command
def export(to: Path, /, *, model: Model = None, ledger: LedgerPath = None) -> None:
    """Seal the answers into a Parquet file.

    Args:
        to: the file to write.
        model: of one model alone.
        ledger: the file to read; default: the user's.
    """
    from habitus_runners import terminal  # noqa: PLC0415 - --help must not load them
    from habitus_runners.ledger.listing import export as sealed  # noqa: PLC0415 - as above

    with _opened(ledger) as opened:
        terminal.say(f"{to}: SHA-256 {sealed(opened, to, model)}")


@ledger.command
def prune(
    *,
    model: Model = None,
    before: str | None = None,
    yes: Annotated[bool, Parameter(negative="")] = False,
    ledger: LedgerPath = None,
) -> None:
    """Remove answers that were paid for. Without --yes, only say which.

    Args:
        model: of one model alone.
        before: kept before this day alone, as in 2026-01-31.
        yes: really remove them.
        ledger: the file; default: the user's.
    """
    from habitus_runners import terminal  # noqa: PLC0415 - --help must not load them
    from habitus_runners.ledger.listing import prune as pruned  # noqa: PLC0415 - as above

    with _opened(ledger) as opened:
        gone = pruned(opened, model, before, dry_run=not yes)
    verb = "removed" if yes else "would be removed; --yes removes them"
    terminal.say(f"{gone.answers:,} answers that had cost ${gone.dollars:,.2f} {verb}")


def _opened(path: Path | None) -> "Ledger":
    """The ledger, if there is one: looking at it must not make it."""
    from habitus_runners.errors import HabitusError  # noqa: PLC0415 - --help must not load them
    from habitus_runners.ledger import Ledger, default_path  # noqa: PLC0415 - as above

    place = path or default_path()
    if not place.is_file():
        raise HabitusError(f"{place}: expected a ledger, found none; the first answer that costs makes one")
    return Ledger(place)
