"""The `habitus` command: starts the command line, and turns an error into one line (a traceback under --debug)."""

import re
import sys
from importlib.metadata import requires

from habitus_runners.errors import HabitusError

DEBUG = "--debug"


def main() -> int:
    """Run the command line.

    Exit status: 0 done, 1 an error that was explained, 3 a model stopped early, 4 answers are awaited, 5 some requests
    failed, 130 interrupted.
    """
    arguments = [argument for argument in sys.argv[1:] if argument != DEBUG]
    try:
        from habitus_runners import cli  # noqa: PLC0415 - without [app] this import fails, and the line below says so

        cli.app(arguments)
    except HabitusError as error:
        return _fail(error, str(error), error.status)
    except KeyboardInterrupt:
        print("habitus: interrupted; `habitus resume` goes on", file=sys.stderr)  # noqa: T201 - to the user
        return 130
    except Exception as error:  # noqa: BLE001 - the last resort: nobody is shown a traceback unasked
        missing = error.name or "" if isinstance(error, ModuleNotFoundError) else ""
        extra = _extra(missing) if missing else None
        if extra:
            return _fail(error, f"expected the package {missing}, found none; pip install 'habitus[{extra}]' brings it")
        return _fail(error, f"unexpected {type(error).__name__}: {error}; see {DEBUG}")
    return 0


def _extra(module: str) -> str | None:
    """The extra that brings a package of ours, None for any other."""
    package = module.partition(".")[0].replace("_", "-")
    lines = [line for line in requires("habitus") or () if line.startswith(package)]
    extras = re.findall(r"extra == ['\"](\w+)['\"]", " ".join(lines))
    return (extras or ["app"])[0] if lines else None


def _fail(error: BaseException, line: str, status: int = 1) -> int:
    if DEBUG in sys.argv:
        raise error
    print(f"habitus: {line}", file=sys.stderr)  # noqa: T201 - to the user
    return status


if __name__ == "__main__":
    sys.exit(main())
