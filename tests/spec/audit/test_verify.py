"""What verification finds, and where: issue 2 "names where", SECURITY 3.4 faults, DESIGN 6."""

import tracemalloc
from collections.abc import Sequence
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from audit.chain import Head, genesis, genesis_hash, is_whole, link
from audit.finding import Finding
from audit.record import Record, from_document, to_document
from audit.verify import PROGRESS_EVERY, records_of, verify
from audit.walk import FINDINGS_MAX
from tests.spec.audit.given import OTHER_WRITER, WRITER, chain, current, draft, row, tag, with_draft
from tests.spec.audit.oracle import is_as_written

RECORDS, HEAD = chain(8)
OTHERS, OTHER_HEAD = chain(5, OTHER_WRITER, (HEAD,))
LOG, HEADS, CURRENT = [*RECORDS, *OTHERS], [HEAD, OTHER_HEAD], current(RECORDS, OTHERS)


def found(records: Sequence[Record], heads: Sequence[Head] = HEADS) -> list[tuple[str, int | None]]:
    """Code and place of what is wrong with the log itself."""
    ordered = sorted(records, key=lambda record: (record.writer, record.sequence))
    findings = verify(ordered, heads, current([one for one in records if is_whole(one)]))
    return [(finding.code, finding.sequence) for finding in findings if not finding.code.startswith("resource")]


def without(*numbers: int) -> list[Record]:
    return [record for record in LOG if record.writer != WRITER or record.sequence not in numbers]


def changed(number: int, **changes: object) -> list[Record]:
    """Record `number` with fields of its draft changed."""
    return [with_draft(record, **changes) if record is RECORDS[number - 1] else record for record in LOG]


def relinked(records: Sequence[Record], start: Record, head: Head) -> list[Record]:
    """The chain as somebody would forge it who recomputes every hash after `start`."""
    drafts = [start.draft, *(record.draft for record in records[start.sequence :])]
    forged, _ = link(Head(start.writer, start.sequence - 1, start.previous, head.follows), drafts)
    return [*records[: start.sequence - 1], *forged]


def test_an_untouched_log_has_no_findings() -> None:
    assert verify(LOG, HEADS, CURRENT) == []


def test_a_log_that_grew_after_its_heads_were_signed_has_no_findings() -> None:
    """DESIGN 6: heads are signed about once a second; records of the last second are not yet under a head."""
    assert found(LOG, [chain(6)[1], Head(OTHER_WRITER, 0, genesis_hash(OTHER_WRITER, (HEAD,)), (HEAD,))]) == []


def test_an_empty_log_of_a_hub_that_has_just_started_has_no_findings() -> None:
    assert verify([], [genesis(WRITER, ())], []) == []


@pytest.mark.parametrize("number", range(1, 9))
def test_a_changed_record_is_named(number: int) -> None:
    """SECURITY 3.4, faults: edited record."""
    assert found(changed(number, sealed=b"another")) == [("record-changed", number)]


@pytest.mark.parametrize("number", range(1, 8))
def test_a_record_changed_together_with_its_hash_is_named_by_the_one_after_it(number: int) -> None:
    """SECURITY 3.4, faults: edited record, by somebody who knows how hashes are made."""
    record = RECORDS[number - 1]
    forged = link(Head(WRITER, number - 1, record.previous), [replace(record.draft, sealed=b"another")])[0][0]
    assert found([forged if one is record else one for one in LOG]) == [("record-replaced", number)]


@pytest.mark.parametrize("number", range(1, 9))
def test_a_chain_forged_to_its_end_is_not_the_one_that_was_signed(number: int) -> None:
    """SECURITY 3.4, faults: an attacker who recomputes every hash still cannot sign."""
    start = with_draft(RECORDS[number - 1], sealed=b"another")
    codes = found([*relinked(RECORDS, start, HEAD), *OTHERS])
    assert codes == [("chain-rewritten", 8)]


@pytest.mark.parametrize("number", range(1, 8))
def test_a_removed_record_is_named(number: int) -> None:
    assert found(without(number)) == [("record-removed", number)]


def test_a_row_of_removed_records_is_one_finding_with_first_and_last() -> None:
    finding = verify(without(3, 4, 5), HEADS, current(without(3, 4, 5)))[0]
    assert (finding.code, finding.sequence, finding.last) == ("record-removed", 3, 5)


@pytest.mark.parametrize("first", range(2, 9))
def test_a_cut_off_tail_is_named(first: int) -> None:
    """DESIGN 6: the signed head outside the database shows it."""
    left = without(*range(first, 9))
    finding = verify(left, HEADS, current(left))[0]
    assert (finding.code, finding.writer, finding.sequence, finding.last) == ("chain-cut-off", WRITER, first, 8)


def test_a_tail_that_was_not_yet_under_a_head_can_be_cut_off_unseen() -> None:
    """DESIGN 6: "but for that last second". What is not found is stated, not hidden."""
    assert found(RECORDS[:6], [chain(6)[1]]) == []


