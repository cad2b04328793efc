"""The terminal itself: text from data and models is neither markup nor what moves a cursor."""

from rich.console import Console
from rich.text import Text

from habitus_runners.prompts.titles import visible

screen = Console(markup=False, highlight=False, emoji=False)


def plain(text: str) -> Text:
    """Text from outside, safe to show."""
    return Text(visible(text))


def say(line: str) -> None:
    """One line, unbroken, so that a path in it can be copied; nothing if it is empty."""
    if line:
        screen.print(plain(line), soft_wrap=True)
