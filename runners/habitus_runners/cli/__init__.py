"""The command line: it parses and prints. What a command needs is imported when it runs, so that --help is quick."""

from importlib import import_module

from habitus_runners.cli.app import app

for _commands in ("running", "stages", "comparing", "checks", "signature", "validity", "sensitivity", "ledger"):
    import_module(f"habitus_runners.cli.{_commands}")

__all__ = ["app"]