def test_a_writer_whose_records_are_all_gone_is_named() -> None:
    finding = verify(OTHERS, HEADS, current(OTHERS))[0]
    assert (finding.code, finding.writer, finding.sequence, finding.last) == ("chain-missing", WRITER, 1, 8)


def test_a_writer_gone_together_with_its_head_is_missed_by_the_chain_after_it() -> None:
    """A later chain testifies to the earlier ones."""
    finding = verify(OTHERS, [OTHER_HEAD], current(OTHERS))[0]
    assert (finding.code, finding.writer, finding.last) == ("chain-missing", WRITER, 8)


def test_a_tail_cut_off_together_with_an_older_head_put_back_is_missed_by_the_chain_after_it() -> None:
    """SECURITY 3.4, faults: rolled-back restore."""
    assert found(without(7, 8), [chain(6)[1], OTHER_HEAD]) == [("chain-cut-off", 7)]


def test_a_chain_whose_head_was_removed_is_named() -> None:
    assert found(LOG, [HEAD]) == [("chain-unsigned", None)]


def test_a_chain_that_does_not_begin_where_its_head_says_is_named() -> None:
    """SECURITY 3.4, faults: duplicate writer id, a second chain under the name of the first."""
    assert found(RECORDS, [replace(HEAD, follows=(replace(HEAD, writer=OTHER_WRITER),))])[0] == ("record-replaced", 0)


def test_two_records_that_changed_places_are_both_named() -> None:
    """SECURITY 3.4, faults: re-ordered record."""
    swapped = [replace(RECORDS[2], sequence=6), replace(RECORDS[5], sequence=3)]
    assert found([*without(3, 6), *swapped]) == [("record-moved", 3), ("record-moved", 6)]


def test_a_record_moved_to_a_place_that_was_free_is_named_with_its_own_place() -> None:
    moved = replace(RECORDS[2], sequence=99)
    findings = verify([*without(3), moved], HEADS, [])
    told = next(finding for finding in findings if finding.code == "record-moved")
    assert (told.sequence, "belongs to place 3" in told.text) == (99, True)
    assert not any(finding.code == "record-removed" for finding in findings)


def test_a_record_moved_into_another_chain_is_named() -> None:
    moved = replace(RECORDS[2], writer=OTHER_WRITER, sequence=9)
    assert found([*without(3), moved]) == [("record-moved", 9)]


def test_a_record_that_took_the_place_of_a_removed_one_leaves_that_one_missing() -> None:
    moved = replace(RECORDS[5], sequence=5)
    assert sorted(found([*without(5, 6), moved])) == [("record-moved", 5), ("record-removed", 5)]


def test_records_that_come_in_another_order_are_named() -> None:
    """A log exported and put together wrongly."""
    shuffled = [*RECORDS[:2], RECORDS[3], RECORDS[2], *RECORDS[4:], *OTHERS]
    assert [(one.code, one.sequence) for one in verify(shuffled, HEADS, CURRENT)] == [("record-moved", 3)]


def test_a_record_that_is_there_twice_is_named() -> None:
    assert found([*LOG, RECORDS[4]]) == [("record-duplicate", 5)]


def test_a_second_record_for_a_place_is_named_whichever_comes_first() -> None:
    """SECURITY 3.4, faults: duplicate writer id."""
    twin = link(Head(WRITER, 4, RECORDS[3].hash), [draft(99)])[0][0]
    assert ("record-duplicate", 5) in found([*LOG, twin])
    assert ("record-duplicate", 5) in found([*RECORDS[:4], twin, *RECORDS[4:], *OTHERS])


@given(st.data())
def test_any_single_change_is_found_at_its_place(data: st.DataObject) -> None:
    """Issue 2: one changed, removed or moved record: `hub audit verify` names where."""
    number = data.draw(st.integers(1, 7))
    other = data.draw(st.integers(1, 7).filter(lambda one: one != number))
    record = RECORDS[number - 1]
    damaged = data.draw(
        st.sampled_from(
            [
                without(number),
                changed(number, sealed=b"another"),
                changed(number, tokens=frozenset()),
                changed(number, writes=()),
                changed(number, patient=b"another"),
                [replace(one, previous=b"another") if one is record else one for one in LOG],
                [replace(one, hash=b"another") if one is record else one for one in LOG],
                [*without(number), replace(record, sequence=other)],
                [*LOG, record],
            ]
        )
    )
    places = [sequence for _, sequence in found(damaged)]
    assert number in places or other in places
    assert set(places) <= {number, other}


