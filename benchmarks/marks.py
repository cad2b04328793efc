"""Generated text in a README: it stands between two marks and is never typed."""

from pathlib import Path


def between(readme: Path, text: str, marks: tuple[str, str], made: str) -> str:
    """``text`` with ``made`` between its marks.

    Raises:
        ValueError: it does not hold both marks.
    """
    first, last = marks
    before, begin, rest = text.partition(first)
    _, end, after = rest.partition(last)
    if not begin or not end:
        raise ValueError(f"expected {first} and {last} in {readme.name}")
    return f"{before}{begin}\n{made}\n{end}{after}"
