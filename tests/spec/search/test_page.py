"""Page links are opaque, bound to their caller, and end: https://hl7.org/fhir/R4/http.html#paging, law 4"""

import dataclasses
from typing import Any

import pytest
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from hypothesis import given
from hypothesis import strategies as st

from hub.errors import FhirError
from hub.search.page import CURSOR_CHARS_MAX, FORMAT, Cursor, decode, encode

KEY, NONCE = AESGCM(bytes(32)), bytes(12)
CURSOR = Cursor(
    type="Observation",
    pairs=(("patient", "secret"), ("date", "ge2026")),
    position=(1_700_000_000_000_000, None, "abc"),
    caller="client-1 TREAT",
    started_us=5,
    expires_us=100,
)


def seal(plain: bytes) -> bytes:
    """One nonce for all: nothing here stays secret, and the tests stay the same each time."""
    return KEY.encrypt(NONCE, plain, b"page")


def open_(sealed: bytes) -> bytes | None:
    try:
        return KEY.decrypt(NONCE, sealed, b"page")
    except (InvalidTag, ValueError):
        return None


def decoded(text: str, *, type: str = "Observation", caller: str = CURSOR.caller, now_us: int = 99) -> Cursor:
    return decode(text, open_, type=type, caller=caller, now_us=now_us)


def test_a_link_leads_back_to_its_search_and_place() -> None:
    """The link holds everything but the permission."""
    assert decoded(encode(CURSOR, seal)) == CURSOR
    previous = dataclasses.replace(CURSOR, direction="previous")
    assert decoded(encode(previous, seal)) == previous


TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=9)


@given(st.lists(st.tuples(TEXTS, TEXTS), max_size=4), st.lists(st.none() | TEXTS | st.integers(-(1 << 62), 1 << 62), max_size=3), TEXTS)
def test_any_search_and_place_survive(pairs: list[tuple[str, str]], position: list[Any], caller: str) -> None:
    """Values are any text; positions are times, texts or nothing."""
    cursor = dataclasses.replace(CURSOR, pairs=tuple(pairs), position=tuple(position), caller=caller)
    assert decoded(encode(cursor, seal), caller=caller) == cursor


def test_a_link_is_url_safe_and_shows_nothing() -> None:
    """RFC 3986 unreserved characters only; what was searched for is not in it."""
    text = encode(CURSOR, seal)
    assert text.replace("-", "").replace("_", "").isalnum()
    assert text.isascii()
    assert "secret" not in text


GOOD = encode(CURSOR, seal)
BROKEN = [
    (GOOD, {"caller": "client-2 TREAT"}),
    (GOOD, {"type": "Patient"}),
    (GOOD, {"now_us": 100}),
    (GOOD[:-8] + "AAAAAAAA", {}),
    (GOOD[:-3], {}),
    (GOOD + "A" * 4, {}),
    ("", {}),
    ("A", {}),
    ("é", {}),
    ("%%%", {}),
    ("A" * (CURSOR_CHARS_MAX + 1), {}),
    (encode(CURSOR, lambda plain: seal(plain.replace(b'"format":%d' % FORMAT, b'"format":0'))), {}),
]


@pytest.mark.parametrize(("text", "asked"), BROKEN)
def test_a_link_that_does_not_hold_is_refused_always_alike(text: str, asked: dict[str, Any]) -> None:
    """Another caller's, expired, altered, made up: one answer, so that none tells which."""
    with pytest.raises(FhirError) as refused:
        decoded(text, **asked)
    assert refused.value.code == "not-found"
    assert str(refused.value) == "This page link is no longer valid: repeat the search."
