"""What Saha & Choudhury (2025, arXiv 2507.05266) publish, as numbers: facts, never an input of a computation."""

from collections.abc import Mapping

LENGTHS = (0, 1, 3, 5, 10, 20)

# Table 1: prompts per proxy level and history length.
TABLE_1: Mapping[str, Mapping[str, tuple[int, ...]]] = {
    "ml-1m": {
        "none": (1, 300, 300, 300, 89, 5),
        "age": (7, 300, 300, 300, 147, 5),
        "gender": (2, 300, 300, 300, 110, 5),
        "occupation": (17, 300, 300, 300, 112, 2),
        "age x gender x occupation": (51, 300, 300, 300, 43, 0),
    },
    "lastfm-1k": {
        "none": (1, 246, 249, 246, 240, 11),
        "country": (17, 250, 249, 248, 208, 9),
        "continent": (4, 250, 249, 249, 249, 11),
        "gender": (2, 249, 247, 249, 250, 13),
        "gender x continent": (8, 246, 248, 249, 171, 6),
    },
}
