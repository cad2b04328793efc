"""Measured points of the scaling plots: kept one by one while measuring, committed when complete."""

import datetime as dt
import json
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import NamedTuple

from benchmarks import timing

FOLDER = Path(__file__).parent


class Point(NamedTuple):
    """``value``, in the unit of its sweep, of ``name`` at ``size``."""

    sweep: str
    name: str
    size: int
    value: float


class Points:
    """What has been measured so far. An interrupted run is found again by the same command."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._held: list[Point] = []
        self.date, self.machine = dt.datetime.now(dt.UTC).date().isoformat(), timing.machine()
        if path.exists():
            found = json.loads(path.read_text("utf-8"))
            self.date, self.machine = found["date"], found["machine"]
            self._held = [Point(*point) for point in found["points"]]

    @classmethod
    def begun(cls, name: str) -> "Points":
        """Those of an interrupted run on this machine, or none."""
        points = cls(Path(tempfile.gettempdir()) / f"habitus-{name}.json")
        return points if points.machine == timing.machine() else points.without_any()

    @classmethod
    def kept(cls, folder: Path = FOLDER) -> "Points":
        """Those of a complete run."""
        return cls(_file(folder))

    def without_any(self) -> "Points":
        """Begin anew."""
        self._path.unlink(missing_ok=True)
        return Points(self._path)

    def __iter__(self) -> Iterator[Point]:
        return iter(self._held)

    def of(self, sweep: str) -> Mapping[str, list[tuple[int, float]]]:
        """Sizes and values per name, in the order measured."""
        found: dict[str, list[tuple[int, float]]] = {}
        for point in self._held:
            if point.sweep == sweep:
                found.setdefault(point.name, []).append((point.size, point.value))
        return found

    def value(self, sweep: str, name: str, size: int) -> float | None:
        """What was measured, if it was."""
        return next((point.value for point in self._held if point[:3] == (sweep, name, size)), None)

    def add(self, sweep: str, name: str, size: int, value: float) -> None:
        """Keep a point, four digits of it, at once."""
        self._held.append(Point(sweep, name, size, float(f"{value:.4g}")))
        self._write(self._path)
        timing.progress(f"{sweep:14}{name:24}{size:>14,}{value:14.4g}")

    def keep(self, folder: Path = FOLDER) -> None:
        """The run is complete."""
        self._write(_file(folder))
        self._path.unlink()

    def _write(self, path: Path) -> None:
        lines = ",\n".join(f"  {json.dumps(point)}" for point in self._held)
        head = json.dumps({"date": self.date, "machine": self.machine}, indent=1)[:-2]
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f'{head},\n "points": [\n{lines}\n ]\n}}\n', "utf-8")


def _file(folder: Path) -> Path:
    return folder / "measured" / "scaling.json"
