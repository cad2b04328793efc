"""All figures of the page, written in three formats. Which there are is decided here; how they look is not."""

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from habitus_runners.columns import fixed
from habitus_runners.report.style import Image, look, save
from habitus_runners.reproduction import charts
from habitus_runners.reproduction.bias import Bias
from habitus_runners.reproduction.runs import Studied
from habitus_runners.reproduction.sample_prompt import Replay


class Figures(NamedTuple):
    """Everything drawn; none where its numbers were not computed."""

    prompt: Image | None
    infinite: Image
    sizes: Image
    constant: Image
    pseudo_counts: Image
    skills: Image
    estimates: Image | None


def draw(
    runs: Sequence[Studied], prompt: Replay | None, biases: Sequence[Bias], ranks: Sequence[str], folder: Path
) -> Figures:
    """Draw and write every figure into ``folder``; ``runs``: that of `paper` first.

    Raises:
        HabitusError: the folder cannot be written.
    """
    with look():
        return Figures(
            save(charts.sample_prompt(prompt), folder, "reproduction-prompt") if prompt else None,
            save(charts.infinite(runs), folder, "reproduction-infinite"),
            save(charts.sizes(runs, ranks), folder, "reproduction-sizes"),
            save(charts.constant(runs), folder, "reproduction-constant-skill"),
            save(charts.pseudo_counts(runs[0], fixed(runs[0].tables["tasks"]["counts"])), folder, "reproduction-alpha"),
            save(charts.skills(runs), folder, "reproduction-skills"),
            save(charts.estimates(biases), folder, "reproduction-estimates") if biases else None,
        )
