"""What was measured, as it is committed, and its table."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from benchmarks.kept import MEASURED
from benchmarks.reliability.bar import Bar, Found

PATH = MEASURED / "reliability.json"


class Measured(NamedTuple):
    """Per bar and system, what was found, with date, machine and commit of that measurement."""

    bars: Mapping[str, Mapping[str, Mapping[str, Any]]]

    @classmethod
    def read(cls, path: Path = PATH) -> "Measured":
        """What was kept; nothing where there is no file."""
        return cls(json.loads(path.read_text("utf-8")) if path.exists() else {})

    def keep(self, path: Path = PATH) -> None:
        """Write all of it."""
        path.parent.mkdir(exist_ok=True)
        path.write_text(json.dumps(self.bars, indent=1, ensure_ascii=False) + "\n", "utf-8")

    def having(self, bar: str, found: Mapping[str, Found], of: Mapping[str, str]) -> "Measured":
        """With new numbers of some systems; those of other systems, and of other bars, stay."""
        new = {system: {**numbers, "measured": of} for system, numbers in found.items()}
        kept = {
            name: value for name, value in self.bars.get(bar, {}).items() if _program(name) not in map(_program, new)
        }
        return Measured({**self.bars, bar: {**kept, **new}})

    def table(self, bars: Mapping[str, Bar]) -> str:
        """Markdown: a row for each bar, a column for each system."""
        systems = list(dict.fromkeys(system for found in self.bars.values() for system in found))
        lines = [_row("", "bar", *systems), "|" + "---|" * (len(systems) + 2)]
        for name, bar in bars.items():
            if name in self.bars:
                found = self.bars[name]
                cells = [bar.say(found[system]) if system in found else "" for system in systems]
                lines.append(_row(bar.number, f"{bar.what}: {bar.wanted}", *cells))
        return "\n".join(lines)


def _row(*cells: str) -> str:
    return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"


def _program(system: str) -> str:
    return system.partition(" ")[0]


def lacking(reasons: Sequence[str]) -> str:
    """Why a system is not in the table."""
    return "\n".join(f"Not measured: {reason}" for reason in reasons)
