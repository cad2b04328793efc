"""Two runners on one ledger, beside a dictionary of answers and a note of who sends what."""

import tempfile
from pathlib import Path

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, consumes, initialize, invariant, rule
from tests.runners.ledger.sender import question, reply

from habitus_runners.ledger import Elsewhere, Ledger, Sending

TEXTS = st.text(st.characters(codec=None), max_size=20)  # with NUL and lone surrogates


class Runners(RuleBasedStateMachine):
    """What two runners may do; they die now and then."""

    sendings = Bundle("sendings")

    @initialize()
    def begin(self):
        """Open the ledger twice."""
        self.folder = tempfile.TemporaryDirectory()
        self.path = Path(self.folder.name, "ledger.sqlite")
        self.ledgers = [Ledger(self.path), Ledger(self.path)]
        self.answers, self.open, self.doubtful, self.repeats = {}, {}, set(), {}

    @rule(target=sendings, who=st.integers(0, 1), number=st.integers(0, 4))
    def send(self, who, number):
        """The answer if there is one; else who sends it, if anybody does."""
        given = self.ledgers[who].send(question(number)).result()
        if number in self.answers:
            assert given == self.answers[number]
        elif number in self.open:
            assert given == Elsewhere(self.ledgers[self.open[number][0]].runner.name)
        else:
            assert isinstance(given, Sending)
            self.open[number] = who, given
            return number
        return None

    @rule(number=consumes(sendings), text=TEXTS)
    def answer(self, number, text):
        """An answer comes."""
        if number in self.open:
            who, sending = self.open.pop(number)
            given = reply(question(number))._replace(text=text)
            self.ledgers[who].answered(sending, question(number), given).result()
            self.answers[number] = given
            self._paid(number)

    @rule(number=consumes(sendings), paid=st.sampled_from(["no", "unknown"]))
    def fail(self, number, paid):
        """None comes."""
        if number in self.open:
            who, sending = self.open.pop(number)
            self.ledgers[who].failed(sending, "500", "broken", paid=paid).result()
            if paid == "unknown":
                self._paid(number)

    @rule(who=st.integers(0, 1))
    def die(self, who):
        """What it was sending has no known end."""
        self.ledgers[who].close()
        for number in [number for number, (sender, _) in self.open.items() if sender == who]:
            self.open.pop(number)
            self._paid(number)
        self.ledgers[who] = Ledger(self.path)

    def _paid(self, number):
        """It may have been paid for, perhaps again."""
        self.repeats[number] = self.repeats.get(number, -1) + 1

    @invariant()
    def agrees(self):
        """Both see the same."""
        if not hasattr(self, "ledgers"):
            return
        keys = {question(number).answer_id: number for number in range(5)}
        for ledger in self.ledgers:
            assert {keys[key]: one for key, one in ledger.known(keys).items()} == self.answers
            open_repeats = sum(number in self.repeats for number in self.open)
            assert ledger.repeats() == sum(self.repeats.values()) + open_repeats

    def teardown(self):
        """Close everything."""
        if hasattr(self, "ledgers"):
            for ledger in self.ledgers:
                ledger.close()
            self.folder.cleanup()


Runners.TestCase.settings = settings(max_examples=15, stateful_step_count=20)  # each step waits for the disk
test_two_runners_agree_with_a_dictionary = Runners.TestCase
