"""One thread writes: in groups, and whatever befalls it, whoever waits hears of it."""

import sqlite3
import threading
from concurrent.futures import wait

import pytest
from tests.runners.ledger.sender import question, reply

from habitus_runners.errors import HabitusError
from habitus_runners.ledger import Ledger, Sending

SOON_S = 20


@pytest.fixture
def ledger(tmp_path):
    with Ledger(tmp_path / "ledger.sqlite") as opened:
        yield opened


def occupied(ledger):
    """Keep the writer busy, so that what comes meanwhile waits; the event lets it go on."""
    event, entered = threading.Event(), threading.Event()

    def stay(_):
        entered.set()
        event.wait(SOON_S)

    ledger._writer.put(stay)
    assert entered.wait(SOON_S)
    return event


def test_what_waits_is_written_in_one_transaction(ledger):
    statements = []
    ledger.write(lambda connection: connection.set_trace_callback(statements.append))
    event = occupied(ledger)
    sendings = [ledger.send(question(number)) for number in range(500)]
    event.set()
    assert len({sending.result() for sending in sendings}) == 500
    assert statements.count("COMMIT") <= 4


def test_a_write_at_fault_by_itself_spoils_no_other(ledger):
    event = occupied(ledger)
    before = ledger.send(question(1))
    wrong = ledger.send(question(2)._replace(sample=2**70))
    misled = ledger.answered(Sending(77), question(3), reply(question(3)))
    after = ledger.send(question(4))
    event.set()
    assert isinstance(before.result(SOON_S), Sending)
    assert isinstance(after.result(SOON_S), Sending)
    assert isinstance(wrong.exception(SOON_S), OverflowError)
    assert isinstance(misled.exception(SOON_S), HabitusError)
    assert ledger.rows("SELECT count(*) FROM sendings") == [(2,)]


def test_nothing_of_a_group_stays_when_the_disk_refuses_it(ledger):
    def refuse(_):
        raise sqlite3.OperationalError("disk I/O error")

    event = occupied(ledger)
    futures = [ledger.send(question(1)), ledger._writer.put(refuse)]
    event.set()
    assert all(isinstance(future.exception(SOON_S), HabitusError) for future in futures)
    assert ledger.rows("SELECT count(*) FROM sendings") == [(0,)]
    assert isinstance(ledger.send(question(1)).result(SOON_S), Sending)


def test_an_answer_is_written_whoever_still_waits_for_it(ledger):
    event = occupied(ledger)
    future = ledger.send(question(1))
    assert not future.cancel()
    event.set()
    assert isinstance(future.result(SOON_S), Sending)


def test_who_waits_for_a_dead_writer_hears_of_it(ledger):
    def die(_):
        raise SystemExit("the thread was killed")

    event = occupied(ledger)
    waiting = [ledger.send(question(1)), ledger._writer.put(die), ledger.send(question(2))]
    event.set()
    done, late = wait(waiting, SOON_S)
    assert not late
    assert all(isinstance(future.exception(), HabitusError) for future in done)
    afterwards = ledger.send(question(3))
    assert "writing ended: SystemExit" in str(afterwards.exception(SOON_S))
    with pytest.raises(HabitusError, match="writing ended"):
        ledger.keep([(question(4), reply(question(4)))])


def test_what_waits_is_written_before_it_closes(tmp_path):
    with Ledger(tmp_path / "ledger.sqlite") as ledger:
        futures = [ledger.keep_soon([(question(number), reply(question(number)))]) for number in range(300)]
    assert all(future.exception(SOON_S) is None for future in futures)
    with Ledger(tmp_path / "ledger.sqlite") as ledger:
        assert len(ledger.known([question(number).answer_id for number in range(300)])) == 300
