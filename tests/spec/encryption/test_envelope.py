"""Sealed values. DESIGN 5; NIST SP 800-38D (GCM); GDPR Art. 32(1)(a); SECURITY 4.4."""

from dataclasses import replace

import pytest
import zstandard
from hypothesis import given
from hypothesis import strategies as st

from security.dictionaries import NO_DICTIONARY, PLAINTEXT_BYTES_MAX, Dictionary, DictionaryError, by_id, for_type
from security.envelope import EnvelopeError, Purpose, aad, data_key, fingerprint, open_, seal

OBSERVATION = for_type("Observation")
KEY = data_key(b"patient-1..", 1, bytes(range(32)))
NONCE = bytes(12)
PLACE = {"resource_type": "Observation", "id": "o1", "version": 1, "patient": b"patient-1..", "key_version": 1, "purpose": "resource"}
TEXT = b'{"resourceType":"Observation","id":"o1","status":"final","valueQuantity":{"value":72}}'

places = st.fixed_dictionaries(
    {
        "resource_type": st.text(max_size=8),
        "id": st.text(max_size=8),
        "version": st.integers(0, 2**64 - 1),
        "patient": st.none() | st.binary(max_size=12),
        "key_version": st.integers(0, 2**32 - 1),
        "purpose": st.sampled_from(["resource", "raw", "audit", "rules", "key", "deleted"]),
    }
)
dictionaries = st.sampled_from([None, OBSERVATION, for_type("Patient"), for_type("Basic")])


@given(place=places, text=st.binary(max_size=3_000), dictionary=dictionaries)
def test_what_was_sealed_opens_in_its_place(place: dict[str, object], text: bytes, dictionary: Dictionary | None) -> None:
    """DESIGN 5: AES-256-GCM(zstd(JSON)) with or without a dictionary."""
    bound = aad(**place)
    assert open_(KEY, bound, seal(KEY, bound, text, dictionary), by_id) == text


@given(one=places, other=places)
def test_two_places_never_share_an_encoding(one: dict[str, object], other: dict[str, object]) -> None:
    """DESIGN 5: AAD binds type, id, version, patient token and key version, so nothing can be swapped or moved."""
    assert (aad(**one) == aad(**other)) is (one == other)


@given(texts=st.tuples(st.text(max_size=6), st.text(max_size=6), st.binary(max_size=6)), shift=st.integers(1, 6), patient=st.booleans())
def test_characters_moved_from_one_name_to_the_next_are_another_place(texts: tuple[str, str, bytes], shift: int, patient: bool) -> None:
    """SECURITY 4.4: "Observation" + "1x" is not "Observation1" + "x"."""
    kind, id, owner = texts[0] + "Ab12cd", texts[1], texts[2] if patient else None
    here = {**PLACE, "resource_type": kind, "id": id, "patient": owner}
    there = {**PLACE, "resource_type": kind[:-shift], "id": kind[-shift:] + id, "patient": owner}
    assert aad(**here) != aad(**there)


@pytest.mark.parametrize(
    "elsewhere",
    [
        {"resource_type": "Condition"},
        {"id": "o2"},
        {"version": 2},
        {"patient": b"patient-2.."},
        {"patient": None},
        {"key_version": 2},
        {"purpose": "raw"},
        {"purpose": "audit"},
    ],
    ids=str,
)
def test_a_sealed_value_does_not_open_in_another_place(elsewhere: dict[str, object]) -> None:
    """SECURITY 4.4 proofs: swap ciphertexts between ids, versions and patients: refused."""
    sealed = seal(KEY, aad(**PLACE), TEXT, OBSERVATION)
    with pytest.raises(EnvelopeError):
        open_(KEY, aad(**(PLACE | elsewhere)), sealed, by_id)


@given(one=places, other=places)
def test_no_two_places_open_each_others_values(one: dict[str, object], other: dict[str, object]) -> None:
    """NIST SP 800-38D 7.2: decryption fails unless the additional data are the same."""
    sealed = seal(KEY, aad(**one), TEXT, OBSERVATION)
    if one == other:
        assert open_(KEY, aad(**other), sealed, by_id) == TEXT
    else:
        with pytest.raises(EnvelopeError):
            open_(KEY, aad(**other), sealed, by_id)


