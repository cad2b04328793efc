"""The example of the fault server's README, run as it stands there."""

import re
from pathlib import Path

import habitus_runners.faults

pytest_plugins = ["pytester"]

README = Path(habitus_runners.faults.__file__).with_name("README.md").read_text(encoding="utf-8")


def test_the_example_passes(pytester):
    example = re.search(r"```python\n(.*?)```", README, re.DOTALL)[1]
    pytester.makepyfile(example)
    pytester.runpytest("-p", "no:cacheprovider").assert_outcomes(passed=3)


def test_every_public_name_is_explained():
    missing = [name for name in habitus_runners.faults.__all__ if f"`{name}" not in README]
    assert missing == []
