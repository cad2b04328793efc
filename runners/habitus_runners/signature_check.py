"""Checks a signature: what it says in words, and whether the tables of a run give its number again.

Recomputed are scores and results, from the tasks, members and rankings tables alone, with the signature's settings.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import polars as pl
import pyarrow as pa
import pyarrow.compute as pc

from habitus_runners import intervals, results, scores, signatures
from habitus_runners.errors import HabitusError
from habitus_runners.settings import Settings, settings, validated
from habitus_runners.signatures import Run, Signature
from habitus_runners.storage import RunFolder
from habitus_runners.tables import INTERVALS, frame

_SCORING = ("target.", "users.", "curve.", "uncertainty.")
_RESAMPLED = ("_low", "_high", "_share", "_sd")
_WORDS = {
    "model": "who predicted",
    "setup": "what tasks show: A demography and history, B history, C demography, N neither",
    "level": "the attributes that make the groups",
    "history": "how many items are shown",
    "fill": "what an empty slot of a list is given",
    "alpha": "pseudo-count; 0: counts are shrunk to the population instead",
    "data": "the data set, and a hash of its users, items and interactions",
    "preset": "where every setting comes from that is not named",
    "seed": "of every random draw",
    "target": "how the behaviour of a group's users is put together",
    "split": "how often users were halved, one half to say what is likely, the other to judge",
    "tasks": "how many were scored, and a hash of them and of what users did",
    "answers": "a hash of the model's lists",
    "habitus": "the version",
}
_FIGURES = {
    "skill": "1: as the group itself, 0: chance",
    "bounded_skill": "1: as the group itself, 0: the worst list there is",
    "gap": "how far the cross-entropy lies above the best one",
    "entropy": "of the groups, mean",
    "cross_entropy": "of the model, mean",
    "inversion": "the entropy at which the model's curve turns upwards for good",
    "ceiling": "the skill of whoever knows the truth behind the sample",
    "area": "between the model's curve and the diagonal, as a share of chance's",
    "best": "cross-entropy of the target's own order, mean",
    "chance": "cross-entropy of a random list, mean",
    "worst": "cross-entropy of the worst list there is, mean",
    "lowess_inversion": "the entropy at which the smooth of the model's tasks turns upwards for good",
    "user_sd": "of skill, from which users there are",
    "task_sd": "of skill, from which tasks there are",
    "two_lines": "p of a cross-entropy that falls and then rises",
    "trend": "how skill changes per nat of entropy",
    "trend_p": "p of that",
    "validity": "share of slots with a candidate",
}


class Finding(NamedTuple):
    """One part: what the signature says, what that means, what a run has (None: not compared), whether they agree."""

    part: str
    said: str
    meaning: str
    found: str | None = None
    agrees: bool | None = None


class Checked(NamedTuple):
    """A signature that can be read; ``folder``: of the run it was held against, None where none was found.

    ``passed_over``: why other folders were not.
    """

    findings: Sequence[Finding]
    folder: Path | None = None
    passed_over: Sequence[str] = ()

    @property
    def differing(self) -> list[Finding]:
        """What the run has otherwise."""
        return [finding for finding in self.findings if finding.agrees is False]

    @property
    def status(self) -> int:
        """What the command line exits with."""
        return 6 if self.folder is None else 1 if self.differing else 0

    @property
    def verdict(self) -> str:
        """In one sentence."""
        if self.folder is None:
            return (
                "The form is right. Nothing was recomputed: no run with these data and tasks was found; name its folder"
            )
        number, *_ = self.findings
        if not self.differing:
            return f"Recomputed from {self.folder}: {number.found}, as signed"
        others = ", ".join(finding.part for finding in self.differing)
        return f"Recomputed from {self.folder}: {number.found}, signed {number.said}; not as signed: {others}"


def check(text: str, folders: Sequence[Path], *, named: bool = False) -> Checked:
    """Read a signature, and recompute its number from the first of the folders that fits it best.

    Args:
        text: the signature.
        folders: of runs.
        named: whether the user named them; else they are searched for one with the same data and tasks.

    Raises:
        HabitusError: it is no signature; or a folder that was named holds no run that can be read.
    """
    signature = signatures.read(text)
    best, passed_over = Checked(_explained(signature)), []
    for path in folders:
        try:
            if not named and not _alike(signature, RunFolder(path).manifest):
                continue
            checked = Checked(list(_against(signature, RunFolder(path), whatever=named)), path)
        except HabitusError as error:
            if named:
                raise
            passed_over.append(str(error))
            continue
        if checked.findings and (best.folder is None or len(checked.differing) < len(best.differing)):
            best = checked
    return best._replace(passed_over=passed_over)


def _alike(signature: Signature, manifest: Mapping[str, Any]) -> bool:
    """Whether a run is of the same data."""
    data = manifest.get("dataset", {})
    return signature.parts["data"] == f"{data.get('name')}.{data.get('fingerprint', '')[:8]}"


def _against(signature: Signature, folder: RunFolder, *, whatever: bool) -> Iterator[Finding]:
    """Every part beside the run's; nothing where the tasks are others, unless that is wanted."""
    tables = {name: folder.read(name) for name in ("tasks", "members", "rankings")}
    manifest = folder.manifest
    wanted = _as_signed(signature, validated(manifest["settings"]))
    run = Run(tables["tasks"], tables["rankings"], {**manifest, "settings": wanted.model_dump(mode="json")})
    theirs = run.parts(signature.parts)
    if not whatever and theirs["tasks"] != signature.parts["tasks"]:
        return
    row = _recomputed(signature, tables, wanted)
    yield _number(signature, row)
    theirs = run.parts(row or signature.parts)
    for key in (*signatures.NAMED, *signatures.HASHED):
        said, found = signature.parts[key], theirs[key]
        yield Finding(key, said, _WORDS[key], found, None if key == "habitus" else said == found)
    signed, own = _all(signature), signatures.texts(wanted)
    for key in sorted({*signed, *own}):
        said, found = signed.get(key, "not known"), own.get(key, "not known")
        if key in signature.unusual or said != found:
            yield Finding(key, said, "a setting", found, said == found)


