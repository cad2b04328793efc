"""A signature: one line that stands beside a number and says what it is a number of; it can be checked.

    skill=0.8656,model=popularity,setup=all,level=all,...,tasks=532.5f0e6a9c,answers=0c1d2e3f,habitus=0.1.0,sum=1a2b3c4d

Two numbers may be compared where all parts but the model and its answers agree. Parts are KEY=VALUE and stand in one
order; settings appear by their key where they are not their preset's default. All characters survive Markdown, LaTeX,
being copied from its PDF, and a shell without quotes: so a comma parts (LaTeX prints ``|`` as a dash, Markdown ends a
cell at it), ``+2C`` is the byte 2C (``%`` begins LaTeX's comment), and there is no underscore (a PDF has a rule there).
"""

import json
import math
import re
from binascii import crc32
from collections.abc import Iterator, Mapping
from hashlib import blake2b
from pathlib import PurePath
from typing import Any, NamedTuple
from urllib.parse import quote, unquote

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from habitus_runners.columns import fixed
from habitus_runners.errors import HabitusError
from habitus_runners.settings import Settings, settings, validated
from habitus_runners.tables import BIT, POOLED, results_schema

SLICES = ("setup", "level", "history")
NAMED = ("model", *SLICES, "fill", "alpha", "data", "preset", "seed", "target", "split")
HASHED = ("tasks", "answers", "habitus")
FIGURES = tuple(field.name for field in results_schema() if field.type == pa.float64() and field.name != "alpha")
DIGITS = 4

_LONGEST = 4000
_ID = 16  # bytes
_SAFE = ":/@"  # beside letters, digits, point and hyphen
_PART = re.compile(r"([A-Za-z][A-Za-z0-9.-]*)=([A-Za-z0-9.:/@+-]*)")
_NUMBER = re.compile(r"(-?(?:0|[1-9][0-9]*)\.[0-9]{1,12})(bits)?|[a-z-]+")
_BITS = "bits"
_UNITS = {field.name: _BITS if (field.metadata or {}).get(b"unit") == b"nats" else "" for field in results_schema()}
_OUTCOMES = {"inversion": "outcome", "lowess_inversion": "lowess_outcome"}
# Said by a part of their own, no part of what is measured, or an address in somebody's network.
_UNSAID = {"target.kind", "target.alpha", "users.split", "vllm.memory", "ask.base_url"}
_SILENT = {"preset", "seed", "fill", "calls", "data"}


class Signature(NamedTuple):
    """What a signature says. ``parts``: every part but the figure and the checksum, in their order, nothing escaped."""

    figure: str
    number: str
    parts: Mapping[str, str]

    def __str__(self) -> str:
        pairs = [(_key(self.figure), self.number), *self.parts.items()]
        text = ",".join(f"{key}={_escaped(value)}" for key, value in pairs)
        return f"{text},sum={_checksum(text)}"

    @property
    def unusual(self) -> dict[str, str]:
        """Dotted key -> value of the settings that are not the preset's defaults."""
        return {key.replace("-", "_"): value for key, value in self.parts.items() if key not in (*NAMED, *HASHED)}


class Run:
    """What the signatures of a run are made of. A slice's hashes are computed when first needed, and kept.

    Hashed are, in the order of their task's id: tasks with their counts, and a model's lists.
    """

    def __init__(self, tasks: pa.Table, rankings: pa.Table, manifest: Mapping[str, Any]) -> None:
        self._manifest, self._settings = manifest, validated(manifest["settings"])
        usual, own = texts(settings(self._settings.preset)), texts(self._settings)
        self._unusual = dict(sorted((_key(name), own[name]) for name in own if own[name] != usual[name]))
        self._facts, self._by_id = _digests(tasks)
        columns = {name: tasks[name].cast(pa.string()) for name in SLICES[:2]}
        columns["history"] = tasks["history"].combine_chunks().value_lengths().cast(pa.string())
        self._inside = {name: _places(column) for name, column in columns.items()}
        lists = fixed(rankings["ranking"]).astype("<i2")
        self._owner = _owners(rankings, tasks)
        order = np.lexsort((*lists.T[::-1], np.argsort(self._by_id)[self._owner]))
        models = _places(rankings["model"].cast(pa.string()))
        self._answered = {model: order[answered[order]] for model, answered in models.items()}
        self._answers = np.hstack([self._facts[self._owner, :_ID], lists.view(np.uint8).reshape(len(lists), -1)])
        self._hashes: dict[tuple[str, ...], tuple[str, str]] = {}

    def parts(self, row: Mapping[str, Any]) -> dict[str, str]:
        """The parts that a row of the results table has in common: all but the figure.

        Args:
            row: ``model``, ``fill``, ``alpha``, ``setup``, ``level`` and ``history`` of a row of the results table.
        """
        data, wanted = self._manifest["dataset"], self._settings
        tasks, answers = self._hashed(row["model"], *(row[name] for name in SLICES))
        return {
            **{name: str(row[name]) for name in NAMED[:5]},
            "alpha": _text(row["alpha"]),
            "data": f"{data['name']}.{data['fingerprint'][:8]}",
            "preset": wanted.preset,
            "seed": str(wanted.seed),
            "target": _key(wanted.target.kind),
            "split": str(wanted.users.split),
            **self._unusual,
            "tasks": tasks,
            "answers": answers,
            "habitus": self._manifest["habitus"],
        }

    def _hashed(self, *of: str) -> tuple[str, str]:
        """Number and hash of the tasks of a slice that a model answered; hash of its rankings of them."""
        if of not in self._hashes:
            model, *slices = of
            nothing = np.zeros(len(self._facts), np.bool_)
            inside = ~nothing
            for name, value in zip(SLICES, slices, strict=True):
                inside &= self._inside[name].get(value, nothing) if value != POOLED else True
            answered = self._answered.get(model, np.empty(0, np.int64))
            answered = answered[inside[self._owner[answered]]]
            scored = nothing.copy()
            scored[self._owner[answered]] = True
            tasks = self._facts[self._by_id[scored[self._by_id]]]
            self._hashes[of] = (f"{len(tasks)}.{_hash(tasks)}", _hash(self._answers[answered]))
        return self._hashes[of]