@given(st.data())
def test_verification_and_the_naive_one_agree_on_what_is_as_written(data: st.DataObject) -> None:
    """SECURITY 2.6: two implementations, written apart, must not disagree."""
    log = list(LOG)
    for _ in range(data.draw(st.integers(0, 2))):
        index = data.draw(st.integers(0, len(log) - 1))
        action = data.draw(st.sampled_from(["drop", "double", "seal", "number", "link", "writer"]))
        record = log.pop(index)
        edited = {
            "drop": [],
            "double": [record, record],
            "seal": [with_draft(record, sealed=data.draw(st.binary(max_size=4)))],
            "number": [replace(record, sequence=data.draw(st.integers(0, 10)))],
            "link": [replace(record, previous=data.draw(st.sampled_from([one.hash for one in LOG])))],
            "writer": [replace(record, writer=data.draw(st.sampled_from([WRITER, OTHER_WRITER])))],
        }[action]
        log[index:index] = edited
    heads = data.draw(st.sampled_from([HEADS, [HEAD], [OTHER_HEAD], [chain(6)[1], OTHER_HEAD]]))
    rows = data.draw(st.sampled_from([CURRENT, current(log), CURRENT[1:]]))
    ordered = sorted(log, key=lambda record: (record.writer, record.sequence))
    assert (verify(ordered, heads, rows) == []) == is_as_written(log, heads, rows)


def test_findings_of_the_heads_are_passed_on_and_not_told_twice() -> None:
    bad = Finding(code="head-signature", writer=WRITER, what="x.head", text="x.head is not signed")
    assert verify(RECORDS, [bad], current(RECORDS)) == [bad]


def test_a_document_that_lacks_a_field_is_named_with_its_place_and_not_called_removed() -> None:
    documents = [to_document(record) for record in RECORDS]
    del documents[4]["ph"]
    findings = verify(records_of(documents), [HEAD], current([*RECORDS[:4], *RECORDS[5:]]))
    assert [(one.code, one.sequence, one.what) for one in findings] == [("record-unreadable", 5, "event-5")]


@pytest.mark.parametrize(
    "broken", [{"s": "five"}, {"w": 5}, {"w": None}, {"k": None}, {"k": [["x"]]}, {"e": 1}, {"_id": None}, {"t": 1.5}, {"s": 2**70}]
)
def test_whatever_lies_in_a_document_verifying_goes_on_and_tells(broken: dict[str, object]) -> None:
    """Whoever edits the database may leave anything there."""
    documents = [to_document(record) for record in RECORDS]
    documents[4] |= broken
    findings = verify(records_of(documents), [HEAD], current([*RECORDS[:4], *RECORDS[5:]]))
    assert {one.code for one in findings} <= {"record-unreadable", "record-changed", "record-removed", "record-moved"}
    assert findings


def test_documents_read_back_are_the_records_that_were_written() -> None:
    assert list(records_of(map(to_document, RECORDS))) == RECORDS == [from_document(to_document(one)) for one in RECORDS]


@pytest.mark.parametrize("parts", [2, 3, 7])
def test_in_parts_the_same_is_found_as_at_once(parts: int) -> None:
    """Memory is for one part at a time."""
    rows = [(row(1), 1, tag("forged")), *CURRENT[3:]]
    at_once = {(one.code, one.what) for one in verify(LOG, HEADS, rows)}
    in_parts = [{(one.code, one.what) for one in verify(LOG, HEADS, rows, part=part, parts=parts)} for part in range(parts)]
    assert set.union(*in_parts) == at_once
    assert sum(map(len, in_parts)) == len(at_once) == 3


def test_progress_is_told_now_and_then_and_at_the_end() -> None:
    told: list[int] = []
    verify(iter(RECORDS), [HEAD], [(f"Observation/{number}", 1, b"") for number in range(PROGRESS_EVERY)], progress=told.append)
    assert told == [PROGRESS_EVERY, PROGRESS_EVERY + len(RECORDS)]


def test_of_very_many_findings_the_first_are_listed_and_the_rest_counted() -> None:
    unknown = [(f"Observation/{number}", 1, b"") for number in range(FINDINGS_MAX + 5)]
    findings = verify([], [], unknown)
    assert len(findings) == FINDINGS_MAX + 1
    assert (findings[-1].code, findings[-1].text) == ("more", "and 5 more findings")


def test_a_log_changed_from_end_to_end_is_told_in_bounded_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    """STYLE rule 8: whoever damages the log must not be able to stop its verification."""
    monkeypatch.setattr("audit.walk.MOVES_TRIED_MAX", 0)  # what it costs in time is not the question here
    size = 10_000
    spoilt = (with_draft(record, sealed=bytes(size)) for _ in range(3) for record in chain(FINDINGS_MAX)[0])
    tracemalloc.start()
    findings = verify(spoilt, [chain(FINDINGS_MAX)[1]], [])
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert {one.code for one in findings} == {"record-changed", "more"}
    assert peak < 2 * FINDINGS_MAX * size


def test_texts_are_for_people_and_name_writer_and_record() -> None:
    finding = verify(changed(3, sealed=b"another"), HEADS, current(without(3)))[0]
    assert finding.text == f"record event-3 at 3 of writer {WRITER.hex()[:12]} does not fit its hash"
