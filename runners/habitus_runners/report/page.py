"""The HTML file: fills the template with figures and tables. What they say is decided elsewhere."""

from collections.abc import Iterable, Mapping, Sequence
from itertools import chain
from pathlib import Path
from typing import Any, TypeVar

import jinja2
import polars as pl
import pyarrow as pa

from habitus_runners import signatures
from habitus_runners.model import SEE_THE_ANSWER
from habitus_runners.progress import Progress
from habitus_runners.report import summary
from habitus_runners.report.figures import draw
from habitus_runners.report.findings import signs
from habitus_runners.report.scored import Study, study
from habitus_runners.storage import atomic
from habitus_runners.tables import POOLED

# Pages that `habitus check` writes into a run's folder.
BESIDE = {
    "sensitivity.html": "Which conclusions survive other choices of method",
    "reproduction.html": "What the paper says beside what is found",
    "validity.html": "Is what was planted in known worlds found again",
}

Name = TypeVar("Name", str, int)


def write(tables: Mapping[str, pa.Table], manifest: Mapping[str, Any], folder: Path, progress: Progress) -> Path:
    """``report.build`` without its lazy import."""
    settings, dataset = manifest["settings"], manifest["dataset"]
    numbers = study(tables, settings)
    levels = _ordered([level["name"] for level in dataset["levels"]], numbers.tasks["level"])
    lengths = _ordered(sorted(settings["history"]["lengths"]), numbers.tasks["history"])
    figures = draw(numbers, levels, lengths, settings["curve"], folder / "figures", progress)
    page = (
        environment()
        .get_template("report.html.jinja")
        .render(
            manifest=manifest,
            dataset=dataset,
            settings=summary.flat(settings),
            fill=numbers.fill,
            alpha=numbers.alpha,
            figures=figures,
            beside={name: title for name, title in BESIDE.items() if (folder / name).exists()},
            signatures=signatures.headline(
                signatures.Run(tables["tasks"], tables["rankings"], manifest), tables["results"], numbers.fill
            ),
            curve=settings["curve"],
            split=settings["users"]["split"],
            resamples=settings["uncertainty"]["resamples"],
            **_texts(numbers, manifest, levels, lengths),
        )
    )
    path = folder / "report.html"
    with atomic(path) as file:
        file.write(page.encode())
    return path


def _texts(
    numbers: Study, manifest: Mapping[str, Any], levels: Sequence[str], lengths: Sequence[int]
) -> dict[str, Any]:
    models = [result["model"] for result in summary.ranked(numbers, POOLED)]
    return {
        "signs": signs(numbers, [model for model in models if model.partition(":")[0] not in SEE_THE_ANSWER]),
        "trends": summary.trends(numbers),
        "unfinished": summary.unfinished(numbers),
        "headline": summary.headline(numbers, manifest["dataset"]["domain"]["did"]),
        "results": summary.results(numbers),
        "by_setup": summary.by_setup(numbers),
        "by_level": summary.skill_by(numbers, models, "level", levels),
        "by_history": summary.skill_by(numbers, models, "history", map(str, lengths)),
        "estimators": summary.estimators(manifest),
        "proxies": summary.proxies(manifest, by_history=False),
        "proxies_by_history": summary.proxies(manifest, by_history=True),
        "policies": summary.policies(numbers),
        "sampling": summary.sampling(manifest, levels, lengths),
        "warnings": summary.warnings(numbers),
        "tasks": f"{numbers.tasks.height:,}",
    }


def _ordered(expected: Iterable[Name], found: pl.Series) -> list[Name]:
    """What the manifest names, in its order, then whatever else the tasks hold."""
    return list(dict.fromkeys(chain(expected, found.unique().sort())))


def environment(*folders: Path) -> jinja2.Environment:
    """Templates of these folders and of this one; whatever they are given is text, never markup."""
    return jinja2.Environment(
        loader=jinja2.FileSystemLoader([*folders, Path(__file__).parent]),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
