"""What the simulated models write, and what the parser makes of it."""

import json

import pytest

from habitus_runners.models import writing
from habitus_runners.prompts.parse import parse

TITLES = [
    "Harbour, The (1984)",
    "Lantern, A (1961)",
    "Zoë's Mirror (1950)",
    "Café of Málaga, The (1999)",
    "Orchard, An (1977)",
    'Say "Hello" (1980)',
    "Ferry, The (1963)",
    "Salted Tunnel (1942)",
]
OTHERS = ["Restless Island (1965)", "Lucky Glacier (1958)", "Paper Bridge (1970)", "Anton's Saddle (1955)"]


def read(text):
    return parse(text, OTHERS + TITLES, len(TITLES))


def places(count):
    return tuple(range(len(OTHERS), len(OTHERS) + count))


def test_json_is_the_list_itself():
    assert json.loads(writing.as_json(TITLES)) == TITLES
    assert "Zoë" in writing.as_json(TITLES)
    assert read(writing.as_json(TITLES))[:2] == (places(8), "ok")


def test_prose_can_be_read_but_is_no_list():
    text = writing.as_prose(TITLES)
    with pytest.raises(json.JSONDecodeError):
        json.loads(text)
    assert '2. "A Lantern (1961)" - popular with people like them.' in text
    assert '5. "An Orchard (1977)"' in text
    assert '3. "Zoë\'s Mirror" - a likely next choice.' in text
    assert read(text)[:2] == (places(8), "repaired")


def test_refusal_names_nothing():
    assert read(writing.as_refusal(TITLES))[:2] == ((-1,) * 8, "refusal")


def test_repeats_are_half_a_list():
    assert json.loads(writing.with_repeats(TITLES)) == [title for title in TITLES[:4] for _ in range(2)]
    assert read(writing.with_repeats(TITLES))[:2] == ((*places(4), *[-1] * 4), "duplicate")
    assert len(json.loads(writing.with_repeats(TITLES[:5]))) == 5


def test_inventions_are_unknown():
    written = json.loads(writing.with_inventions(TITLES))
    assert written[::2] == TITLES[::2]
    assert len(set(written)) == len(TITLES)
    parsed = read(writing.with_inventions(TITLES))
    assert parsed.ranking == (*places(8)[::2], *[-1] * 4)
    assert parsed.verdict == "unknown item"
