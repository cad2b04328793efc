"""What the paper says beside what habitus finds on MovieLens-1M: figures, statements, a page. None of it is typed."""

from collections.abc import Sequence
from pathlib import Path

from habitus_runners.reproduction.expected import Figure, of_example, of_run
from habitus_runners.reproduction.runs import TABLES, Studied, refuse_others, studied
from habitus_runners.reproduction.sample_prompt import Replay
from habitus_runners.reproduction.statements import Claim, Found, claims

__all__ = [
    "TABLES",
    "Claim",
    "Figure",
    "Found",
    "Replay",
    "Studied",
    "build",
    "claims",
    "of_example",
    "of_run",
    "refuse_others",
    "studied",
]


def build(
    paper_run: Studied,
    sound_run: Studied | None,
    found: Sequence[Claim],
    figures: Sequence[Figure],
    prompt: Replay | None,
    folder: Path,
) -> Path:
    """``page.write`` without its lazy import."""
    from habitus_runners.reproduction.page import Said, write  # noqa: PLC0415 - matplotlib and jinja2 are slow to load

    return write(paper_run, sound_run, Said(found, figures, prompt), folder)
