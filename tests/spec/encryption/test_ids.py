"""Ids of ours tell nothing and cannot be guessed (DESIGN 5; https://hl7.org/fhir/R4/datatypes.html#id)."""

from collections import Counter
from itertools import chain

import pytest

from hub import services
from hub.services import OWN_ID, random_id
from security.blind import ALPHABET


def test_an_id_of_ours_is_a_fhir_id_of_its_own() -> None:
    made = {random_id() for _ in range(1_000)}
    assert len(made) == 1_000
    assert all(OWN_ID.fullmatch(id) for id in made)


def test_every_letter_comes_as_often_as_every_other(monkeypatch: pytest.MonkeyPatch) -> None:
    """What all bytes there are give, once each: four times every letter, and nothing of those that are left over."""
    monkeypatch.setattr(services, "ID_CHARACTERS", 8)
    monkeypatch.setattr(services.os, "urandom", lambda _: parts.pop(0))
    parts = [bytes(range(start, start + 8)) for start in (248, *range(0, 248, 8))]
    letters = Counter(chain.from_iterable(random_id() for _ in range(31)))
    assert letters == dict.fromkeys(ALPHABET, 4)


def test_what_is_left_over_is_drawn_again(monkeypatch: pytest.MonkeyPatch) -> None:
    drawn = [bytes([255] * 44), bytes(range(44))]
    monkeypatch.setattr(services.os, "urandom", lambda _: drawn.pop(0))
    assert random_id() == ALPHABET[:22]