def of(run: Run, row: Mapping[str, Any], figure: str, *, digits: int = DIGITS) -> str:
    """The signature of one figure of one row of a run's results table.

    Args:
        run: the run.
        row: of its results table, as a dictionary.
        figure: one of ``FIGURES``: a column of numbers of the results table.
        digits: after the point; entropies are in bits.

    Raises:
        HabitusError: there is no such figure.
    """
    if figure not in FIGURES:
        raise HabitusError(f"signature: expected a figure of the results table ({', '.join(FIGURES)}), got {figure!r}")
    return str(Signature(figure, shown(row, figure, digits), run.parts(row)))


def headline(run: Run, results: pa.Table, fill: str) -> dict[str, str]:
    """Model -> the signature of its skill over all tasks, empty slots filled by ``fill``."""
    pooled = pc.equal(results["fill"].cast(pa.string()), fill)
    for name in SLICES:
        pooled = pc.and_(pooled, pc.equal(results[name].cast(pa.string()), POOLED))
    return {row["model"]: of(run, row, "skill") for row in results.filter(pooled).to_pylist()}


def read(text: str) -> Signature:
    """What a signature says; white space in it, as a line break brings, means nothing.

    Raises:
        HabitusError: it is no signature, or not as it was written: a character is missing, added or changed.
    """
    line = "".join(text.split())
    signed, _, checksum = line.rpartition(",sum=")
    if not signed or len(line) > _LONGEST:
        raise HabitusError(f"signature: expected FIGURE=NUMBER,KEY=VALUE,...,sum=CHECKSUM, got {_short(line)}")
    if checksum != _checksum(signed):
        raise HabitusError(
            f"signature: expected a text with the checksum it ends in, {_short(checksum)}, got one with"
            f" {_checksum(signed)}: a character is missing, added or changed; copy it again"
        )
    (figure, number), *pairs = (_pair(part) for part in signed.split(","))
    signature = Signature(figure.replace("-", "_"), number, dict(pairs))
    _refuse_strange(signature)
    if str(signature) != line:
        raise HabitusError(f"signature: expected {_short(str(signature))}, as habitus writes it, got {_short(line)}")
    return signature


def latex(signature: str) -> str:
    r"""A signature for a LaTeX document, where lines may break after its commas and are filled there.

    >>> print(latex("skill=0.5000,model=random"))
    \texttt{skill=0.5000,\hspace{0pt plus 3em}model=random}
    """
    return rf"\texttt{{{signature}}}".replace(",", r",\hspace{0pt plus 3em}")


def texts(wanted: Settings) -> dict[str, str]:
    """Dotted key -> value of every setting that a signature may say; numbers as short as they can be read back."""
    said = {key: _text(value) for key, value in _flat(wanted)}
    return said | {"prompt.template": PurePath(said["prompt.template"]).name}  # not where it lies on whose disk


def shown(row: Mapping[str, Any], figure: str, digits: int) -> str:
    """A figure as signatures print it, in bits where it has that unit; an undefined one by its outcome."""
    if not _known(row[figure]):
        return str(row.get(_OUTCOMES.get(figure, "")) or "undefined")
    return f"{round(_scaled(row[figure], figure), digits) + 0.0:.{digits}f}{_UNITS[figure]}"


def equal(number: str, row: Mapping[str, Any], figure: str) -> bool:
    """Whether a row has this figure, to the digits that are printed."""
    text = number.removesuffix(_BITS)
    digits = len(text.partition(".")[2])
    if number == shown(row, figure, digits) or not digits or not _known(row[figure]):
        return number == shown(row, figure, digits)
    # On another processor a value's last bits may differ, and with them to which side it is rounded.
    return abs(float(text) - _scaled(row[figure], figure)) <= (0.5 + 1e-6) * float(f"1e-{digits}")


