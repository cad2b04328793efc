"""The reproduction page: fills the template with statements, tables and figures. What they say is decided elsewhere."""

import json
import shlex
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import polars as pl
from scipy import stats

from habitus_runners import signatures
from habitus_runners.columns import fixed
from habitus_runners.report.page import environment
from habitus_runners.report.skill import LEAST_TASKS
from habitus_runners.report.summary import Table, number
from habitus_runners.reproduction import bias, constant_skill, infinities, table_1
from habitus_runners.reproduction.expected import Figure
from habitus_runners.reproduction.figures import draw
from habitus_runners.reproduction.runs import Studied, models
from habitus_runners.reproduction.sample_prompt import Replay
from habitus_runners.reproduction.statements import VERDICTS, Claim
from habitus_runners.reproduction.words import MINUS, share_text, with_ends
from habitus_runners.settings import Settings, settings
from habitus_runners.storage import atomic
from habitus_runners.tables import POOLED

NAME = "reproduction.html"


class Said(NamedTuple):
    """What the page says beside its own tables: statements, the method's figures, and the replay if there was one."""

    claims: Sequence[Claim]
    figures: Sequence[Figure]
    prompt: Replay | None


def write(paper_run: Studied, sound_run: Studied | None, said: Said, folder: Path) -> Path:
    """Write ``folder/reproduction.html`` and its figures; the same tables give the same bytes.

    Args:
        paper_run: of ml-1m with preset `paper`.
        sound_run: the same with preset `sound`, if there is one.
        said: what was computed before.
        folder: where to write.

    Returns:
        The path of the page.

    Raises:
        HabitusError: it cannot be written.
    """
    runs = [paper_run, *([sound_run] if sound_run else [])]
    biases = bias.of_groups(paper_run.tables["tasks"], paper_run.tables["members"], paper_run.settings.seed)
    ranks = [_rank(run) for run in runs]
    page = (
        environment(Path(__file__).parent)
        .get_template("page.html.jinja")
        .render(
            runs=runs,
            claims=said.claims,
            tally={name: _tally(said.claims, name) for name in ("paper", "sound") if name == "paper" or sound_run},
            table_1=table_1.rows(paper_run.manifest),
            figures=draw(runs, said.prompt, biases, ranks, folder / "figures"),
            prompt=said.prompt,
            shares=_shares(runs),
            ranks=ranks,
            reversed_size=[rank.startswith(MINUS) for rank in ranks],
            turns=_turns(runs),
            alphas=_alphas(paper_run),
            skills=_skills(runs),
            biases=_biases(biases),
            biases_groups=biases[0].groups if biases else 0,
            large=bias.LARGE,
            expected=said.figures,
            signatures=[_signatures(run) for run in runs],
            commands=_commands(runs, example=said.prompt is not None),
        )
    )
    path = folder / NAME
    with atomic(path) as file:
        file.write(page.encode())
    return path


def _tally(found: Sequence[Claim], preset: str) -> list[tuple[str, int]]:
    """Verdict -> number of statements, in the order in which verdicts are explained."""
    counted = Counter(getattr(claim, preset).verdict for claim in found)
    return [(verdict, counted[verdict]) for verdict in VERDICTS if counted[verdict]]


def _rank(run: Studied) -> str:
    known = run.study.tasks.filter(pl.col("entropy").is_finite())
    return number(float(stats.spearmanr(known["entropy"], known["group_size"]).statistic))


def _shares(runs: Sequence[Studied]) -> Table:
    """Infinite cross-entropies: all tasks, and groups of at most five."""
    headings = [(run.preset, text) for run in runs for text in ("all groups", f"at most {infinities.SMALL} users")]
    rows = []
    for model in models(runs):
        counted = [infinities.of_model(run.tables, model) for run in runs]
        cells = [(one.share, one.share_of_small) if one else (None, None) for one in counted]
        rows.append((model, *(share_text(cell) for pair in cells for cell in pair)))
    return Table(("model", *(f"{preset}, {text}" for preset, text in headings)), tuple(rows))


