"""What `habitus ledger` shows, seals and removes is what the ledger holds."""

import hashlib
import stat
from datetime import UTC, datetime

import pyarrow.parquet as pq
import pytest
from tests.runners.ledger.sender import question, reply

from habitus_runners.errors import HabitusError
from habitus_runners.ledger import Ledger
from habitus_runners.ledger.listing import Pruned, damage, export, prune, show, summary

TODAY = datetime.now(UTC).date().isoformat()


@pytest.fixture
def ledger(tmp_path):
    """Three answers of model `m`, one of `n`, one failure, one repeat, one question in a batch."""
    with Ledger(tmp_path / "ledger.sqlite") as opened:
        for one in (question(1), question(2), question(3), question(1, "n")):
            opened.answered(opened.send(one).result(), one, reply(one)).result()
        opened.failed(opened.send(question(4)).result(), "timeout", "no answer", paid="unknown").result()
        opened.send(question(4)).result()
        opened.open_batch("https://service", "n", [question(5, "n")])
        yield opened


def test_the_summary_adds_up(ledger):
    first, second = summary(ledger)
    about = ("text", '{"seed": 0}')
    assert first == ("m", *about, 3, 2400, 600, 0.75, TODAY, TODAY, 1, 1, 0)
    assert second == ("n", *about, 1, 800, 200, 0.25, TODAY, TODAY, 0, 0, 1)
    assert first.repeats == ledger.repeats()


def test_an_empty_ledger_has_no_lines(tmp_path):
    with Ledger(tmp_path / "ledger.sqlite") as ledger:
        assert summary(ledger) == []
        assert prune(ledger) == Pruned(0, 0, 0, 0, 0.0)
        export(ledger, tmp_path / "answers.parquet")
    assert pq.read_table(tmp_path / "answers.parquet").num_rows == 0


def test_one_answer_is_shown_by_the_beginning_of_its_id(ledger):
    one = question(2)
    for length in (8, 32):
        record = show(ledger, one.answer_id[:length])
        assert (record.question, record.reply) == (one, reply(one))
        assert datetime.fromisoformat(record.kept).tzinfo == UTC
    with pytest.raises(HabitusError, match="found more than one"):
        show(ledger, "")
    for prefix in ("%", "?", "*", question(4).answer_id):
        with pytest.raises(HabitusError, match="found none"):
            show(ledger, prefix)


def test_the_sealed_file_holds_every_answer(ledger, tmp_path):
    odd = question(6)._replace(prompt="\ud800?")
    ledger.keep([(odd, reply(odd)._replace(text="\udfff!\0", token_logprobs=[("\ud801", float("-inf")), ("b", -1.0)]))])
    path = tmp_path / "answers.parquet"
    sealed = export(ledger, path)
    assert sealed == hashlib.sha256(path.read_bytes()).hexdigest()
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    rows = {row["answer_id"]: row for row in pq.read_table(path).to_pylist()}
    assert len(rows) == 5
    for one in (question(1), question(2), question(3), question(1, "n")):
        row = rows[one.answer_id]
        assert {**one._asdict(), **reply(one)._asdict()}.items() <= row.items()
        assert row["answered_at"].startswith(TODAY)
    row = rows[odd.answer_id]
    assert (row["prompt"], row["text"]) == ("\\ud800?", "\\udfff!\0")
    assert row["token_logprobs"][0] == {"token": "\\ud801", "logprob": float("-inf")}
    export(ledger, path, "n")
    assert pq.read_table(path)["model"].to_pylist() == ["n"]


def test_a_damaged_answer_or_prompt_is_not_sealed(ledger, tmp_path):
    for change in ("answers SET text = 'better'", "prompts SET text = 'another'", "sources SET model = model || '?'"):
        ledger.write(lambda connection, change=change: connection.execute(f"UPDATE {change}"))
        with pytest.raises(HabitusError, match="as it was written, got a damaged one"):
            export(ledger, tmp_path / "answers.parquet")
        assert not list(tmp_path.glob("*.parquet"))
    assert len(damage(ledger)) == 4 + 6  # answers and prompts


def test_what_is_pruned_is_gone_and_the_rest_stays(ledger):
    assert prune(ledger, "m", dry_run=True) == Pruned(3, 1, 2400, 600, 0.75)
    assert len(ledger.known([question(number).answer_id for number in range(5)])) == 3
    assert prune(ledger, "m") == Pruned(3, 1, 2400, 600, 0.75)
    assert [line.model for line in summary(ledger)] == ["n"]
    assert ledger.repeats() == 0
    for table, rows in (("prompts", 2), ("sendings", 1), ("failures", 0)):
        assert ledger.rows(f"SELECT count(*) FROM {table}") == [(rows,)]  # noqa: S608 - named above
    assert question(2).prompt.encode() not in ledger.path.read_bytes()
    assert damage(ledger) == []
    assert ledger.send(question(1)).result()


def test_what_is_awaited_from_a_batch_is_not_pruned(ledger):
    (batch,) = ledger.batches()
    assert prune(ledger) == Pruned(4, 1, 3200, 800, 1.0)
    assert ledger.batch_questions(batch.local) == [question(5, "n")]
    ledger.batch_step(batch.local, "collected")
    assert prune(ledger).unanswered == 1
    assert ledger.batches(unfinished=False) == []
    assert ledger.rows("SELECT count(*) FROM questions") == [(0,)]


def test_only_what_is_older_is_pruned(ledger):
    ledger.write(
        lambda connection: connection.execute(
            "UPDATE answers SET answered_at = '2026-01-30T23:59:59+00:00' WHERE question = 1"
        )
    )
    assert prune(ledger, before="2026-01-30", dry_run=True).answers == 0
    assert prune(ledger, before="2026-01-31").answers == 1
    assert prune(ledger, before="2026-01-31").answers == 0
    assert question(1).answer_id not in ledger.known([question(1).answer_id])
    with pytest.raises(HabitusError, match="expected a day such as 2026-01-31, got 'soon'"):
        prune(ledger, before="soon")


def test_nothing_is_pruned_while_somebody_else_is_at_work(ledger):
    with Ledger(ledger.path) as other:
        with pytest.raises(HabitusError, match=f"expected nobody else at work in it, found {other.runner.name}"):
            prune(ledger)
        assert prune(ledger, dry_run=True).answers == 4
    assert prune(ledger).answers == 4
