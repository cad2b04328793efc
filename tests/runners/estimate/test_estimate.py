"""The estimate of a job: exact counts, intervals that hold what comes, dollars by the prices, what a budget buys."""

import json
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.runners import small

from habitus_runners.errors import HabitusError
from habitus_runners.estimate import Estimate, Interval, Job, affordable, characters, estimates
from habitus_runners.model import Request
from habitus_runners.prompts.render import Prompts

PRICES = '["priced"]\ninput = 2\noutput = 8\nbatch = 0.5\n["dear"]\ninput = 1e6\noutput = 1e6\nbatch = 1\n'


@pytest.fixture(autouse=True)
def _no_service_of_the_environment(monkeypatch, tmp_path):
    monkeypatch.delenv("OPENAI_BASE_URL", raising=False)
    monkeypatch.setenv("TIKTOKEN_CACHE_DIR", str(tmp_path))


@pytest.fixture(scope="module")
def study():
    return small.study()


@pytest.fixture(scope="module")
def requests(study):
    titles = study.dataset.items["title"].to_list()
    shown = [tuple(titles[item] for item in row) for row in study.tasks["candidates"].to_pylist()]
    texts = Prompts(study.dataset, study.settings).texts(study.tasks)
    ids = study.tasks["task_id"].to_pylist()
    return [Request(row, *one) for row, one in enumerate(zip(ids, texts, shown, strict=True))]


@pytest.fixture
def given_prices(study, tmp_path):
    file = tmp_path / "prices.toml"
    file.write_text(PRICES, encoding="utf-8")
    return study.settings.changed({"calls.prices": str(file)})


def one(study, settings, spec, requests, method="text", known=0):
    (found,) = estimates([Job(spec, method, requests, known)], settings, study.tasks, study.members)
    return found


def test_counts_are_exact_and_dollars_are_tokens_times_prices(study, given_prices, requests):
    found = one(study, given_prices, "openai:priced", requests, known=7)
    assert (found.model, found.method, found.prompts, found.known) == ("openai:priced", "text", len(requests), 7)
    by_hand = [
        (2 * math.ceil(i) + 8 * math.ceil(o)) / 1e6 for i, o in zip(found.tokens_in, found.tokens_out, strict=True)
    ]
    assert found.dollars == pytest.approx(by_hand)
    assert found.batch_dollars == pytest.approx([dollars / 2 for dollars in by_hand])
    assert found.price_source == given_prices.calls.prices
    assert found.why_no_price == ""
    assert found.detectable.tasks <= study.tasks.num_rows


def test_a_batch_pays_the_price_of_a_batch_and_says_no_time(study, given_prices, requests):
    found = one(study, given_prices, "openai-batch:priced", requests)
    assert found.dollars == found.batch_dollars == one(study, given_prices, "openai:priced", requests).batch_dollars
    assert found.duration_s is None
    assert found.limit == "a batch is promised within 24 hours"


def test_no_price_of_batches_is_none(study, given_prices, requests):
    assert one(study, given_prices, "openai:dear", requests).batch_dollars is None


def test_an_unknown_price_says_what_to_do(study, requests):
    found = one(study, study.settings, "openai:never-heard-of", requests)
    assert (found.dollars, found.batch_dollars, found.price_source) == (None, None, "")
    assert found.why_no_price == (
        "no price of never-heard-of is known; write it into a file, and its path into calls.prices"
    )
    assert found.duration_s is not None
    assert found.limit.startswith("concurrency, at ")


@pytest.mark.parametrize(
    ("spec", "base_url", "why"),
    [
        ("vllm:/models/llama", None, "this machine's speed is not known"),
        ("openai:llama", "http://localhost:8000/v1", "the local server's speed is not known"),
    ],
)
def test_local_models_cost_nothing_and_take_as_long_as_they_take(study, requests, spec, base_url, why):
    found = one(study, study.settings.changed({"ask.base_url": base_url}), spec, requests)
    assert found.dollars == Interval(0, 0, 0)
    assert (found.price_source, found.duration_s, found.limit) == ("local", None, why)


