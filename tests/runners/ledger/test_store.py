"""What is paid for is found again, by its whole identity alone, exactly as it came."""

import math
import os
import stat
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.runners.ledger.sender import question, reply

from habitus_runners.errors import HabitusError
from habitus_runners.ledger import Elsewhere, Ledger, Question, Reply, Sending, default_path
from habitus_runners.ledger.listing import damage
from habitus_runners.model import Request, answer_id

TEXTS = st.text(st.characters(codec=None), max_size=20)  # with NUL and lone surrogates
NUMBERS = st.none() | st.floats(allow_nan=False)
REPLIES = st.builds(
    Reply,
    TEXTS,
    TEXTS,
    st.none() | st.integers(0, 2**53),
    st.none() | st.integers(0, 2**53),
    NUMBERS,
    NUMBERS,
    st.none() | st.lists(st.tuples(TEXTS, st.floats(allow_nan=False)), max_size=3),
    st.none() | TEXTS,
)


class Asked:
    """A model, as far as it counts for identity."""

    def __init__(self, name, revision):
        self.name, self.revision = name, revision


@pytest.fixture
def ledger(tmp_path):
    with Ledger(tmp_path / "ledger.sqlite") as opened:
        yield opened


def answered(ledger, asked, given):
    sending = ledger.send(asked).result()
    ledger.answered(sending, asked, given).result()


def test_a_question_is_sent_once_and_then_answered_for_good(ledger):
    one = question(1)
    sending = ledger.send(one).result()
    assert isinstance(sending, Sending)
    assert ledger.send(one).result() == Elsewhere(ledger.runner.name)
    assert ledger.known([one.answer_id]) == {}
    assert ledger.answered(sending, one, reply(one)).result() is None
    assert ledger.send(one).result() == reply(one)
    assert ledger.known([one.answer_id, "other", one.answer_id]) == {one.answer_id: reply(one)}


def test_what_failed_may_be_sent_again_and_counts_as_a_repeat_only_if_it_may_have_been_paid_for(ledger):
    for outcomes, repeats in ((["no", "no"], 0), (["unknown"], 1), (["no", "unknown", "no"], 1), (["unknown"] * 2, 2)):
        one = question(len(ledger.rows("SELECT * FROM questions")))
        for paid in outcomes:
            ledger.failed(ledger.send(one).result(), "timeout", "no answer in time", paid=paid).result()
        answered(ledger, one, reply(one))
        assert ledger.repeats([one.answer_id]) == repeats
    assert ledger.repeats() == 4
    assert ledger.repeats([]) == 0


def test_a_runner_that_left_without_an_end_is_dead(tmp_path):
    one, path = question(1), tmp_path / "ledger.sqlite"
    with Ledger(path) as first, Ledger(path) as second:
        first.send(one).result()
        assert second.send(one).result() == Elsewhere(first.runner.name)
        first.close()
        assert isinstance(second.send(one).result(), Sending)
        assert second.repeats() == 1


def test_of_two_answers_the_first_stays_and_the_second_is_on_record(ledger):
    one = question(1)
    sending = ledger.send(one).result()
    ledger.keep([(one, reply(one)._replace(text="first"))])
    ledger.answered(sending, one, reply(one)).result()
    assert ledger.known([one.answer_id])[one.answer_id].text == "first"
    assert [outcome for (outcome,) in ledger.rows("SELECT outcome FROM failures")] == ["superseded"]


def test_an_answer_belongs_to_what_was_sent(ledger):
    sending = ledger.send(question(1)).result()
    with pytest.raises(HabitusError, match="expected the answer to what was sent"):
        ledger.answered(sending, question(2), reply(question(2))).result()
    with pytest.raises(HabitusError, match="expected the answer to what was sent"):
        ledger.answered(Sending(99), question(1), reply(question(1))).result()
    assert ledger.known([question(1).answer_id, question(2).answer_id]) == {}


@settings(max_examples=30)  # each waits for the disk several times
@given(REPLIES, TEXTS)
def test_an_answer_comes_back_as_it_came(tmp_path_factory, given_reply, prompt):
    one = question(1)._replace(prompt=prompt)
    path = tmp_path_factory.mktemp("ledger") / "ledger.sqlite"
    with Ledger(path) as ledger:
        ledger.keep([(one, given_reply)])
        local = ledger.open_batch("https://service", "m", [one])
        assert ledger.batch_questions(local) == [one]
    with Ledger(path) as ledger:
        assert ledger.known([one.answer_id]) == {one.answer_id: given_reply}
        assert ledger.send(one).result() == given_reply
        assert damage(ledger) == []


def test_a_cost_that_is_no_number_is_unknown(ledger):
    ledger.keep([(question(1), reply(question(1))._replace(cost=math.nan, latency_s=math.nan))])
    (kept,) = ledger.known([question(1).answer_id]).values()
    assert (kept.cost, kept.latency_s) == (None, None)


PARTS = st.fixed_dictionaries(
    {
        "model": st.sampled_from(["openai:a", "openai:b"]),
        "revision": st.fixed_dictionaries(
            {
                "endpoint": st.sampled_from(["https://a/v1", "https://b/v1"]),
                "temperature": st.sampled_from([0, 1]),
                "schema": st.sampled_from([None, "numbers"]),
                "seed": st.sampled_from([None, 0, 1]),
            }
        ).map(str),
        "prompt": st.sampled_from(["Which?", "Which? "]),
        "sample": st.integers(0, 2),
    }
)


