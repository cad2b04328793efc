"""The verdicts as one HTML page with its figure, and as JSON. What they say is decided elsewhere."""

import json
import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from habitus_runners.report.page import environment
from habitus_runners.report.style import look, save
from habitus_runners.sensitivity import Sensitivity
from habitus_runners.sensitivity.figure import dots
from habitus_runners.sensitivity.telling import changes, depending, standing, tally
from habitus_runners.storage import atomic

_SIGNS = {"untouched": "·", "survives": "✓", "changed": "✗", "open": "?", "unasked": "–"}


def write(found: Sensitivity, manifest: Mapping[str, Any], folder: Path) -> Path:
    """Write ``sensitivity.json``, ``sensitivity.html`` and its figure into a run's folder; returns the page's path.

    Raises:
        HabitusError: a file cannot be written.
    """
    with look():
        image = save(dots(found), folder / "figures", "sensitivity")
    text = (
        environment(Path(__file__).parent)
        .get_template("page.html.jinja")
        .render(
            manifest=manifest,
            found=found,
            image=image,
            standing=standing(found),
            depending=depending(found),
            rows=[(row, tally(row), changes(found, row)) for row in found.rows],
            signs=_SIGNS,
        )
    )
    for name, content in (("sensitivity.json", _json(found)), ("sensitivity.html", text)):
        with atomic(folder / name) as file:
            file.write(content.encode())
    return folder / "sensitivity.html"


def _json(found: Sensitivity) -> str:
    """Undefined figures are null; entropies in bits."""
    plain = {
        "unit": "bits",
        "conclusions": [
            {"kind": one.kind, "subject": one.subject, "says": one.answer.says} for one in found.conclusions
        ],
        "run": _plain(found.base._asdict()),
        "alternatives": [
            {
                "family": row.family,
                "name": row.name,
                "verdicts": [{"outcome": verdict.outcome, "says": verdict.says} for verdict in row.verdicts],
                **_plain(row.reading._asdict()),
            }
            for row in found.rows
        ],
        "survive": [one.subject for one in standing(found)],
        "depend": depending(found),
        "notes": list(found.notes),
    }
    return json.dumps(plain, indent=1, ensure_ascii=False, allow_nan=False) + "\n"


def _plain(value: Any) -> Any:  # noqa: ANN401 - whatever a reading holds
    if hasattr(value, "_asdict"):
        return _plain(value._asdict())
    if isinstance(value, Mapping):
        return {" before ".join(key) if isinstance(key, tuple) else key: _plain(one) for key, one in value.items()}
    if isinstance(value, tuple):
        return [_plain(one) for one in value]
    return None if isinstance(value, float) and math.isnan(value) else value
