"""The command that tries the method where the truth is known."""

from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from habitus_runners.cli.checks import check


@check.command
def validity(
    *,
    worlds: int | None = None,
    quick: Annotated[bool, Parameter(negative="")] = False,
    only: Annotated[list[str] | None, Parameter(negative="")] = None,
    seed: int = 0,
    out: Path | None = None,
) -> int:
    """Check that the method finds what was planted in synthetic worlds, and only that: V1-V12 but for V10.

    Writes validity.json and validity.html. Exit status: 0 if every property holds, else 1.

    Args:
        worlds: how many, for properties that need many. Default: 40, about 3 minutes on two cores; 200 take about 30.
        quick: a few small worlds, about 20 seconds: too few to mean much.
        only: a property, as in `V4`; may be given again and again. Default: all.
        seed: of every random draw.
        out: where to write. Default: habitus-runs/validity-SEED.
    """
    from habitus_runners import terminal  # noqa: PLC0415 - --help must not load it
    from habitus_runners.errors import HabitusError  # noqa: PLC0415 - as above
    from habitus_runners.validity import showing, suite  # noqa: PLC0415 - as above
    from habitus_runners.validity.worlds import DEFAULT, LEAST, QUICK, Size  # noqa: PLC0415 - as above

    if quick and worlds is not None:
        raise HabitusError("expected --worlds or --quick, got both")
    if worlds is not None and worlds < LEAST:
        raise HabitusError(f"--worlds: expected at least {LEAST}, got {worlds}")
    size = QUICK if quick else DEFAULT if worlds is None else Size.of(worlds)
    with terminal.progress() as advance:
        found = suite.examine(size, seed, only or (), progress=advance)
    showing.show_properties(found)
    page = suite.write(found, size, seed, out or Path("habitus-runs") / f"validity-{seed}")
    terminal.say(f"Page: {page}")
    return 0 if all(one.holds for one in found) else 1
