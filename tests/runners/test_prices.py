"""Prices: whose file wins, what is known without the network, and what a wrong file says."""

import socket
import sys
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from habitus_runners import prices
from habitus_runners.errors import HabitusError
from habitus_runners.prices import Price, find

DOLLARS = st.floats(0, 1e-3)
TOKENS = st.integers(0, 10**7)


@pytest.fixture(autouse=True)
def _no_service_of_the_environment(monkeypatch):
    monkeypatch.delenv("OPENAI_BASE_URL", raising=False)


@pytest.fixture
def own(tmp_path):
    def written(text):
        file = tmp_path / "prices.toml"
        file.write_text(text, encoding="utf-8")
        return file

    return written


def test_a_public_price_is_that_of_the_list(monkeypatch):
    def refused(*_):
        raise AssertionError("a price needed the network")

    monkeypatch.setattr(socket.socket, "connect", refused)
    price = find("gpt-4o-mini", None)
    assert price is not None
    assert price.input == pytest.approx(0.15e-6)
    assert price.output == pytest.approx(0.60e-6)
    assert price.cached == pytest.approx(0.075e-6)
    assert price.batch == 0.5
    assert price.source.startswith("genai-prices ")


@pytest.mark.parametrize("spec", ["openai:gpt-4o-mini", "openai-batch:gpt-4o-mini", "gpt-4o-mini-2024-07-18"])
def test_a_spec_and_a_dated_name_cost_what_the_model_costs(spec):
    assert find(spec, "https://user:secret@api.openai.com/v1/") == find("gpt-4o-mini", None)


@pytest.mark.parametrize(
    ("model", "base_url"),
    [
        ("a-model-that-nobody-sells", None),
        ("gpt-4o-mini", "https://example.org/v1"),
        ("gpt-4o-mini", "http://[::1"),
        ("gpt-4o-mini", ""),
        ("sonar", "https://api.perplexity.ai"),  # charges for every request too
        ("ft:gpt-4o-mini:mine::abc", None),
    ],
)
def test_an_unknown_price_is_none(model, base_url):
    assert find(model, base_url or "file:///") is None


@pytest.mark.parametrize(
    ("model", "base_url"),
    [
        ("gpt-4o-mini", "http://localhost:8000/v1"),
        ("gpt-4o-mini", "http://127.0.0.3/v1"),
        ("gpt-4o-mini", "http://[::1]:8000/v1"),
        ("vllm:/models/llama", None),
    ],
)
def test_a_local_server_costs_nothing(model, base_url):
    price = find(model, base_url)
    assert price is not None
    assert (price.cost(10**9, 10**9), price.source) == (0, "local")


def test_a_service_named_by_the_environment_counts(monkeypatch):
    monkeypatch.setenv("OPENAI_BASE_URL", "http://localhost:8000/v1")
    price = find("gpt-4o-mini", None)
    assert price is not None
    assert price.source == "local"
    assert find("gpt-4o-mini", "https://example.org/v1") is None


def test_a_half_that_nobody_published_is_said():
    price = find("gpt-3.5-turbo-instruct", None)
    assert price is not None
    assert price.batch == 0.5
    assert "assumed" in price.source


def test_a_price_without_the_package_is_one_line(monkeypatch):
    monkeypatch.setitem(sys.modules, "genai_prices", None)
    with pytest.raises(HabitusError, match=r"pip install 'habitus\[openai\]'"):
        find("gpt-4o-mini", None)
    assert find("vllm:/models/llama", None) is not None


def test_the_users_file_wins(own):
    file = own('["gpt-4o-mini"]\ninput = 2\noutput = 8.0\ncached = 0.5\nbatch = 0.4\n["served"]\ninput=1\noutput=1\n')
    assert find("openai:gpt-4o-mini", None, file) == Price(2e-6, 8e-6, 0.5e-6, 0.4, str(file))
    assert find("served", "http://localhost:8000/v1", file) == Price(1e-6, 1e-6, None, 0.5, str(file))
    assert find("gpt-4o", None, file) == find("gpt-4o", None)


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ('["m"]\ninput = 1', "m.output: Field required"),
        ('["m"]\ninput = "1"\noutput = 1', "m.input: Input should be a valid number, got '1'"),
        ('["m"]\ninput = -1\noutput = 1', "m.input: "),
        ('["m"]\ninput = nan\noutput = 1', "m.input: "),
        ('["m"]\ninput = inf\noutput = 1', "m.input: "),
        ('["m"]\ninput = true\noutput = 1', "m.input: "),
        ('["m"]\ninput = 1\noutput = 1\nbatch = 0', "m.batch: "),
        ('["m"]\ninput = 1\noutput = 1\nbatch = 1.1', "m.batch: "),
        ('["m"]\ninput = 1\noutput = 1\nimage = 1', "m.image: Extra inputs are not permitted, got 1"),
        ("m = 3", "m: "),
        ("[gpt-4.1-mini]\ninput = 1\noutput = 1", 'expected a name with dots in quotes, as in ["gpt-4.1-mini"]'),
        ("input = ", "expected a readable TOML file"),
    ],
)
def test_a_wrong_file_is_one_line_with_its_key(own, text, line):
    file = own(text)
    with pytest.raises(HabitusError) as caught:
        find("another", None, file)
    assert line in str(caught.value)
    assert str(file) in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_file_that_is_not_there_or_not_text(tmp_path):
    with pytest.raises(HabitusError, match="expected a readable TOML file"):
        find("m", None, tmp_path / "none.toml")
    (tmp_path / "binary.toml").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(HabitusError, match="expected a readable TOML file"):
        find("m", None, tmp_path / "binary.toml")


@given(DOLLARS, DOLLARS, st.none() | DOLLARS, st.floats(0.01, 1), TOKENS, TOKENS, TOKENS)
def test_a_cost_is_the_sum_of_its_tokens(inwards, outwards, cached, batch, tokens_in, tokens_out, cached_in):
    price = Price(inwards, outwards, cached, batch, "")
    for in_batch, factor in ((False, 1), (True, Decimal(batch))):
        fresh = Decimal(inwards) * factor
        known = min(cached_in, tokens_in)
        cheap = fresh if cached is None else min(Decimal(cached), fresh)
        slow = fresh * (tokens_in - known) + cheap * known + Decimal(outwards) * factor * tokens_out
        assert price.cost(tokens_in, tokens_out, cached_in, batch=in_batch) == pytest.approx(float(slow))


@given(DOLLARS, DOLLARS, DOLLARS, st.floats(0.01, 1), TOKENS, TOKENS, TOKENS)
def test_no_discount_makes_a_call_dearer(inwards, outwards, cached, batch, tokens_in, tokens_out, cached_in):
    price = Price(inwards, outwards, cached, batch, "")
    full = price.cost(tokens_in, tokens_out)
    assert price.cost(tokens_in, tokens_out, cached_in) <= full * (1 + 1e-12)
    assert price.cost(tokens_in, tokens_out, batch=True) <= full * (1 + 1e-12)


def test_is_local_reads_the_host_alone():
    assert not prices.is_local("https://localhost.example.org/v1")
    assert not prices.is_local("https://localhost@example.org/v1")
    assert not prices.is_local("not a url")
