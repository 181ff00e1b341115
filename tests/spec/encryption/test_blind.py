"""Keyed tokens. DESIGN 5 "Tokens"; RFC 2104 (HMAC); RFC 5869 (HKDF); SECURITY 4.4."""

import hmac
import re
from concurrent.futures import ThreadPoolExecutor

import pytest
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDFExpand
from hypothesis import given
from hypothesis import strategies as st

from security.blind import ID_BYTES, Blind, fhir_id

KEY = bytes(range(32))
OTHER_KEY = bytes(range(1, 33))
BLIND = Blind(KEY)

texts = st.text(st.characters(codec=None), max_size=40)


def by_the_book(use: str, space: str, value: str) -> bytes:
    """HMAC-SHA-256 as RFC 2104 has it, under a key expanded as RFC 5869 2.3 has it."""
    key = HKDFExpand(SHA256(), 32, f"hds-hub/blind/1/{use}/{space}".encode("utf-8", "surrogatepass")).derive(KEY)
    return hmac.digest(key, value.encode("utf-8", "surrogatepass"), "sha256")


@given(space=texts, value=texts)
def test_a_token_is_the_hmac_of_the_value_under_the_key_of_its_space(space: str, value: str) -> None:
    """RFC 2104, RFC 5869: what the hub computes quickly anybody can compute slowly."""
    assert BLIND.token(space, value) == by_the_book("token", space, value)[:12]


@given(one=st.tuples(texts, texts), other=st.tuples(texts, texts))
def test_two_tokens_are_equal_only_if_space_and_value_are(one: tuple[str, str], other: tuple[str, str]) -> None:
    """DESIGN 5: a key of their own per parameter; equality is the only thing that a token shows."""
    assert (BLIND.token(*one) == BLIND.token(*other)) is (one == other)


@given(text=texts, cut=st.integers(0, 40), at=st.integers(0, 40))
def test_space_and_value_never_run_into_each_other(text: str, cut: int, at: int) -> None:
    """DESIGN 5: the same characters divided elsewhere are another token."""
    one, other = (text[:cut], text[cut:]), (text[:at], text[at:])
    assert (BLIND.token(*one) == BLIND.token(*other)) is (one == other)


@pytest.mark.parametrize("value", ["", "Ève", "e\u0301", "\ud800", "\0", "x" * 100_000])
def test_any_text_that_json_can_carry_has_a_token_of_12_bytes(value: str) -> None:
    """DESIGN 5: 12 bytes; RFC 8259 8.2: JSON may carry half of a surrogate pair."""
    assert len(BLIND.token("family", value)) == 12


def test_another_index_key_gives_other_tokens() -> None:
    """GDPR Art. 32(1)(a): without the index key a value cannot be tried out."""
    assert Blind(OTHER_KEY).token("identifier", "x") != BLIND.token("identifier", "x")


def test_a_patient_token_is_the_token_of_the_space_patient() -> None:
    """DESIGN 5: `p` is the pseudonym of the patient."""
    assert BLIND.patient("p1") == BLIND.token("patient", "p1")


def test_a_token_is_the_same_after_it_was_pushed_out_of_the_cache() -> None:
    """STYLE 7.8: the cache is bounded, and nothing depends on it."""
    small = Blind(KEY, tokens_cached_max=2)
    assert [small.token("s", str(n % 5)) for n in range(20)] == [BLIND.token("s", str(n % 5)) for n in range(20)]


def test_tokens_made_in_several_threads_are_the_tokens_of_one() -> None:
    """DESIGN 5: one object serves the whole process."""
    values = [str(n) for n in range(2_000)]
    with ThreadPoolExecutor(4) as pool:
        made = list(pool.map(lambda value: Blind(KEY, tokens_cached_max=0).token("s", value), values[:20]))
        made += list(pool.map(lambda value: BLIND.token("s", value), values[20:]))
    assert made == [by_the_book("token", "s", value)[:12] for value in values]


@given(space=texts, value=texts)
def test_an_id_is_a_fhir_id_and_always_the_same(space: str, value: str) -> None:
    """https://hl7.org/fhir/R4/datatypes.html#id: [A-Za-z0-9\\-\\.]{1,64}."""
    made = BLIND.id(space, value)
    assert re.fullmatch(r"[A-Za-z0-9]{22}", made)
    assert made == Blind(KEY).id(space, value)


@given(space=texts, value=texts)
def test_an_id_shows_nothing_of_the_token_of_the_same_text(space: str, value: str) -> None:
    """DESIGN 5: ids leave the hub, tokens do not; one must not be computed from the other."""
    assert BLIND.id(space, value) == fhir_id(by_the_book("id", space, value)[:ID_BYTES])
    assert BLIND.id(space, value) != fhir_id(by_the_book("token", space, value)[:ID_BYTES])


@given(one=st.binary(min_size=16, max_size=16), other=st.binary(min_size=16, max_size=16))
def test_ids_of_different_bytes_differ(one: bytes, other: bytes) -> None:
    """DESIGN 5: an id keeps all 128 bits that it was made from."""
    assert (fhir_id(one) == fhir_id(other)) is (one == other)


@pytest.mark.parametrize("length", [0, 15, 17])
def test_an_id_is_made_from_16_bytes_and_nothing_else(length: int) -> None:
    """STYLE 7.7: fewer bits or bits that would be cut off are refused."""
    with pytest.raises(ValueError, match="16 bytes"):
        fhir_id(bytes(length))


@pytest.mark.parametrize("length", [0, 16, 31])
def test_a_short_index_key_is_refused(length: int) -> None:
    """RFC 5869 3.3: the extract step may be left out only for a key that is uniformly random and long enough."""
    with pytest.raises(ValueError, match="at least 32 bytes"):
        Blind(bytes(length))


def test_the_index_key_does_not_show_in_logs() -> None:
    """DESIGN 2.4: a log line that names the object names no key."""
    assert repr(BLIND) == "Blind(…)"
