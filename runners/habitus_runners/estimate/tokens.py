"""Who counts tokens for a model: its own tokenizer where it is on this machine, else the calibrated characters.

Nothing here uses the network: a vocabulary that is not here already is not fetched.
"""

import hashlib
import importlib
import os
import tempfile
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

from habitus_runners.estimate import characters
from habitus_runners.estimate.interval import Interval, exactly

Count = Callable[[Sequence[str]], Interval]

# Tokens that a chat adds to one user message. OpenAI publishes 3 per message, 1 for the role, 3 before the reply; the
# templates of open models add 4 (Mistral) to 41 (Llama 3.1, with its dates).
_OPENAI_CHAT = exactly(7)
_SOME_CHAT = Interval(3, 10, 45)

_ENCODINGS: Mapping[str, str] = {
    "gpt-3.5": "cl100k_base",
    "gpt-4-": "cl100k_base",
    "gpt-4o": "o200k_base",
    "gpt-4.": "o200k_base",
    "gpt-5": "o200k_base",
    "gpt-oss": "o200k_base",
    "chatgpt-4o": "o200k_base",
    "o1": "o200k_base",
    "o3": "o200k_base",
    "o4": "o200k_base",
}
_PUBLISHED: Mapping[str, str] = {
    "cl100k_base": "223921b76ee99bde995b7ff738513eef100fb51d18c93597a113bcffe865b2a7",
    "o200k_base": "446a9538cb6c348e3516120d7c08b09f57c36495e2acfffe59a5bf8b0cfb1a2d",
}


class Tokenizer(NamedTuple):
    """``name`` says what counts; ``total`` gives the tokens of all texts together; ``chat`` comes on top per call."""

    name: str
    total: Count
    chat: Interval


def tokenizer(model: str) -> Tokenizer:
    """The best there is on this machine.

    Args:
        model: the service's name for it, or the folder that it was loaded from.
    """
    folder = Path(model)
    if (folder / "tokenizer.json").is_file() and (own := _of_folder(folder)):
        return own
    encoding = encoding_of(model)
    if encoding is None:
        return Tokenizer("characters, calibrated on five tokenizers", characters.count, _SOME_CHAT)
    if count := _tiktoken(encoding):
        return Tokenizer(f"tiktoken, {encoding}", count, _OPENAI_CHAT)
    counted = partial(characters.count, tokenizer=encoding)
    return Tokenizer(f"characters, calibrated on {encoding}", counted, _OPENAI_CHAT)


def encoding_of(model: str) -> str | None:
    """Which of OpenAI's vocabularies a model of that name has, None for models of others.

    >>> encoding_of("gpt-4o-mini"), encoding_of("ft:gpt-3.5-turbo:mine::1"), encoding_of("mistral-small")
    ('o200k_base', 'cl100k_base', None)
    """
    name = model.removeprefix("ft:").removeprefix("openai/")
    return next((encoding for start, encoding in _ENCODINGS.items() if f"{name}-".startswith(start)), None)


def _tiktoken(encoding: str) -> Count | None:
    """From the cache alone: tiktoken downloads what it has not cached, or what is damaged there; so look first."""
    folder = _tiktoken_cache()
    address = f"https://openaipublic.blob.core.windows.net/encodings/{encoding}.tiktoken"
    cached = Path(folder, hashlib.sha1(address.encode(), usedforsecurity=False).hexdigest())
    try:
        whole = bool(folder) and hashlib.sha256(cached.read_bytes()).hexdigest() == _PUBLISHED[encoding]
        known: Any = importlib.import_module("tiktoken").get_encoding(encoding) if whole else None
    except (ImportError, OSError):
        return None
    return partial(_encoded, known.encode_ordinary_batch) if known else None


def _tiktoken_cache() -> str:
    for variable in ("TIKTOKEN_CACHE_DIR", "DATA_GYM_CACHE_DIR"):
        if variable in os.environ:
            return os.environ[variable]
    return str(Path(tempfile.gettempdir(), "data-gym-cache"))


def _encoded(encode: Callable[[Sequence[str]], Sequence[Sequence[int]]], texts: Sequence[str]) -> Interval:
    return exactly(sum(map(len, encode(list(texts)))))


def _of_folder(folder: Path) -> Tokenizer | None:
    try:
        own: Any = importlib.import_module("tokenizers").Tokenizer.from_file(str(folder / "tokenizer.json"))
    except Exception:  # noqa: BLE001 - tokenizers raises no other for a file that it cannot read
        return None
    own.no_truncation()
    own.no_padding()

    def encode(texts: Sequence[str]) -> Sequence[Sequence[int]]:
        return [encoded.ids for encoded in own.encode_batch_fast(texts, add_special_tokens=False)]

    return Tokenizer(f"tokenizers, {folder / 'tokenizer.json'}", partial(_encoded, encode), _template(folder, encode))


def _template(folder: Path, encode: Callable[[Sequence[str]], Sequence[Sequence[int]]]) -> Interval:
    """What the folder's own chat template adds to a message, if transformers is here to apply it."""
    message = "Rank these titles."
    try:
        transformers: Any = importlib.import_module("transformers")
        loaded = transformers.AutoTokenizer.from_pretrained(str(folder), local_files_only=True)
        chat = [{"role": "user", "content": message}]
        text = loaded.apply_chat_template(chat, tokenize=False, add_generation_prompt=True)
    except (ImportError, OSError, ValueError):
        return _SOME_CHAT
    whole, alone = encode([text, message])
    return exactly(len(whole) - len(alone))
