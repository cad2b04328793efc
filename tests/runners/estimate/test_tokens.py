"""Who counts: a tokenizer that is here, never one that would have to be downloaded; else calibrated characters."""

import hashlib
import importlib
import json
import socket
import sys
import types
from pathlib import Path

import pytest

from habitus_runners.estimate import characters, tokens
from habitus_runners.estimate.interval import Interval, exactly
from habitus_runners.estimate.tokens import encoding_of, tokenizer

O200K = "https://openaipublic.blob.core.windows.net/encodings/o200k_base.tiktoken"
TEXTS = ["Rank these films.", 'Candidates:\n"Heat (1995)"\n"Alien (1979)"\n']
HERE = importlib.util.find_spec


@pytest.fixture(autouse=True)
def _nothing_here(monkeypatch, tmp_path):
    def refused(*_):
        raise AssertionError("counting tokens needed the network")

    monkeypatch.setattr(socket.socket, "connect", refused)
    monkeypatch.setenv("TIKTOKEN_CACHE_DIR", str(tmp_path / "cache"))


@pytest.fixture
def fake_tiktoken(monkeypatch, tmp_path):
    """A vocabulary in tiktoken's cache and a package that would read it: words are tokens."""
    vocabulary = b"aGk= 0\n"
    monkeypatch.setattr(tokens, "_PUBLISHED", {"o200k_base": hashlib.sha256(vocabulary).hexdigest()})
    encoding = types.SimpleNamespace(encode_ordinary_batch=lambda texts: [text.split() for text in texts])
    package = types.SimpleNamespace(get_encoding=lambda name: {"o200k_base": encoding}[name])
    monkeypatch.setitem(sys.modules, "tiktoken", package)
    (tmp_path / "cache").mkdir()
    cached = tmp_path / "cache" / hashlib.sha1(O200K.encode(), usedforsecurity=False).hexdigest()
    cached.write_bytes(vocabulary)
    return cached


@pytest.mark.parametrize(
    ("model", "encoding"),
    [
        ("gpt-4", "cl100k_base"),
        ("gpt-4-turbo", "cl100k_base"),
        ("gpt-3.5-turbo", "cl100k_base"),
        ("gpt-4o", "o200k_base"),
        ("gpt-4.1-mini", "o200k_base"),
        ("gpt-5", "o200k_base"),
        ("o3", "o200k_base"),
        ("openai/gpt-oss-20b", "o200k_base"),
        ("ft:gpt-4o-mini:mine::1", "o200k_base"),
        ("llama-3.1-8b", None),
        ("", None),
    ],
)
def test_a_name_says_which_vocabulary(model, encoding):
    assert encoding_of(model) == encoding


def test_without_a_vocabulary_characters_count():
    found = tokenizer("gpt-4o-mini")
    assert found.name == "characters, calibrated on o200k_base"
    assert found.total(TEXTS) == characters.count(TEXTS, "o200k_base")
    assert found.chat == exactly(7)
    unknown = tokenizer("mistral-small")
    assert unknown.name == "characters, calibrated on five tokenizers"
    assert unknown.total(TEXTS) == characters.count(TEXTS)
    assert unknown.chat.low < unknown.chat.high


@pytest.mark.usefixtures("fake_tiktoken")
def test_a_vocabulary_in_the_cache_counts():
    found = tokenizer("gpt-4o-mini")
    assert found.name == "tiktoken, o200k_base"
    assert found.total(TEXTS) == exactly(8)


@pytest.mark.parametrize("damage", [lambda cached: cached.write_bytes(b"half"), lambda cached: cached.unlink()])
def test_a_vocabulary_that_would_be_downloaded_does_not_count(fake_tiktoken, damage):
    damage(fake_tiktoken)
    assert tokenizer("gpt-4o-mini").name == "characters, calibrated on o200k_base"


def test_no_cache_and_no_package(fake_tiktoken, monkeypatch):
    monkeypatch.setenv("TIKTOKEN_CACHE_DIR", "")
    assert tokenizer("gpt-4o-mini").name == "characters, calibrated on o200k_base"
    monkeypatch.setenv("TIKTOKEN_CACHE_DIR", str(fake_tiktoken.parent))
    monkeypatch.setitem(sys.modules, "tiktoken", None)
    assert tokenizer("gpt-4o-mini").name == "characters, calibrated on o200k_base"


def test_the_cache_is_where_tiktoken_looks(monkeypatch, tmp_path):
    monkeypatch.delenv("TIKTOKEN_CACHE_DIR")
    monkeypatch.delenv("DATA_GYM_CACHE_DIR", raising=False)
    assert Path(tokens._tiktoken_cache()).name == "data-gym-cache"
    monkeypatch.setenv("DATA_GYM_CACHE_DIR", str(tmp_path))
    assert tokens._tiktoken_cache() == str(tmp_path)


@pytest.fixture
def folder(tmp_path):
    """A model's folder whose tokenizer takes words for tokens, with a chat template of three more."""
    words = {word: number for number, word in enumerate(["?", "Rank", "these", "titles.", "user:", "answer", "now:"])}
    model = {"type": "WordLevel", "vocab": words, "unk_token": "?"}
    whole = {"version": "1.0", "added_tokens": [], "pre_tokenizer": {"type": "WhitespaceSplit"}, "model": model}
    whole |= dict.fromkeys(("truncation", "padding", "normalizer", "post_processor", "decoder"))
    (tmp_path / "tokenizer.json").write_text(json.dumps(whole), encoding="utf-8")
    template = "user: {{ messages[0]['content'] }} answer now: "
    about = {"tokenizer_class": "PreTrainedTokenizerFast", "chat_template": template}
    (tmp_path / "tokenizer_config.json").write_text(json.dumps(about), encoding="utf-8")
    return tmp_path


@pytest.mark.skipif(HERE("tokenizers") is None, reason="the package tokenizers is not installed")
def test_a_models_own_tokenizer_counts(folder):
    found = tokenizer(str(folder))
    assert found.name == f"tokenizers, {folder / 'tokenizer.json'}"
    assert found.total(TEXTS) == exactly(8)
    assert found.total([]) == exactly(0)


@pytest.mark.skipif(HERE("transformers") is None, reason="the package transformers is not installed")
def test_a_models_own_chat_template_counts(folder):
    assert tokenizer(str(folder)).chat == exactly(3)


def test_a_folder_without_the_packages_is_counted_by_characters(folder, monkeypatch):
    monkeypatch.setitem(sys.modules, "tokenizers", None)
    assert tokenizer(str(folder)).name == "characters, calibrated on five tokenizers"


@pytest.mark.skipif(HERE("tokenizers") is None, reason="the package tokenizers is not installed")
def test_a_damaged_folder_is_counted_by_characters(folder, monkeypatch):
    monkeypatch.setitem(sys.modules, "transformers", None)
    assert tokenizer(str(folder)).chat == Interval(3, 10, 45)
    (folder / "tokenizer.json").write_text("{", encoding="utf-8")
    assert tokenizer(str(folder)).name == "characters, calibrated on five tokenizers"
