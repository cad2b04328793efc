"""Which run was begun last, so that `habitus resume` needs no argument. One line in the user's state folder."""

from pathlib import Path

from platformdirs import user_state_path

from habitus_runners.errors import HabitusError
from habitus_runners.storage import atomic


def remember(folder: Path) -> None:
    """Note ``folder`` as the last run's. A home that cannot be written costs this note alone, not the run."""
    try:
        with atomic(_note()) as file:
            file.write(str(folder.resolve()).encode())
    except HabitusError:
        return


def recall() -> Path:
    """The folder of the last run.

    Raises:
        HabitusError: there is none.
    """
    try:
        return Path(_note().read_text(encoding="utf-8"))
    except OSError:
        raise HabitusError("resume: expected a run begun earlier, found none; name its folder") from None


def _note() -> Path:
    return user_state_path("habitus") / "last-run"
