"""The page of the properties, in the look of the report."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from habitus_runners.report.page import environment
from habitus_runners.report.style import Image, look, save
from habitus_runners.storage import atomic
from habitus_runners.validity.charts import drawn
from habitus_runners.validity.property import Property


def write(found: Sequence[Property], kept: Mapping[str, Any], folder: Path) -> Path:
    """Write validity.html and its figures.

    Args:
        found: the properties.
        kept: what is in validity.json: version, seed and size.
        folder: of both.
    """
    with look():
        images = {one.key: _image(one, folder / "figures") for one in found if one.chart}
    page = (
        environment(Path(__file__).parent)
        .get_template("validity.html.jinja")
        .render(found=found, images=images, **kept)
    )
    path = folder / "validity.html"
    with atomic(path) as file:
        file.write(page.encode())
    return path


def _image(one: Property, folder: Path) -> Image:
    if one.chart is None:
        raise TypeError(f"expected a property with a chart, got {one.key}")
    return save(drawn(one.chart), folder, f"validity-{one.key.lower()}")