@pytest.mark.parametrize("method", ["text", "choice", "numbers"])
def test_answers_are_as_long_as_random_lists_and_no_shorter_than_the_least(study, requests, method):
    found = one(study, study.settings, "openai:gpt-4o-mini", requests, method)
    draw = np.random.default_rng(5)
    lengths = []
    for _ in range(50):
        lists = [draw.permutation(small.K)[: small.N].tolist() for _ in requests]
        if method == "numbers":
            texts = [json.dumps({"ranking": [place + 1 for place in places]}) for places in lists]
        else:
            titles = [[request.titles[place] for place in row] for request, row in zip(requests, lists, strict=True)]
            texts = [json.dumps(row, ensure_ascii=False) for row in titles]
        lengths.append(characters.count(texts, "o200k_base").middle)
    assert found.tokens_out.low < min(lengths)
    assert found.tokens_out.middle == pytest.approx(sum(lengths) / len(lengths), rel=0.1)
    assert found.tokens_out.high == study.settings.ask.max_tokens * len(requests)


def test_logprobs_ask_for_a_token_of_every_candidate_at_least(study, requests):
    found = one(study, study.settings, "vllm:/models/llama", requests, "logprobs")
    assert found.tokens_out.low == small.K * len(requests)
    assert found.tokens_out.low < found.tokens_out.middle < found.tokens_out.high


def test_numbers_come_with_a_schema(study, requests):
    text, numbers = (one(study, study.settings, "openai:gpt-4o", requests, method) for method in ("text", "numbers"))
    assert numbers.tokens_in.low == text.tokens_in.low
    assert numbers.tokens_in.high > text.tokens_in.high
    assert numbers.tokens_out.middle < text.tokens_out.middle


def test_nothing_left_to_ask_costs_nothing(study, given_prices):
    found = one(study, given_prices, "openai:priced", [], "numbers", known=60)
    assert (found.prompts, found.known) == (0, 60)
    assert found.tokens_in == found.tokens_out == found.dollars == Interval(0, 0, 0)
    assert found.duration_s == Interval(0, 0, 0)
    assert affordable(found, 0) == Interval(0, 0, 0)


def test_many_requests_are_as_many_times_some(study, given_prices, requests):
    some, many = (one(study, given_prices, "openai:priced", requests * times) for times in (1, 30))
    assert many.tokens_in == pytest.approx([30 * tokens for tokens in some.tokens_in])
    assert many.tokens_out == pytest.approx([30 * tokens for tokens in some.tokens_out], rel=0.05)


def test_a_wrong_file_of_prices_is_said(study, tmp_path, requests):
    (tmp_path / "wrong.toml").write_text('["priced"]\ninput = "much"\noutput = 1', encoding="utf-8")
    with pytest.raises(HabitusError, match=r"priced\.input"):
        one(study, study.settings.changed({"calls.prices": str(tmp_path / "wrong.toml")}), "openai:priced", requests)


@given(st.integers(0, 10**6), st.lists(st.floats(0, 1e4), min_size=3, max_size=3), st.floats(0, 1e4))
def test_a_budget_buys_what_it_pays_for(prompts, dollars, budget):
    interval = Interval(*sorted(dollars))
    nothing = dict.fromkeys(Estimate._fields)
    found = affordable(Estimate(**(nothing | {"prompts": prompts, "dollars": interval})), budget)
    assert found is not None
    assert 0 <= found.low <= found.middle <= found.high <= prompts
    for bought, whole in zip(found, reversed(interval), strict=True):
        assert bought == prompts or bought * whole <= budget * prompts * (1 + 1e-9) < (bought + 1) * whole * (1 + 1e-6)


def test_without_a_price_nobody_knows_what_a_budget_buys(study, requests):
    assert affordable(one(study, study.settings, "openai:never-heard-of", requests), 5) is None
