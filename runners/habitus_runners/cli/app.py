"""The command line's root and its groups; the commands register themselves with it."""

from importlib.metadata import version

from cyclopts import App, Group

RUN, STAGES, CHECKS = Group("Run", sort_key=1), Group("Stages", sort_key=2), Group("Checks", sort_key=3)
LEDGER = Group("Ledger", sort_key=4)

app = App(
    name="habitus",
    help="How well does a language model generalise? Ask it to predict what people do.",
    help_epilogue="`habitus COMMAND --help` explains a command. --debug shows the traceback of an error.",
    help_format="markdown",
    version=lambda: version("habitus"),
    suppress_keyboard_interrupt=False,
)
app["--help"].group = app["--version"].group = Group("Other", sort_key=5)
