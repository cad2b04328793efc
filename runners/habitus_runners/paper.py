"""What Saha & Choudhury (2025, arXiv 2507.05266) publish, as numbers and statements: never an input of a figure."""

from collections.abc import Mapping
from typing import NamedTuple

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

# Best first, in both domains; the fourth is the random list. In lower case, as in the names of services' models.
ORDER = ("gpt-4o", "gpt-4o-mini", "llama-3.1-8b", "random")


class Statement(NamedTuple):
    """Something the paper says: a short name, and the statement in our words."""

    name: str
    says: str


STATEMENTS: Mapping[str, Statement] = {
    "table": Statement("How many prompts there are", "Table 1: prompts per proxy level and history length."),
    "rule": Statement(
        "Where the candidates come from", "Algorithm 1: C1, half of them, are items the group interacted with."
    ),
    "defined": Statement(
        "Cross-entropy is a number", "Eq. 2, the mean of log 1/q; how a q of zero is handled is not published."
    ),
    "diagonal": Statement("A perfect model lies on the diagonal", "CE = H for whoever knows the group's behaviour."),
    "order": Statement("Who is best", "GPT-4o, then GPT-4o-mini, then Llama-3.1-8B, in both domains."),
    "random": Statement("Random is last", "The random list is the worst of the four."),
    "domains": Statement("Films are easier than music", "Films lie nearer to the diagonal than music."),
    "inversion": Statement(
        "An inversion is the model's own",
        "Real models leave the diagonal; where a model's curve turns is its inversion point.",
    ),
    "setups": Statement(
        "A turns before B", "The inversion point with demography and history is lower than with history."
    ),
    "history": Statement("More history, more cross-entropy", "CE rises with the length of the history."),
    "combined": Statement(
        "Combined demographics, more cross-entropy", "CE is higher for age × gender × occupation than for one of them."
    ),
    "size": Statement("Lower entropy, fewer users", "A lower H means a smaller group."),
    "cost": Statement("What it costs", "About 30 USD per combination for GPT-4o, 2 USD for GPT-4o-mini."),
}
