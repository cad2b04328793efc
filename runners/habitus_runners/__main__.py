"""The `habitus` command: starts the command line, and turns an error into one line (a traceback under --debug)."""

import sys
from importlib.metadata import requires

from habitus_runners.errors import HabitusError

DEBUG = "--debug"


def main() -> int:
    """Run the command line. Exit status: 0 done, 1 an error that was explained, 130 interrupted."""
    arguments = [argument for argument in sys.argv[1:] if argument != DEBUG]
    try:
        from habitus_runners import cli  # noqa: PLC0415 - without [app] this import fails, and the line below says so

        cli.app(arguments)
    except HabitusError as error:
        return _fail(error, str(error))
    except KeyboardInterrupt:
        print("habitus: interrupted; start the same command again to go on", file=sys.stderr)  # noqa: T201 - to the user
        return 130
    except Exception as error:  # noqa: BLE001 - the last resort: nobody is shown a traceback unasked
        if isinstance(error, ModuleNotFoundError) and _ours(error.name or ""):
            return _fail(error, f"expected the package {error.name}, found none; pip install 'habitus[app]' brings it")
        return _fail(error, f"unexpected {type(error).__name__}: {error}; see {DEBUG}")
    return 0


def _ours(module: str) -> bool:
    return any(line.startswith(module.partition(".")[0]) for line in requires("habitus") or ())


def _fail(error: BaseException, line: str) -> int:
    if DEBUG in sys.argv:
        raise error
    print(f"habitus: {line}", file=sys.stderr)  # noqa: T201 - to the user
    return 1


if __name__ == "__main__":
    sys.exit(main())
