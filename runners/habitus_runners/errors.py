"""The one exception a user is meant to read. The library writes the message, the command line prints it."""


class HabitusError(Exception):
    """What was expected, what came, how to mend it: one line."""
