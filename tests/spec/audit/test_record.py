"""A record as a document of the database (DESIGN 5)."""

from hypothesis import given, settings
from hypothesis import strategies as st

from audit.chain import genesis, link
from audit.record import Draft, from_document, to_document
from tests.spec.audit.given import WRITER, any_draft, draft


@settings(max_examples=200)
@given(st.lists(any_draft, min_size=1, max_size=3))
def test_a_record_comes_back_from_its_document_as_it_was(drafts: list[Draft]) -> None:
    """DESIGN 5: what is verified is what was hashed, so no field may change its value on the way."""
    records, _ = link(genesis(WRITER, ()), drafts)
    assert [from_document(to_document(record)) for record in records] == records


def test_the_document_has_the_short_names_of_the_stored_form() -> None:
    """DESIGN 5: `_id`, writer and sequence, patient, tokens, time, request, effects, ciphertext, previous hash, hash."""
    records, _ = link(genesis(WRITER, ()), [draft(1, ("Observation/abc", 1))])
    assert set(to_document(records[0])) == {"_id", "w", "s", "p", "k", "t", "r", "e", "c", "ki", "kv", "d", "ph", "h"}


def test_a_document_has_no_field_for_what_there_is_not() -> None:
    """DESIGN 5: an interaction's own record has no patient, a read writes nothing."""
    records, _ = link(genesis(WRITER, ()), [draft(2)])
    assert {"p", "e"}.isdisjoint(to_document(records[0]))


def test_a_document_is_made_of_plain_values() -> None:
    """DESIGN 3: the log knows no database driver."""
    records, _ = link(genesis(WRITER, ()), [draft(1, ("Observation/abc", 1))])
    kinds = {type(value) for value in to_document(records[0]).values()}
    assert kinds <= {str, int, bytes, list}