@given(PARTS, PARTS)
def test_nothing_is_served_for_anything_else(shared, first, second):
    asked = []
    for parts in (first, second):
        model, request = Asked(parts["model"], parts["revision"]), Request(0, "t", parts["prompt"], (), parts["sample"])
        key = answer_id(model, request)
        asked.append(Question(key, model.name, model.revision, "text", request.prompt, request.sample))
    for one in asked:
        shared.keep([(one, reply(one)._replace(text=repr(one)))])
    for one in asked:
        assert shared.known([one.answer_id])[one.answer_id].text == repr(one)
        assert shared.send(one).result().text == repr(one)


@pytest.fixture(scope="module")
def shared(tmp_path_factory):
    with Ledger(tmp_path_factory.mktemp("shared") / "ledger.sqlite") as opened:
        yield opened


def test_a_batch_is_on_record_step_by_step(ledger):
    asked = [question(number) for number in range(5)]
    keys = [one.answer_id for one in asked]
    first, second = (ledger.open_batch("https://service", "m", some) for some in (asked[:3], asked[3:]))
    assert ledger.in_batch([*keys, "other"]) == {**dict.fromkeys(keys[:3], first), **dict.fromkeys(keys[3:], second)}
    ledger.batch_step(first, "uploaded", file_id="file-1")
    ledger.batch_step(first, "submitted", batch_id="batch-1")
    ledger.batch_step(second, "lost", detail="never \ud800 arrived")
    (batch,) = ledger.batches()
    assert batch[:7] == (first, "https://service", "m", "submitted", "file-1", "batch-1", 3)
    assert datetime.fromisoformat(batch.created).tzinfo == UTC
    assert [one.local for one in ledger.batches(unfinished=False)] == [first, second]
    assert ledger.batches(unfinished=False)[1].detail == "never \ud800 arrived"
    assert ledger.in_batch(keys) == dict.fromkeys(keys[:3], first)
    assert ledger.batch_questions(first) == asked[:3]
    assert ledger.batch_questions("other") == []
    ledger.batch_step(first, "collected")
    assert ledger.in_batch(keys) == {}
    assert ledger.repeats() == 0
    with pytest.raises(ValueError, match="expected one of opened, "):
        ledger.batch_step(first, "posted")
    with pytest.raises(HabitusError, match="expected the id of an order"):
        ledger.batch_step("other", "ended")


def test_a_sending_may_be_part_of_a_batch(ledger):
    ledger.send(question(1), batch="local").result()
    assert ledger.rows("SELECT batch FROM sendings") == [("local",)]


def test_what_is_durable_is_forced_to_the_disk(ledger):
    assert ledger.write(lambda connection: connection.execute("PRAGMA synchronous").fetchone()) == (2,)  # FULL
    assert ledger.write(lambda connection: connection.execute("PRAGMA journal_mode").fetchone()) == ("wal",)


def test_every_thread_may_use_it(ledger):
    asked = [question(number) for number in range(200)]

    def use(one):
        answered(ledger, one, reply(one))
        return ledger.known([one.answer_id])[one.answer_id] == reply(one)

    with ThreadPoolExecutor(8) as pool:
        assert all(pool.map(use, asked))


def test_only_its_owner_may_read_it(tmp_path):
    path = tmp_path / "new" / "ledger.sqlite"
    before = os.umask(0)
    try:
        with Ledger(path) as ledger:
            ledger.send(question(1)).result()
            ledger.known(["x"])
            modes = {
                str(file.relative_to(tmp_path)).split("/")[-1]: stat.S_IMODE(file.stat().st_mode)
                for file in tmp_path.rglob("*")
            }
    finally:
        os.umask(before)
    folders = {"new", "ledger.sqlite.runners"}
    assert {"ledger.sqlite", "ledger.sqlite-wal", "ledger.sqlite-shm"} < modes.keys()
    assert modes == {name: 0o700 if name in folders else 0o600 for name in modes}
    path.chmod(0o644)
    Ledger(path).close()
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_a_ledger_by_another_name_is_the_same(tmp_path):
    (tmp_path / "link.sqlite").symlink_to(tmp_path / "ledger.sqlite")
    with Ledger(tmp_path / "ledger.sqlite") as first, Ledger(tmp_path / "link.sqlite") as second:
        first.send(question(1)).result()
        assert second.send(question(1)).result() == Elsewhere(first.runner.name)


def test_a_closed_ledger_says_so(tmp_path):
    ledger = Ledger(tmp_path / "ledger.sqlite")
    ledger.close()
    ledger.close()
    with pytest.raises(HabitusError, match="expected an open ledger"):
        ledger.send(question(1)).result(timeout=10)
    with pytest.raises(HabitusError, match="expected an open ledger"):
        ledger.known(["x"])


def test_the_environment_says_where_it_is(monkeypatch, tmp_path):
    monkeypatch.setenv("HABITUS_LEDGER", str(tmp_path / "mine"))
    assert default_path() == tmp_path / "mine"
    monkeypatch.delenv("HABITUS_LEDGER")
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path))
    assert default_path().name == "ledger.sqlite"
