"""How every figure looks and how it is saved: palette, fonts, three formats. No data in here."""

import re
from base64 import b64encode
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from io import BytesIO
from pathlib import Path
from typing import Any, NamedTuple

import matplotlib as mpl
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.font_manager import findfont, get_font

from habitus_runners.storage import atomic

# Okabe and Ito's palette without its yellow, which is lost on white.
COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000")
LINES = ("-", (0, (4, 1.5)), (0, (1, 1)), (0, (5, 1.5, 1, 1.5)))
MARKERS = "os^DvPX<p>h*d8"
GREY = "#767676"
DPI = 130
EMBEDDED_SVG = 90_000
RULES: dict[Any, Any] = {
    "axes.axisbelow": True,
    "axes.edgecolor": GREY,
    "axes.grid": True,
    "axes.labelsize": 9,
    "axes.spines.right": False,
    "axes.spines.top": False,
    "axes.titlelocation": "left",
    "axes.titlesize": 10,
    "axes.titleweight": "bold",
    "axes.titley": 1.0,
    "font.family": ["DejaVu Sans"],
    "font.size": 9,
    "grid.color": "#e6e6e6",
    "grid.linewidth": 0.6,
    "pdf.compression": 6,
    "svg.hashsalt": "habitus",
    "text.parse_math": False,
    "xtick.labelsize": 8.5,
    "ytick.labelsize": 8.5,
}


class Style(NamedTuple):
    """What tells one model from the others, in every figure the same."""

    colour: str
    line: str | tuple[int, tuple[float, ...]]
    marker: str


class Image(NamedTuple):
    """A figure on disk, and what the page embeds."""

    name: str
    uri: str
    width: int
    height: int


def style(index: int) -> Style:
    """The style of the ``index``-th model: colours first, then lines; markers differ for fourteen."""
    line = LINES[index // len(COLOURS) % len(LINES)]
    return Style(COLOURS[index % len(COLOURS)], line, MARKERS[index % len(MARKERS)])


@contextmanager
def look() -> Iterator[None]:
    """The figures' settings, for as long as they are drawn."""
    with mpl.rc_context():
        mpl.rcdefaults()
        mpl.rcParams.update(RULES)
        yield


def canvas(width: float, height: float) -> Figure:
    """An empty figure of ``width`` x ``height`` inches."""
    return Figure(figsize=(width, height), dpi=DPI, facecolor="white")


def axes_at(figure: Figure, left: float, bottom: float, width: float, height: float) -> Axes:
    """Axes at a place given in inches: layout engines cost more than the drawing."""
    across, up = figure.get_size_inches()
    return figure.add_axes((left / across, bottom / up, width / across, height / up))


def legible(text: str, limit: int = 40) -> str:
    """``text`` on one line, its middle cut out beyond ``limit`` characters, "?" for what the font cannot draw."""
    flat = "".join(character if _drawable(character) else "?" for character in " ".join(text.split()))
    return flat if len(flat) <= limit else f"{flat[: limit // 2]}…{flat[1 + limit // 2 - limit :]}"


@cache
def _drawable(character: str) -> bool:
    return character.isprintable() and bool(get_font(findfont("DejaVu Sans")).get_char_index(ord(character)))


def slug(text: str, taken: set[str]) -> str:
    """A file name made of letters, digits and hyphens that is not yet ``taken``; it is taken afterwards."""
    base = re.sub(r"[^a-z0-9]+", "-", text.lower()).strip("-")[:60] or "unnamed"
    name, number = base, 1
    while name in taken:
        number += 1
        name = f"{base}-{number}"
    taken.add(name)
    return name


def save(figure: Figure, folder: Path, name: str) -> Image:
    """Write ``name``.png, .svg and .pdf without dates, and embed the SVG where it is light, else the PNG."""
    png = _written(figure, folder / f"{name}.png", {"Software": None})
    svg = _written(figure, folder / f"{name}.svg", {"Date": None})
    _written(figure, folder / f"{name}.pdf", {"CreationDate": None})
    kind, content = ("svg+xml", svg) if len(svg) <= EMBEDDED_SVG else ("png", png)
    width, height = (round(inches * 96) for inches in figure.get_size_inches())
    return Image(name, f"data:image/{kind};base64,{b64encode(content).decode('ascii')}", width, height)


def _written(figure: Figure, path: Path, metadata: dict[str, None]) -> bytes:
    buffer = BytesIO()
    figure.savefig(buffer, format=path.suffix[1:], metadata=metadata, dpi=DPI)
    with atomic(path) as file:
        file.write(buffer.getvalue())
    return buffer.getvalue()
