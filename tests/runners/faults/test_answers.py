"""Answers come from the prompt alone: candidates of its list, none twice, as many as it asks for."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.runners.faults.questions import TITLES, prompt, question

from habitus_runners.faults.answers import answer_text, candidates_of, completion, tokens
from habitus_runners.faults.asked import question_key

titles = st.lists(st.text(min_size=1), min_size=1, max_size=30, unique=True)


@given(titles, st.integers(1, 40), st.integers(0, 9))
def test_an_answer_ranks_candidates_of_the_prompt(names, n, seed):
    listing = "\n".join(json.dumps(name) for name in names)
    body = {"messages": [{"role": "user", "content": f"a JSON array of exactly {n} strings\nCandidates:\n{listing}\n"}]}
    ranked = json.loads(answer_text(body, question_key(body), seed))
    assert len(ranked) == len(set(ranked)) == min(n, len(names))
    assert set(ranked) <= set(names)


def test_a_schema_is_answered_with_numbers():
    numbered = "exactly 4 numbers\nCandidates:\n" + "\n".join(f'{i}. "{title}"' for i, title in enumerate(TITLES, 1))
    body = {
        "messages": [{"role": "system", "content": "x"}, {"role": "user", "content": numbered}],
        "response_format": {"type": "json_schema", "json_schema": {"name": "ranking", "schema": {}}},
    }
    ranking = json.loads(answer_text(body, "key", 0))["ranking"]
    assert len(set(ranking)) == 4
    assert set(ranking) <= set(range(1, len(TITLES) + 1))


def test_titles_that_look_like_numbers_or_headings_are_titles():
    names = ['"1. Alien"', '"Candidates:"', '"say \\"exactly 2\\""']
    assert candidates_of("Candidates:\n" + "\n".join(names)) == names
    assert candidates_of("Candidates:\n" + "\n".join(f"{i}. {name}" for i, name in enumerate(names, 1))) == names


def test_a_prompt_without_candidates_gets_an_empty_list_and_without_a_number_ten_titles():
    assert answer_text({"messages": [{"role": "user", "content": "hello"}]}, "key", 0) == "[]"
    silent = {"messages": [{"role": "user", "content": prompt().replace("exactly 3", "some")}]}
    assert len(json.loads(answer_text(silent, "key", 0))) == 10


def test_content_in_parts_is_read():
    parts = [{"type": "text", "text": prompt(2)}]
    assert len(json.loads(answer_text({"messages": [{"role": "user", "content": parts}]}, "key", 0))) == 2


def test_the_seed_and_the_question_alone_decide():
    body = question()
    key = question_key(body)
    assert answer_text(body, key, 1) == answer_text(body, key, 1)
    others = {answer_text(body, key, seed) for seed in range(20)}
    assert len(others) > 10


@pytest.mark.parametrize("change", [{"model": "b"}, {"seed": 2}, {"temperature": 0.5}, {"logprobs": True}, {"n": 2}])
def test_what_steers_an_answer_is_in_the_key(change):
    assert question_key(question(seed=1)) != question_key({**question(seed=1), **change})


def test_who_asks_is_not_in_the_key():
    assert question_key(question()) == question_key(question(user="me", metadata={"run": "1"}, store=False))


def test_usage_counts_four_characters_as_a_token():
    made = completion(question(n=5), "key", 0)
    text = made["choices"][0]["message"]["content"]
    assert made["usage"]["completion_tokens"] == tokens(text) == (len(text) + 3) // 4
    assert made["usage"]["prompt_tokens"] == (len(prompt(5)) + 3) // 4
    assert completion(question(n=2), "key", 0)["usage"]["total_tokens"] > made["usage"]["prompt_tokens"]


def test_token_logprobs_spell_the_text_and_come_in_order():
    made = completion(question(logprobs=True, top_logprobs=3), "key", 0)
    choice = made["choices"][0]
    content = choice["logprobs"]["content"]
    assert "".join(token["token"] for token in content) == choice["message"]["content"]
    for token in content:
        alternatives = [other["logprob"] for other in token["top_logprobs"]]
        assert len(alternatives) == 3
        assert alternatives == sorted(alternatives, reverse=True)
        assert token["logprob"] == alternatives[0] <= 0
