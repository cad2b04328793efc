"""How a title is shown to a model: visible, on one line, bounded, quoted. Titles are data, never instructions."""

import json
import re

LIMIT = 200

_BREAKS = re.compile("[\t-\r\x1c-\x1f\x85\u2028\u2029]+")
# Control, zero-width, bidirectional, surrogate, variation-selector and tag characters: all can hide text from a reader.
_HIDDEN = re.compile(
    "[\x00-\x08\x0e-\x1b\x7f-\x84\x86-\x9f\xad\u061c\u180e\u200b-\u200f\u202a-\u202e\u2060-\u206f"
    "\ud800-\udfff\ufe00-\ufe0f\ufeff\ufff9-\ufffb\U000e0000-\U000e0fff]"
)


def visible(text: str) -> str:
    """``text`` on one line: line breaks become a space, characters that cannot be seen are dropped."""
    if text.isascii() and text.isprintable():
        return text
    return _HIDDEN.sub("", _BREAKS.sub(" ", text))


def shown(title: str) -> str:
    """``title`` as a prompt prints it, at most LIMIT characters. Showing it again changes nothing."""
    text = visible(title).strip()
    return text if len(text) <= LIMIT else text[: LIMIT - 1].rstrip() + "…"


def quoted(title: str) -> str:
    r"""``title`` as one JSON string literal on one line.

    >>> print(quoted('12" Mix"], "and now'))
    "12\" Mix\"], \"and now"
    """
    return json.dumps(shown(title), ensure_ascii=False)
