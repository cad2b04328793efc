"""Methods `text` and `numbers`: what is asked, and how it comes back."""

import json
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.runners.models.vllm_engine.scripted import Scripted

from habitus_runners.errors import HabitusError
from habitus_runners.model import Request
from habitus_runners.models.vllm_engine.plan import Plan
from habitus_runners.models.vllm_engine.writing import numbers, ranking, text
from habitus_runners.settings import Ask

TITLES = ('"A"', '"B"', '"C"')


@given(st.lists(st.integers(-1, 14), max_size=5), st.integers(1, 12), st.integers(1, 4))
def test_the_expression_takes_lists_of_n_numbers_from_1_to_k_alone(values, candidates, length):
    right = len(values) == length and all(1 <= value <= candidates for value in values)
    assert bool(re.fullmatch(ranking(candidates, length), json.dumps({"ranking": values}))) == right


def test_the_settings_reach_the_engine():
    engine = Scripted()
    ask = Ask(temperature=0.5, seed=7, max_tokens=33, logprobs=True, extra={"top_k": 5})
    text(engine, [Request(0, "t", "Which?", TITLES, sample=2)], Plan(ask, 2))
    ((_, sampling),) = engine.batches[0]
    assert sampling[:5] == (33, 0.5, 9, True, {"top_k": 5})


def test_a_refused_request_is_an_error_and_the_others_are_answered():
    requests = [Request(0, "long", "x" * 200, TITLES), Request(1, "short", "Which?", TITLES, sample=1)]
    for method in (text, numbers):
        refused, answered = method(Scripted(context=100), requests, Plan(Ask(), 2))
        assert (refused.task_id, refused.text) == ("long", "")
        assert "100 bytes" in refused.error
        assert (answered.task_id, answered.sample, answered.error) == ("short", 1, None)
        assert (answered.tokens_in, answered.tokens_out) == (6, len(answered.text))


def test_numbers_need_titles_to_count():
    with pytest.raises(HabitusError, match="expected at least 4 titles, got 3"):
        numbers(Scripted(), [Request(0, "t", "Which?", TITLES)], Plan(Ask(), 4))
