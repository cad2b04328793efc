"""A locally weighted line through repeated points, in plain Python."""

import math
from collections.abc import Sequence


def smooth(x: Sequence[float], y: Sequence[float], at: float, fraction: float) -> float:
    """Where every point counts once; NaN where no line is determined."""
    nearest = sorted(abs(across - at) for across in x)
    held = min(max(int(fraction * len(x) + 1e-10), 2), len(x))
    if not x or not min(x) <= at <= max(x) or nearest[held - 1] == 0:
        return math.nan
    radius = nearest[held - 1]
    points = [
        (across, up, (1 - (abs(across - at) / radius) ** 3) ** 3)
        for across, up in zip(x, y, strict=True)
        if abs(across - at) < radius
    ]
    if len({across for across, _, share in points if share > 1e-12}) < 2:
        return math.nan
    total = math.fsum(share for *_, share in points)
    center = math.fsum(share * (across - at) for across, _, share in points) / total
    level = math.fsum(share * up for _, up, share in points) / total
    squares = math.fsum(share * (across - at - center) ** 2 for across, _, share in points)
    product = math.fsum(share * (across - at - center) * (up - level) for across, up, share in points)
    return level - center * product / squares
