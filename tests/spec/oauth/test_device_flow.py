"""Codes that people type, and how often a device may ask. RFC 8628 sections 3.5 and 6.1."""

import pytest

from security.oauth.device_flow import ALPHABET, INTERVAL_MAX_S, Polls, new_user_code, shown, typed

S = 1_000_000


def test_a_user_code_is_read_however_it_is_typed() -> None:
    """Section 6.1: case does not matter, nor what is between the letters."""
    code = new_user_code()
    assert len(code) == 8
    assert set(code) <= set(ALPHABET)
    assert len(ALPHABET) == 20
    assert not set(ALPHABET) & set("AEIOUY")
    for text in (code, shown(code), shown(code).lower(), f"  {code[:4]} {code[4:]}\n", code.replace(code[4:], f"‑{code[4:]}")):
        assert typed(text) == code
    assert len({new_user_code() for _ in range(200)}) == 200


@pytest.mark.parametrize("text", ["", "BCDF", "BCDFGHJKL", "ABCDEFGH", "BCDF-GHJ1", "ＢＣＤＦＧＨＪＫ", "BCDFGHJK;", "B" * 10_000])
def test_what_cannot_be_a_code_is_none(text: str) -> None:
    assert typed(text) is None


def test_who_asks_too_soon_has_to_wait_longer_from_then_on() -> None:
    """Section 3.5: slow_down adds five seconds for this and all questions after it."""
    polls, soon = Polls().asked(1_000 * S)
    assert not soon
    polls, soon = polls.asked(1_004 * S)
    assert (soon, polls.interval_s) == (True, 10)
    polls, soon = polls.asked(1_014 * S)
    assert (soon, polls.interval_s) == (False, 10)
    for _ in range(30):
        polls, soon = polls.asked(1_015 * S)
        assert soon
    assert polls.interval_s == INTERVAL_MAX_S
