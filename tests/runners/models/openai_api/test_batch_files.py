"""Orders are cut into files that fit, in order, and none is lost or written twice."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from habitus_runners.ledger import Question
from habitus_runners.models.openai_api.batches import files, lines
from habitus_runners.models.openai_api.batches.files import Limits


def _question(number, size):
    return Question(f"{number:032x}", "m", "{}", "text", "p" * size, 0)


def _line(question):
    return lines.order(question.answer_id, {"p": question.prompt})


@given(st.lists(st.integers(0, 300)), st.integers(1, 7), st.integers(150, 900), st.none() | st.integers(1, 500))
def test_every_question_is_in_one_file_and_every_file_fits(sizes, requests, size, tokens):
    questions = [_question(number, length) for number, length in enumerate(sizes)]
    limits = Limits(requests, size, tokens)
    written = []
    for part in files.parts(questions, _line, limits):
        data = part.file.read()
        part.file.seek(0)
        assert list(lines.custom_ids(part.file)) == [question.answer_id for question in part.questions]
        assert part.tokens == sum(map(files.tokens_at_most, part.questions))
        if len(part.questions) > 1:
            assert len(part.questions) <= requests
            assert len(data) <= size
            assert tokens is None or part.tokens <= tokens
        written += part.questions
    assert written == questions


def test_files_are_as_full_as_they_can_be():
    questions = [_question(number, 10) for number in range(25)]
    assert [len(part.questions) for part in files.parts(questions, _line, Limits(10))] == [10, 10, 5]


def test_the_file_has_no_name_and_ends_with_its_turn():
    (first, *_) = parts = list(files.parts([_question(0, 1)], _line, Limits()))
    assert len(parts) == 1
    with pytest.raises(ValueError, match="closed"):
        first.file.read()


def test_the_documented_limits_are_the_default():
    assert Limits() == (50_000, 200_000_000, None)