def _all(signature: Signature) -> dict[str, str]:
    """Every setting that a signature says, or leaves to its preset."""
    return signatures.texts(settings(signature.parts["preset"])) | signature.unusual


def _as_signed(signature: Signature, own: Settings) -> Settings:
    """A run's settings, scored as the signature says."""
    parts = signature.parts
    said = {key: _value(text) for key, text in _all(signature).items() if key.startswith(_SCORING)}
    named = {
        "fill": parts["fill"],
        "users.split": _value(parts["split"]),
        "target.alpha": _value(parts["alpha"]) or None,
    }
    return own.changed(said | named)


def _recomputed(signature: Signature, tables: Mapping[str, pa.Table], wanted: Settings) -> dict[str, Any] | None:
    """The row of the results table that holds the number; None where the model answered no such task."""
    if not signature.figure.endswith(_RESAMPLED):
        wanted = wanted.changed({"uncertainty.resamples": 0})
    behaviour = tables["tasks"], tables["members"], tables["rankings"]
    scored = scores.score(*behaviour, wanted)
    scored = scored.filter(pc.equal(scored["fill"].cast(pa.string()), wanted.fill))
    sure = intervals.Study(*behaviour, wanted).rows() if wanted.uncertainty.resamples else ()
    summary = frame(results.summarise(tables["tasks"], scored, wanted, sure))
    rows = summary.filter(pl.col(name) == signature.parts[name] for name in signatures.NAMED[:5])
    return None if rows.is_empty() else rows.row(0, named=True)


def _number(signature: Signature, row: Mapping[str, Any] | None) -> Finding:
    figure, number = signature.figure, signature.number
    said = (figure, number, _meaning(figure))
    if row is None:
        return Finding(*said, "nothing: the model answered no such task", agrees=False)
    digits = len(number.removesuffix("bits").partition(".")[2]) or signatures.DIGITS
    return Finding(*said, signatures.shown(row, figure, digits), signatures.equal(number, row, figure))


def _explained(signature: Signature) -> list[Finding]:
    parts = ((key, value, _WORDS.get(key, "a setting")) for key, value in signature.parts.items())
    return [
        Finding(signature.figure, signature.number, _meaning(signature.figure)),
        *(Finding(*part) for part in parts),
    ]


def _meaning(figure: str) -> str:
    for name in INTERVALS:
        for end, words in (("low", "lower"), ("high", "upper")):
            if figure == f"{name}_{end}":
                return f"{words} end of the 95 % interval of {name.replace('_', ' ')}"
    return _FIGURES.get(figure, "a column of the results table")


def _value(text: str) -> Any:  # noqa: ANN401 - whatever a setting may be
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return text
