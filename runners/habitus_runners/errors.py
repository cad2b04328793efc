"""The exceptions a user is meant to read. The library writes the message, the command line prints it."""


class HabitusError(Exception):
    """What was expected, what came, how to mend it: one line. ``status`` is what the command line exits with."""

    status = 1


class Stopped(HabitusError):  # noqa: N818 - an end that is told, not a fault
    """Asking ended before every request was answered. What was answered is kept; the line says how to go on."""

    status = 3


class Incomplete(HabitusError):  # noqa: N818 - as above
    """Some requests failed, each for a reason of its own; the others were answered."""

    status = 5


class Awaited(HabitusError):  # noqa: N818 - as above
    """Nothing is wrong: answers were ordered, and are to be collected later."""

    status = 4
