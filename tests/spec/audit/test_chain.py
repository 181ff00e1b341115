"""The hash chain of a writer: SECURITY 3.4 point 2, DESIGN 6."""

import struct
from dataclasses import fields, replace
from hashlib import sha256
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from audit.chain import FIXED, PLACE, RECORD_DOMAIN, WRITE, Head, digest, encoding, genesis, is_whole, link, tips
from audit.record import Draft, Write
from tests.spec.audit.given import OTHER_WRITER, WRITER, any_draft, chain, draft, numbers


class Reader:
    """Reads an encoding from the front."""

    def __init__(self, data: bytes) -> None:
        self.data = data

    def bytes(self, length: int) -> bytes:
        taken, self.data = self.data[:length], self.data[length:]
        assert len(taken) == length
        return taken

    def struct(self, form: struct.Struct) -> tuple[Any, ...]:
        return form.unpack(self.bytes(form.size))


def decoded(data: bytes) -> tuple[Draft, bytes, int, bytes]:
    """The reverse of `encoding`, written from its description alone."""
    reader = Reader(data)
    assert reader.bytes(len(RECORD_DOMAIN)) == RECORD_DOMAIN
    sequence, recorded_us, key_version, dictionary, *lengths = reader.struct(FIXED)
    previous, writer, id_ = (reader.bytes(length) for length in lengths[:3])
    patient = reader.bytes(lengths[3] - 1) if lengths[3] else None
    request, key_id, sealed = (reader.bytes(length) for length in lengths[4:7])
    tokens = [reader.bytes(length) for length in reader.bytes(lengths[7])]
    writes = []
    for _ in range(lengths[8]):
        version, row_length, tag_length = reader.struct(WRITE)
        writes.append(Write(reader.bytes(row_length).decode(), version, reader.bytes(tag_length)))
    assert not reader.data
    draft = Draft(
        id=id_.decode(),
        recorded_us=recorded_us,
        patient=patient,
        tokens=frozenset(tokens),
        request=request.decode(),
        writes=tuple(writes),
        sealed=sealed,
        key_id=key_id,
        key_version=key_version,
        dictionary=dictionary,
    )
    return draft, writer, sequence, previous


@given(any_draft, st.binary(max_size=16), numbers, st.binary(max_size=32))
def test_what_is_hashed_can_be_read_back(draft: Draft, writer: bytes, sequence: int, previous: bytes) -> None:
    """SECURITY 3.4: two different records never share an encoding, because each encoding gives its record back."""
    assert decoded(encoding(draft, writer, sequence, previous)) == (draft, writer, sequence, previous)


@given(any_draft, any_draft)
def test_two_records_share_a_hash_only_if_they_are_equal(one: Draft, other: Draft) -> None:
    """SECURITY 3.4 point 2."""
    assert (digest(one, WRITER, 1, b"") == digest(other, WRITER, 1, b"")) == (one == other)


CHANGES: dict[str, Any] = {
    "id": "event-9",
    "recorded_us": 1,
    "patient": None,
    "tokens": frozenset({b"token-action"}),
    "request": "request-9",
    "writes": (),
    "sealed": b"sealed 9",
    "key_id": b"another",
    "key_version": 2,
    "dictionary": 0,
}


@pytest.mark.parametrize("field", [field.name for field in fields(Draft)])
def test_the_hash_covers_each_field_of_a_record(field: str) -> None:
    """DESIGN 6: tokens, times and keys are covered by the hash as the ciphertext is."""
    original = draft(1, ("Observation/abc", 1))
    changed = replace(original, **{field: CHANGES[field]})
    assert digest(changed, WRITER, 1, b"p") != digest(original, WRITER, 1, b"p")


@pytest.mark.parametrize("place", [(OTHER_WRITER, 1, b"p"), (WRITER, 2, b"p"), (WRITER, 1, b"q")])
def test_the_hash_covers_the_place_and_the_record_before(place: tuple[bytes, int, bytes]) -> None:
    """DESIGN 6: a record that is moved is not the same record."""
    assert digest(draft(1), *place) != digest(draft(1), WRITER, 1, b"p")


def test_records_are_numbered_from_one_and_each_names_the_one_before() -> None:
    """DESIGN 6: each writer process has its gap-free chain."""
    records, head = chain(3)
    assert [record.sequence for record in records] == [1, 2, 3]
    assert [record.previous for record in records] == [genesis(WRITER, ()).hash, records[0].hash, records[1].hash]
    assert head == Head(WRITER, 3, records[2].hash)


@given(st.lists(st.integers(0, 3), max_size=5))
def test_a_chain_is_the_same_however_its_records_were_grouped(rounds: list[int]) -> None:
    """DESIGN 6: group commit decides how many records go out together, never what they say."""
    drafts = [draft(number) for number in range(sum(rounds))]
    head, records = genesis(WRITER, ()), []
    for size in rounds:
        taken, head = link(head, drafts[len(records) : len(records) + size])
        records += taken
    assert (records, head) == link(genesis(WRITER, ()), drafts)


def test_linking_uses_up_nothing() -> None:
    """DESIGN 6: a round that could not be committed leaves no gap, the next one takes its places."""
    head = genesis(WRITER, ())
    link(head, [draft(1)])
    assert link(head, [draft(2)])[0][0].sequence == 1


def test_every_record_of_a_chain_is_whole() -> None:
    assert all(is_whole(record) for record in chain(5)[0])


@pytest.mark.parametrize("wrong", [1.0, "1", None, b"1"])
def test_a_field_of_another_type_is_not_whole_and_raises_nothing(wrong: Any) -> None:
    """Whoever edits the database may leave anything there; verifying must go on and say where."""
    record = chain(1)[0][0]
    assert not is_whole(replace(record, draft=replace(record.draft, recorded_us=wrong)))


def test_the_beginning_of_a_chain_is_a_hash_over_writer_and_former_heads() -> None:
    """A later chain testifies to the earlier ones: what they ended with cannot be changed unseen."""
    _, former = chain(3, OTHER_WRITER)
    expected = b"hds-hub audit genesis 1\n" + PLACE.pack(16, 1, 0) + WRITER
    expected += PLACE.pack(16, 3, 32) + OTHER_WRITER + former.hash
    assert genesis(WRITER, [former]) == Head(WRITER, 0, sha256(expected).digest(), (former,))


def test_a_chain_remembers_what_it_follows() -> None:
    _, former = chain(3, OTHER_WRITER)
    assert chain(2, WRITER, (former,))[1].follows == (former,)


def test_heads_that_a_later_chain_testifies_to_are_not_testified_to_again() -> None:
    """So that a head's file stays small however often the hub is started."""
    _, first = chain(3, OTHER_WRITER)
    _, second = chain(2, WRITER, (first,))
    assert tips([first, second]) == (Head(WRITER, 2, second.hash),)


def test_a_head_that_went_on_afterwards_is_testified_to_again() -> None:
    """Two processes at the same time: the later one saw the earlier one's chain unfinished."""
    _, unfinished = chain(1, OTHER_WRITER)
    _, finished = chain(3, OTHER_WRITER)
    _, second = chain(2, WRITER, (unfinished,))
    assert [head.writer for head in tips([finished, second])] == [WRITER, OTHER_WRITER]


def test_a_chain_without_records_hides_nobody() -> None:
    """A process that started and wrote nothing must not be the only one that testifies to those before it."""
    _, first = chain(3, OTHER_WRITER)
    empty = genesis(WRITER, [first])
    assert tips([first, empty]) == (first,)
