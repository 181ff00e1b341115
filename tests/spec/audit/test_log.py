"""From events to drafts: sealed, findable, told of the writes (DESIGN laws 2 and 4, section 6)."""

from dataclasses import dataclass
from typing import get_args

import orjson
import pytest

from audit.events import ITEMS_MAX
from audit.interaction import Interaction, Kind
from audit.log import WRITES_MAX, drafts
from audit.record import Draft, Write
from hub.search.index import index
from hub.search.parameters import RESOURCE_TYPES
from tests.spec.audit.given import command, interaction, item, made, refused
from tests.spec.audit.test_balp import EXAMPLES


@dataclass(frozen=True)
class Body:
    """A seal that seals nothing, so that a test can look inside."""

    sealed: bytes
    key_id: bytes
    key_version: int = 3
    dictionary: int = 5


def seal(patient: str | None, id: str, plaintext: bytes) -> Body:
    assert orjson.loads(plaintext)["id"] == id
    return Body(plaintext, (patient or "system").encode())


def token(space: str, value: str) -> bytes:
    return f"{space}={value}".encode()


def drafted(what: Interaction, *writes: Write) -> list[Draft]:
    return drafts(made(what), interaction=what, writes=writes, token=token, patient_token=str.encode, seal=seal)


def words(draft: Draft) -> set[str]:
    return {one.decode() for one in draft.tokens}


def test_each_event_is_sealed_for_its_patient_and_the_interactions_own_for_the_hub() -> None:
    """SECURITY 3.4 point 7: under per-subject keys, so that shredding one leaves the chain as it is."""
    assert [(one.patient, one.key_id) for one in drafted(interaction())] == [(None, b"system"), (b"Patient/x", b"Patient/x")]


def test_a_draft_carries_what_is_needed_to_open_it_and_when_and_by_which_request_it_was_made() -> None:
    what = interaction()
    for draft, event in zip(drafted(what), made(what), strict=True):
        assert (draft.id, draft.request, draft.recorded_us) == (event.id, what.request_id, what.recorded_us)
        assert (draft.key_version, draft.dictionary, orjson.loads(draft.sealed)["id"]) == (3, 5, event.id)


def test_an_event_is_found_by_what_a_search_of_the_log_may_ask() -> None:
    """https://hl7.org/fhir/R4/auditevent.html#search; spaces are the parameters, values as the search writes them."""
    assert words(drafted(interaction())[1]) == {
        "_type=AuditEvent",
        "action=|R",
        "outcome=|0",
        "type=http://terminology.hl7.org/CodeSystem/audit-event-type|rest",
        "subtype=http://hl7.org/fhir/restful-interaction|read",
        "purpose=http://terminology.hl7.org/CodeSystem/v3-ActReason|TREAT",
        "agent=Organization/o",
        "altid=|client-1",
        "policy=http://hds-hub.invalid/fhir/policy/consent",
        "entity=Patient/x",
        "entity=Observation/abc",
        "entity=Consent/y",
    }


def test_the_interactions_own_event_is_not_found_by_patient_or_consent() -> None:
    """It does not name them; whoever holds the database learns nothing more from its tokens."""
    assert {word for word in words(drafted(interaction())[0]) if word.startswith("entity")} == {"entity=Observation/abc"}


def test_a_refused_attempt_is_found_by_what_it_aimed_at() -> None:
    own, of_patient = drafted(refused())
    assert "entity=Observation/abc" in words(own) & words(of_patient)
    assert (of_patient.patient, "outcome=|4" in words(of_patient)) == (b"Patient/x", True)


def test_a_command_is_found_by_the_person_and_by_its_kind() -> None:
    found = words(drafted(command("audit-verify"))[0])
    assert {
        "altid=|opérateur",
        "subtype=*|audit-verify",
        "subtype=http://hds-hub.invalid/fhir/CodeSystem/audit-event|audit-verify",
    } <= found


@pytest.mark.parametrize("kind", get_args(Kind))
def test_the_log_is_found_as_the_search_of_fhir_looks_for_it(kind: Kind) -> None:
    """DESIGN 5: rows are searched by the tokens that `hub.search` makes of a resource; the log must have them all."""
    spaces = {code for code, row in RESOURCE_TYPES["AuditEvent"].parameters.items() if row.where == "k"} | {"_type"}
    for event, draft in zip(made(EXAMPLES[kind]), drafted(EXAMPLES[kind]), strict=True):
        indexed = index(orjson.loads(orjson.dumps(event.resource)), token=token, patient_token=str.encode)
        wanted = {one.decode() for one in indexed.k if one.decode().partition("=")[0] in spaces}
        assert wanted <= words(draft)


WRITES = tuple(Write(f"Observation/{number}", 1, b"t" * 16) for number in range(2 * WRITES_MAX + 5))


def test_the_interactions_own_record_tells_of_the_writes() -> None:
    """DESIGN law 2: a write and its record commit in one transaction, once."""
    assert [len(one.writes) for one in drafted(interaction("create"), *WRITES[:1])] == [1, 0]


def test_of_many_writes_each_is_told_once() -> None:
    items = tuple(item(write.row, patient="Patient/x") for write in WRITES)
    told = [one.writes for one in drafted(interaction("ingest", items=items), *WRITES)]
    assert [len(one) for one in told] == [WRITES_MAX, WRITES_MAX, 5, 0, 0, 0]
    assert sum(told, ()) == WRITES
    assert WRITES_MAX == ITEMS_MAX


def test_writes_of_which_no_item_tells_are_told_by_the_last_record() -> None:
    """A pairing changes a Device that is not part of the answer; it is never left out."""
    assert [len(one.writes) for one in drafted(interaction("create"), *WRITES)] == [len(WRITES), 0]


def test_a_seal_that_fails_leaves_no_draft() -> None:
    """DESIGN law 2: without a record there is no answer, so the failure must be heard."""

    def failing(patient: str | None, id: str, plaintext: bytes) -> Body:
        raise KeyError(patient)

    with pytest.raises(KeyError):
        drafts(made(interaction()), interaction=interaction(), writes=(), token=token, patient_token=str.encode, seal=failing)