def test_no_flipped_bit_goes_unnoticed() -> None:
    """NIST SP 800-38D 7.2: every bit counts, those of format and dictionary number too."""
    bound = aad(**PLACE)
    sealed = seal(KEY, bound, TEXT, OBSERVATION)
    for bit in range(len(sealed) * 8):
        altered = bytearray(sealed)
        altered[bit // 8] ^= 1 << bit % 8
        with pytest.raises(EnvelopeError):
            open_(KEY, bound, bytes(altered), by_id)


@given(length=st.integers(0, 200))
def test_a_cut_or_lengthened_value_does_not_open(length: int) -> None:
    """NIST SP 800-38D 7.2: the tag is the last 16 bytes of exactly this ciphertext."""
    bound = aad(**PLACE)
    sealed = seal(KEY, bound, TEXT, OBSERVATION)
    altered = (sealed + bytes(200))[:length]
    if altered != sealed:
        with pytest.raises(EnvelopeError):
            open_(KEY, bound, altered, by_id)


@given(content=st.binary(max_size=120))
def test_bytes_that_nobody_sealed_do_not_open(content: bytes) -> None:
    """STYLE 7.7: whatever lies in the database, the answer is the one error."""
    with pytest.raises(EnvelopeError):
        open_(KEY, aad(**PLACE), content, by_id)


def test_another_key_does_not_open() -> None:
    """DESIGN 5: one data key per patient; destroying it makes the data unreadable (GDPR Art. 17)."""
    sealed = seal(KEY, aad(**PLACE), TEXT, OBSERVATION)
    with pytest.raises(EnvelopeError):
        open_(data_key(KEY.id, KEY.version, bytes(32)), aad(**PLACE), sealed, by_id)


def test_a_value_whose_dictionary_is_not_here_does_not_open() -> None:
    """DESIGN 5: dictionaries are versioned; an unknown number is refused, not guessed."""
    unknown = replace(OBSERVATION, id=255)
    with pytest.raises(EnvelopeError):
        open_(KEY, aad(**PLACE), seal(KEY, aad(**PLACE), TEXT, unknown), by_id)


def test_the_error_is_always_the_same_and_tells_nothing() -> None:
    """DESIGN 2.4: no error text shows content, nor which part was wrong."""
    bound, sealed = aad(**PLACE), seal(KEY, aad(**PLACE), TEXT, OBSERVATION)
    attempts = [(bound, sealed[:-1]), (aad(**(PLACE | {"id": "o2"})), sealed), (bound, b""), (bound, b"\x02" + sealed[1:])]
    errors = []
    for place, content in attempts:
        with pytest.raises(EnvelopeError) as raised:
            open_(KEY, place, content, by_id)
        errors.append((str(raised.value), raised.value.__suppress_context__ or raised.value.__context__ is None))
    assert errors == [("sealed data cannot be opened", True)] * len(attempts)


def test_the_layout_is_format_dictionary_nonce_ciphertext_tag() -> None:
    """docs/adr/0004: the form must be readable by whoever has keys and dictionaries, without this code."""
    bound = aad(**PLACE)
    sealed = seal(KEY, bound, TEXT, OBSERVATION, NONCE)
    assert sealed[:14] == bytes((1, OBSERVATION.id)) + NONCE
    frame = KEY.aead.decrypt(NONCE, sealed[14:], sealed[:2] + bound)
    dictionary = zstandard.ZstdCompressionDict(OBSERVATION.content)
    assert zstandard.ZstdDecompressor(dict_data=dictionary).decompress(frame) == TEXT


def test_a_place_is_encoded_as_documented() -> None:
    """docs/adr/0004: a stored value stays readable only as long as this encoding stays the same."""
    encoded = "01000000000000000100000001000b0002000c" + (b"Observation" + b"o1" + b"patient-1..").hex()
    assert aad(**PLACE).hex() == encoded


def test_each_sealing_takes_a_nonce_of_its_own() -> None:
    """NIST SP 800-38D 8.2.2: 96 random bits; the same plaintext never looks the same twice."""
    sealed = {seal(KEY, aad(**PLACE), TEXT, OBSERVATION) for _ in range(100)}
    assert len({value[2:14] for value in sealed}) == len({value[14:] for value in sealed}) == 100


@pytest.mark.parametrize("length", [0, 8, 16])
def test_a_nonce_of_another_length_is_refused(length: int) -> None:
    """NIST SP 800-38D 5.2.1.1: 96 bits."""
    with pytest.raises(ValueError, match="12 bytes"):
        seal(KEY, aad(**PLACE), TEXT, OBSERVATION, bytes(length))


def test_a_fingerprint_is_the_tag_and_differs_for_each_sealing() -> None:
    """DESIGN 6: `verify` compares the stored bytes with the audited ones."""
    one, other = (seal(KEY, aad(**PLACE), TEXT, OBSERVATION) for _ in range(2))
    assert fingerprint(one) == one[-16:] != fingerprint(other)


def test_nothing_of_the_text_can_be_seen_in_the_sealed_value() -> None:
    """GDPR Art. 32(1)(a): encryption of personal data."""
    text = TEXT * 10
    sealed = seal(KEY, aad(**PLACE), text, NO_DICTIONARY)
    assert not any(text[start : start + 4] in sealed for start in range(len(text) - 4))


def test_more_than_the_limit_is_not_sealed() -> None:
    """STYLE 7.8: what could not be opened again is refused when it is sealed."""
    with pytest.raises(DictionaryError):
        seal(KEY, aad(**PLACE), bytes(PLAINTEXT_BYTES_MAX + 1), None)


@pytest.mark.parametrize("announced", [True, False])
def test_a_frame_that_would_unfold_beyond_the_limit_is_refused(announced: bool) -> None:
    """SECURITY 2.4 (57): a few bytes must not become gigabytes, even under the right key."""
    bomb = zstandard.ZstdCompressor(write_content_size=announced).compress(bytes(PLAINTEXT_BYTES_MAX + 1))
    bound = aad(**PLACE)
    sealed = bytes((1, 0)) + NONCE + KEY.aead.encrypt(NONCE, bomb, bytes((1, 0)) + bound)
    with pytest.raises(EnvelopeError):
        open_(KEY, bound, sealed, by_id)


def test_bytes_after_the_frame_are_refused() -> None:
    """RFC 8878 3.1: one frame and nothing else, so that a sealed value has one meaning."""
    frame = NO_DICTIONARY.compress(TEXT) + NO_DICTIONARY.compress(b"more")
    bound = aad(**PLACE)
    sealed = bytes((1, 0)) + NONCE + KEY.aead.encrypt(NONCE, frame, bytes((1, 0)) + bound)
    with pytest.raises(EnvelopeError):
        open_(KEY, bound, sealed, by_id)


@pytest.mark.parametrize("impossible", [{"version": -1}, {"version": 2**64}, {"id": "x" * 70_000}, {"purpose": "other"}], ids=str)
def test_what_has_no_encoding_is_no_place(impossible: dict[str, object]) -> None:
    """STYLE 7.7: nothing is cut to fit."""
    with pytest.raises(ValueError, match="not a place"):
        aad(**(PLACE | impossible))


@pytest.mark.parametrize("length", [0, 16, 31, 33])
def test_a_data_key_has_256_bits(length: int) -> None:
    """DESIGN 5: AES-256; a 16-byte key would silently be AES-128."""
    with pytest.raises(ValueError, match="32 bytes"):
        data_key(b"id", 1, bytes(length))


def test_a_data_key_shows_nothing_of_itself() -> None:
    """DESIGN 2.4: not even by accident in a log line."""
    secret = bytes(range(32))
    assert repr(data_key(b"system", 3, secret)) == "DataKey(id=b'system', version=3)"


def test_the_purposes_are_those_that_may_be_sealed() -> None:
    """SECURITY 4.4: each has a number of its own in the additional data."""
    purposes: list[Purpose] = ["resource", "raw", "audit", "rules", "key", "deleted"]
    assert len({aad(**(PLACE | {"purpose": purpose})) for purpose in purposes}) == len(purposes)