def _turns(runs: Sequence[Studied]) -> Table:
    """Where constant skills turn, by both kinds of curve."""
    rooms = [constant_skill.of_study(run.study) for run in runs]
    kinds = ("polynomial", "lowess")
    rows = [
        (
            f"{skill:g}",
            *(
                constant_skill.turn_text(constant_skill.drawn(room, skill, run.settings, kind).turn)
                for run, room in zip(runs, rooms, strict=True)
                for kind in kinds
            ),
        )
        for skill in constant_skill.SKILLS
    ]
    return Table(("constant skill", *(f"{run.preset}, {kind}" for run in runs for kind in kinds)), tuple(rows))


def _alphas(run: Studied) -> Table:
    counts = fixed(run.tables["tasks"]["counts"])
    rows = []
    for alpha in (1e-6, 1e-3, 1 / run.settings.candidates.K, 0.5):
        room = constant_skill.of_counts(counts, run.settings, alpha)
        turns = [constant_skill.drawn(room, skill, run.settings, "polynomial").turn for skill in constant_skill.SKILLS]
        rows.append((f"{alpha:g}", *map(constant_skill.turn_text, turns)))
    return Table(("α", *(f"skill {skill:g}" for skill in constant_skill.SKILLS)), tuple(rows))


def _skills(runs: Sequence[Studied]) -> list[tuple[str, Table]]:
    """A table per run: models and their skill in every setup, and the noise ceiling."""
    tables = []
    for run in runs:
        setups = run.setups
        rows = [(model, *(_skill(run, model, setup) for setup in setups)) for model in run.models]
        if run.models:
            ceilings = (number(run.result(run.models[0], setup)["ceiling"], 3) for setup in setups)
            rows.append(("noise ceiling", *ceilings))
        named = (f"{'all' if setup == POOLED else setup} ({tasks:,})" for setup, tasks in setups.items())
        headings = ("model", *named)
        tables.append((run.preset, Table(headings, tuple(rows))))
    return tables


def _skill(run: Studied, model: str, setup: str) -> str:
    """With its interval, but for a handful of tasks: resampling one task says that it is known for sure."""
    row = run.result(model, setup)
    return with_ends(row, "skill", 3) if run.setups[setup] >= LEAST_TASKS else number(row.get("skill"), 3)


def _biases(biases: Sequence[bias.Bias]) -> Table | None:
    if not biases:
        return None
    headings = ("estimator", *(f"{users} users" for users in biases[0].users))
    return Table(headings, tuple((one.name, *(number(bits) for bits in one.bits)) for one in biases))


def _signatures(run: Studied) -> tuple[str, dict[str, str]]:
    made = signatures.Run(run.tables["tasks"], run.tables["rankings"], run.manifest)
    return run.preset, signatures.headline(made, run.tables["results"], run.study.fill)


def _commands(runs: Sequence[Studied], *, example: bool) -> list[str]:
    """What makes both runs and this page anew; folders and files by placeholders."""
    folders = ("DIR", "DIR_SOUND")[: len(runs)]
    lines = [_command(run, folder) for run, folder in zip(runs, folders, strict=True)]
    replayed = " --source ml-1m.zip --example EXAMPLE.json" if example else ""
    return [*lines, f"habitus check paper {' '.join(folders)}{replayed}"]


def _command(run: Studied, folder: str) -> str:
    usual, own = (_flat(one) for one in (settings(run.preset, {"seed": run.settings.seed}), run.settings))
    changed = [f"--set {shlex.quote(f'{key}={json.dumps(own[key])}')}" for key in own if own[key] != usual[key]]
    noted: dict[str, Any] = run.manifest.get("command") or {}
    asked = [f"--model {shlex.quote(model)}" for model in noted.get("models") or ()]
    methods = [f"--method {shlex.quote(method)}" for method in noted.get("methods") or ()]
    base = f"habitus run --dataset ml-1m --source ml-1m.zip --preset {run.preset} --seed {run.settings.seed}"
    return " ".join([base, *changed, *asked, *methods, f"--out {folder}"])


def _flat(wanted: Settings) -> dict[str, Any]:
    """Dotted key -> value, but for how fast services are called."""
    plain = wanted.model_dump(mode="json", exclude={"calls"})
    sections = {key: value for key, value in plain.items() if isinstance(value, dict) and key != "data"}
    inside = {f"{key}.{name}": value for key, section in sections.items() for name, value in section.items()}
    return {key: value for key, value in plain.items() if key not in sections} | inside
