"""The `habitus` command: starts the command line, and turns an error into one line (a traceback under --debug)."""

import sys

DEBUG = "--debug"


def main() -> int:
    """Run the command line. Exit status: 0 done, 1 an error that was explained, 130 interrupted."""
    arguments = [argument for argument in sys.argv[1:] if argument != DEBUG]
    try:
        from habitus_runners import cli  # noqa: PLC0415 - without [app] this import fails, and the line below says so

        cli.app(arguments)
    except ModuleNotFoundError as error:
        return _fail(error, f"expected the package {error.name}, found none; install with: pip install 'habitus[app]'")
    except KeyboardInterrupt:
        print("habitus: interrupted; start the same command again to go on", file=sys.stderr)  # noqa: T201 - to the user
        return 130
    except Exception as error:  # noqa: BLE001 - the last resort: nobody is shown a traceback unasked
        explained = type(error).__name__ == "HabitusError"
        return _fail(error, str(error) if explained else f"unexpected {type(error).__name__}: {error}; see {DEBUG}")
    return 0


def _fail(error: BaseException, line: str) -> int:
    if DEBUG in sys.argv:
        raise error
    print(f"habitus: {line}", file=sys.stderr)  # noqa: T201 - to the user
    return 1


if __name__ == "__main__":
    sys.exit(main())
