"""A plan decides by turn, by attempt, by chance or by route, and the same way whatever the order of calls."""

import pytest

from habitus_runners.faults import Asked, Attempts, Hang, InTurn, Mixture, Ok, Quota, Reset, Status, TooMany
from habitus_runners.faults.batch_ends import BatchEnd
from habitus_runners.faults.oddities import Garbled
from habitus_runners.faults.plan_text import batch_end_of, plan_of
from habitus_runners.faults.plans import CHAT, chooser


def _asked(number=0, attempt=0, key="k", route=CHAT, seed=0):
    return Asked(number, route, key, attempt, 0, {}, {}, seed, lambda _: pytest.fail("a plan only chooses"))


def test_in_turn_and_by_attempt():
    turns, attempts = InTurn([Hang(), Reset()]), Attempts([Hang(), Reset()], then=Status(503))
    assert [turns(_asked(number=n)) for n in range(3)] == [Hang(), Reset(), Ok()]
    assert [attempts(_asked(number=9, attempt=n)) for n in range(3)] == [Hang(), Reset(), Status(503)]


def test_a_mixture_keeps_its_shares_and_does_not_depend_on_order():
    plan = Mixture([(TooMany(), 0.1), (Status(), 0.05)])
    drawn = [plan(_asked(number=n, key=f"question {n}")) for n in range(4000)]
    assert drawn == [plan(_asked(number=3999 - n, key=f"question {n}")) for n in range(4000)]
    # Four standard errors of a share of 0.1 and 0.05 in 4,000 draws.
    assert abs(drawn.count(TooMany()) / 4000 - 0.1) < 0.019
    assert abs(drawn.count(Status()) / 4000 - 0.05) < 0.014
    assert drawn != [plan(_asked(key=f"question {n}", seed=1)) for n in range(4000)]


@pytest.mark.parametrize("shares", [[(Ok(), 0.6), (Hang(), 0.6)], [(Ok(), -0.1)]])
def test_shares_that_are_none_are_refused(shares):
    with pytest.raises(ValueError, match="expected shares"):
        Mixture(shares)


def test_routes_have_plans_of_their_own():
    choose = chooser({"POST /batches": [Reset("after")], CHAT: lambda asked: Status(500 + asked.number)})
    assert choose(_asked(route="POST /batches")) == Reset("after")
    assert choose(_asked(route="POST /batches", number=1)) == Ok()
    assert choose(_asked(number=3)) == Status(503)
    assert choose(_asked(route="GET /models")) == Ok()
    assert chooser(Hang())(_asked(route="GET /models")) == Ok()


def test_plans_can_be_written_as_words():
    assert plan_of(["garbled:body=html"]) == Garbled("html")
    assert plan_of(["Status:status=503,should_retry=false", "Ok"]).behaviours == [Status(503, should_retry=False), Ok()]
    assert plan_of(["toomany:form=date,after=2@0.1", "quota:after=5@0.2"]).shares == [
        (TooMany("date", 2.0), 0.1),
        (Quota(5), 0.2),
    ]
    assert plan_of(["latency:seconds=0.5,then=reset"]).then == Reset()
    assert batch_end_of("completed") == BatchEnd()
    assert batch_end_of("expired:answered=0.5,shuffled=true").shuffled


@pytest.mark.parametrize("words", [["nonsense"], ["ok@0.1", "hang"], ["quota:before=3"], ["toomany:form=soon"], ["?"]])
def test_words_that_are_no_plan_are_refused(words):
    with pytest.raises(ValueError, match="expected"):
        plan_of(words)
