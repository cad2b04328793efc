"""Method `choice`: whatever the titles, the answer is a list of N of them, none taken twice."""

import json
from collections import Counter
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.runners.models.vllm_engine.scripted import Scripted

from habitus_runners.errors import HabitusError
from habitus_runners.model import Request
from habitus_runners.models.vllm_engine.choice import choices, choose
from habitus_runners.models.vllm_engine.engine import Refused, Said
from habitus_runners.models.vllm_engine.plan import Plan
from habitus_runners.prompts.titles import quoted
from habitus_runners.settings import Ask

AWKWARD = st.sampled_from(['"', '", "', '"]', "\\", ", ", "Heat", "Heat 2", "[", "é", "\U0001f3ac", ""])
TITLES = st.lists(st.lists(AWKWARD, max_size=4).map("".join) | st.text(max_size=8), min_size=1, max_size=8)


def request(titles, prompt="Which?"):
    return Request(0, "task", prompt, tuple(quoted(title) for title in titles))


@given(TITLES, st.data())
def test_a_list_is_n_of_the_titles_none_taken_twice(titles, data):
    length = data.draw(st.integers(1, len(titles)))
    one = request(titles)
    (answer,) = choose(Scripted(), [one], Plan(Ask(), length))
    chosen = Counter(json.loads(answer.text))
    assert chosen.total() == length
    assert chosen <= Counter(json.loads(title) for title in one.titles)
    assert answer.text == f"[{', '.join(json.dumps(title, ensure_ascii=False) for title in json.loads(answer.text))}]"


@given(TITLES, st.booleans(), st.booleans())
def test_no_choice_begins_another_and_the_stop_stands_at_its_end_alone(titles, first, last):
    offered = choices([quoted(title) for title in titles], first=first, last=last)
    for one in offered:
        assert sum(other.startswith(one) for other in offered) == 1
        if not last:
            written = one if first else f'["{one}'
            assert written.endswith('", "')
            assert one.find('", "') in (len(one) - len('", "'), -1)


def test_rounds_go_on_with_the_tokens_that_were_written():
    engine = Scripted()
    (answer,) = choose(engine, [request(["A", "B", "C"])], Plan(Ask(), 3))
    written = [bytes(ids) for ((ids, _),) in engine.batches]
    assert written[0] == b"Which?"
    assert all(later.startswith(earlier) for earlier, later in pairwise(written))
    assert ("Which?" + answer.text).encode().startswith(written[-1])
    assert answer.tokens_in == len("Which?")
    assert answer.tokens_out == len(answer.text.encode())


def test_every_round_has_a_seed_of_its_own_that_depends_on_the_sample():
    engine = Scripted()
    asked = [request("ABCD")._replace(sample=sample) for sample in range(2)]
    choose(engine, asked, Plan(Ask(temperature=1), 4))
    seeds = [sampling.seed for batch in engine.batches for _, sampling in batch]
    assert len(set(seeds)) == len(seeds) == 8


def test_without_a_seed_there_is_none():
    engine = Scripted()
    choose(engine, [request("AB")], Plan(Ask(seed=None), 2))
    assert {sampling.seed for batch in engine.batches for _, sampling in batch} == {None}


def test_a_request_that_is_refused_leaves_the_others_alone():
    refused, answered = choose(Scripted(context=100), [request("ABC", "x" * 200), request("ABC")], Plan(Ask(), 2))
    assert "100 bytes" in refused.error
    assert len(json.loads(answered.text)) == 2


def test_a_context_that_ends_in_a_later_round_is_an_error_of_that_request():
    (answer,) = choose(Scripted(context=8), [request("ABC")], Plan(Ask(), 3))
    assert "8 bytes" in answer.error


def test_a_title_that_was_cut_is_an_error_and_no_answer():
    class Cut(Scripted):
        def _said(self, before, sampling):
            said = super()._said(before, sampling)
            assert not isinstance(said, Refused)
            return Said(before, said.ids[:2], said.text[:2], "length")

    (answer,) = choose(Cut(), [request("ABC")], Plan(Ask(), 3))
    assert "title 1: expected one of those left, got '[\"' (length)" in answer.error


def test_too_few_titles_are_refused():
    with pytest.raises(HabitusError, match="expected at least 3 titles, got 2"):
        choose(Scripted(), [request("AB")], Plan(Ask(), 3))
