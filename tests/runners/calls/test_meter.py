"""The line that says how asking goes."""

from habitus_runners.calls import meter
from habitus_runners.calls.meter import Meter


class Clock:
    """Stands in for the module time."""

    def __init__(self):
        self.now = 100.0

    def monotonic(self):
        """Set by hand."""
        return self.now


def test_the_note_counts_what_went_well_and_what_did_not(monkeypatch):
    clock, told = Clock(), []
    monkeypatch.setattr(meter, "time", clock)
    counted = Meter("m", 1000, lambda *what: told.append(what))
    for number in range(100):
        clock.now += 0.1
        counted.answer(0.001, readable=number % 10 != 0)
    counted.failure(429, again=True)
    counted.failure(500, again=True)
    counted.failure(400, again=False)
    counted.error()
    counted.tell()
    stage, done, total, note = told[-1]
    assert (stage, done, total) == ("m", 101, 1000)
    assert note == "10/s, 1:30 left, $0.1000, 1 429s, 2 retries, 1 failed, 10 unreadable"


def test_at_most_four_reports_a_second(monkeypatch):
    clock, told = Clock(), []
    monkeypatch.setattr(meter, "time", clock)
    counted = Meter("m", 10_000, lambda *_: told.append(clock.now))
    for _ in range(5000):
        clock.now += 0.001
        counted.answer(None, readable=True)
    assert 15 <= len(told) <= 20


def test_dollars_are_left_out_while_no_price_is_known():
    counted = Meter("m", 2, lambda *_: None)
    counted.answer(None, readable=True)
    assert "$" not in counted.note()


def test_a_long_wait_is_shown_in_hours(monkeypatch):
    clock = Clock()
    monkeypatch.setattr(meter, "time", clock)
    counted = Meter("m", 7202, lambda *_: None)
    for _ in range(2):
        clock.now += 1
        counted.answer(None, readable=True)
    assert "2:00:00 left" in counted.note()
