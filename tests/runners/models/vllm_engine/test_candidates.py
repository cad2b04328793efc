"""Method `logprobs`: the prefix tree gives every candidate the probability it has when computed alone."""

import json
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.runners.models.vllm_engine.scripted import Scripted, log_probability

from habitus_runners.errors import HabitusError
from habitus_runners.model import Request
from habitus_runners.models.vllm_engine.candidates import rank, tree
from habitus_runners.models.vllm_engine.engine import MOST_CHILDREN
from habitus_runners.models.vllm_engine.plan import Plan
from habitus_runners.prompts.titles import quoted
from habitus_runners.settings import Ask

TITLES = st.lists(st.text(max_size=6), min_size=2, max_size=8)
PATHS = st.lists(st.lists(st.integers(0, 3), min_size=1, max_size=5).map(tuple), min_size=1, max_size=12)


def asked(titles, prompt="Which?", length=2):
    request = Request(0, "task", prompt, tuple(quoted(title) for title in titles))
    (answer,) = rank(Scripted(), [request], Plan(Ask(), length))
    return request, answer


@given(TITLES)
def test_every_candidate_has_the_probability_of_its_own_text(titles):
    request, answer = asked(titles)
    expected = [log_probability("Which?", f"[{title},") for title in request.titles]
    assert [value for _, value in answer.token_logprobs] == pytest.approx(expected, abs=1e-9)
    assert [title for title, _ in answer.token_logprobs] == [json.loads(title) for title in request.titles]


@given(TITLES)
def test_the_list_holds_the_most_likely_in_order(titles):
    _, answer = asked(titles)
    values = [value for _, value in answer.token_logprobs]
    order = sorted(range(len(titles)), key=lambda at: (-values[at], at))
    assert json.loads(answer.text) == [answer.token_logprobs[at].token for at in order[:2]]


@given(TITLES)
def test_different_candidates_exclude_each_other(titles):
    _, answer = asked(titles)
    assert sum(math.exp(value) for value in dict(answer.token_logprobs).values()) <= 1


@given(PATHS)
def test_a_tree_asks_for_every_step_of_every_path_once(paths):
    nodes = tree(paths)
    asked_for = [(node.before, child) for node in nodes for child in node.children]
    steps = {(path[:depth], path[depth]) for path in paths for depth in range(len(path))}
    assert len(asked_for) == len(set(asked_for))
    assert set(asked_for) == steps


def test_a_node_with_more_children_than_one_question_takes_is_asked_in_parts():
    paths = [(7, child) for child in range(300)]
    sizes = [len(node.children) for node in tree(paths) if node.before == (7,)]
    assert sizes == [MOST_CHILDREN, MOST_CHILDREN, 300 - 2 * MOST_CHILDREN]


def test_a_root_in_parts_is_scored_whole():
    request = Request(0, "task", "Which?", tuple(quoted(f"{number}") for number in range(400)))
    engine = Scripted()
    engine.encode = lambda text: [int(text.strip('[",')) % 200, 0] if text[0] == "[" else list(text.encode())
    (answer,) = rank(engine, [request], Plan(Ask(), 10))
    assert len(answer.token_logprobs) == 400
    assert sum(not node.before for node in tree([(child, 0) for child in range(200)])) == 2


def test_a_list_of_one_title_ends_with_a_bracket():
    _, answer = asked(["A", "B"], length=1)
    assert dict(answer.token_logprobs)["A"] == pytest.approx(log_probability("Which?", '["A"]'))


def test_the_prompt_is_read_once_and_each_node_is_one_question():
    engine = Scripted()
    request = Request(0, "task", "Which?", ('"Heat"', '"Heart"'))
    rank(engine, [request], Plan(Ask(), 2))
    prompts, nodes = engine.batches
    assert len(prompts) == 1
    texts = ('["Heat",', '["Heart",')
    assert {bytes(ids).decode() for ids, _ in nodes} == {
        f"Which?{text[:length]}" for text in texts for length in range(1, len(text))
    }
    assert len(nodes) == 10


def test_a_request_that_is_refused_leaves_the_others_alone():
    long = Request(0, "long", "x" * 200, ('"A"', '"B"'))
    short = Request(1, "short", "Which?", ('"A"', '"B"'))
    refused, answered = rank(Scripted(context=100), [long, short], Plan(Ask(), 2))
    assert "100 bytes" in refused.error
    assert answered.error is None
    assert len(json.loads(answered.text)) == 2


def test_a_context_that_ends_within_a_title_is_an_error_of_that_request():
    request = Request(0, "task", "Which?", (quoted("A" * 50), '"B"'))
    (answer,) = rank(Scripted(context=40), [request], Plan(Ask(), 2))
    assert "40 bytes" in answer.error


def test_too_few_titles_are_refused():
    with pytest.raises(HabitusError, match="task t: expected at least 3 titles, got 1"):
        rank(Scripted(), [Request(0, "t", "", ('"A"',))], Plan(Ask(), 3))