def _known(value: float | None) -> bool:
    return value is not None and math.isfinite(value)


def _scaled(value: float, figure: str) -> float:
    return value / BIT if _UNITS[figure] else value


def _pair(part: str) -> tuple[str, str]:
    found = _PART.fullmatch(part)
    if not found:
        raise HabitusError(f"signature: expected KEY=VALUE between two commas, got {_short(part)}")
    try:
        return found[1], unquote(found[2].replace("+", "%"), errors="strict")
    except UnicodeDecodeError:
        raise HabitusError(f"signature: expected UTF-8 in its escapes, got {_short(part)}") from None


def _refuse_strange(signature: Signature) -> None:
    """The figure exists, the number is one, no part is missing or stands elsewhere."""
    if signature.figure not in FIGURES:
        raise HabitusError(f"signature: expected one of {', '.join(FIGURES)} first, got {_short(signature.figure)}")
    number = _NUMBER.fullmatch(signature.number)
    if not number or (number[1] is not None and (number[2] or "") != _UNITS[signature.figure]):
        raise HabitusError(f"signature: expected a number such as 0.4213 or 4.51bits, got {_short(signature.number)}")
    expected = (*NAMED, *sorted(map(_key, signature.unusual)), *HASHED)
    for place, key in enumerate(expected):
        came = list(signature.parts)[place : place + 1]
        if came != [key]:
            raise HabitusError(f"signature: expected {key} as part {place + 2}, got {_short(''.join(came))}")


def _key(name: str) -> str:
    return name.replace("_", "-")


def _flat(wanted: Settings) -> Iterator[tuple[str, Any]]:
    for section, values in wanted.model_dump(mode="json").items():
        inside = {f"{section}.{key}": value for key, value in values.items()} if isinstance(values, dict) else {}
        if section not in _SILENT:
            yield from ((key, value) for key, value in (inside or {section: values}).items() if key not in _UNSAID)


def _text(value: object) -> str:
    """As JSON, but for texts, and lengths parted by colons."""
    if isinstance(value, str):
        return value
    if isinstance(value, list):
        return ":".join(map(_text, value))
    return json.dumps(value, separators=(",", ":"), sort_keys=True).removesuffix(".0")


def _digests(tasks: pa.Table) -> tuple[NDArray[np.uint8], NDArray[np.int64]]:
    """(tasks, 2 _ID) hashes of each task's id and of what it is scored against; (tasks,) their order by id."""
    facts = [fixed(tasks[name]).astype("<i4") for name in ("counts", "population")]
    facts += [tasks[name].to_numpy()[:, None].astype("<u8") for name in ("group_size", "seed")]
    if not tasks["target"].null_count:
        # In millionths: the last bits of a sum may differ between processors.
        facts.append(np.rint(fixed(tasks["target"]) * 1e6).astype("<i4"))
    rows = np.hstack([column.view(np.uint8).reshape(len(column), -1) for column in facts])
    ids = [blake2b(name.encode(), digest_size=_ID).digest() for name in tasks["task_id"].to_pylist()]
    whole = (name + blake2b(row.tobytes(), digest_size=_ID).digest() for name, row in zip(ids, rows, strict=True))
    order = np.array(sorted(range(len(ids)), key=ids.__getitem__), np.int64)
    return np.frombuffer(b"".join(whole), np.uint8).reshape(-1, 2 * _ID), order


def _places(column: pa.ChunkedArray) -> dict[str, NDArray[np.bool_]]:
    """Value -> where it stands."""
    values = column.to_numpy(zero_copy_only=False)
    return {value: values == value for value in dict.fromkeys(values)}


def _owners(rankings: pa.Table, tasks: pa.Table) -> NDArray[np.int64]:
    """(rankings,) the row of each one's task."""
    row = pc.index_in(rankings["task_id"], value_set=tasks["task_id"].combine_chunks())
    if row.null_count:
        raise HabitusError("signature: expected rankings of the run's tasks, got one of another task; parse it again")
    return np.asarray(row.to_numpy(), np.int64)


def _hash(rows: NDArray[np.uint8]) -> str:
    return blake2b(rows.tobytes(), digest_size=4).hexdigest()


def _checksum(text: str) -> str:
    """CRC-32: it misses no change within four characters that stand together, and of others one in 4e9."""
    return f"{crc32(text.encode('utf-8', 'surrogatepass')):08x}"


def _escaped(value: str) -> str:
    return quote(value, safe=_SAFE).replace("~", "%7E").replace("_", "%5F").replace("%", "+")


def _short(text: str) -> str:
    """What came, bounded, in ASCII: it goes to a terminal."""
    return ascii(text if len(text) <= 60 else text[:59] + "…")  # noqa: PLR2004 - fits a line beside its sentence
