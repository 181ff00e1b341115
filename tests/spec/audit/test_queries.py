"""The compliance officer's questions (SECURITY 3.5): who saw whom, for what, on what basis, refused or not."""

import json
from dataclasses import replace
from typing import Any, get_args

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from audit.interaction import Kind
from audit.queries import LIMIT_MAX, REFERENCES_SHOWN, TITLES, AuditQuery, as_json, asks_for, audit_query, cells, row
from audit.record import Draft
from tests.spec.audit.given import NOW_US, command, interaction, item, made, refused
from tests.spec.audit.test_balp import EXAMPLES
from tests.spec.audit.test_log import drafted, token

LOG = [
    *drafted(interaction(items=(item(), item("Observation/b", patient="Patient/y")), client_id="client-1")),
    *drafted(refused(client_id="client-2", recorded_us=NOW_US + 60)),
    *drafted(interaction("create", organization="Organization/p", recorded_us=NOW_US + 120)),
    *drafted(command("audit-query", aimed=("Patient/x",), recorded_us=NOW_US + 180)),
]


def asked(**words: Any) -> AuditQuery:
    return audit_query(token=token, patient_token=str.encode, **words)


def answers(**words: Any) -> list[Draft]:
    query = asked(**words)
    return [draft for draft in LOG if asks_for(query, draft)]


def opened(draft: Draft) -> dict[str, Any]:
    found: dict[str, Any] = orjson.loads(draft.sealed)
    return found


def test_who_saw_a_patient() -> None:
    """SECURITY 3.5: who saw patient X; the refused attempt and the look into the log are among them."""
    kinds = [row(opened(draft)).what for draft in answers(patient="Patient/x")]
    assert kinds == ["read", "read", "create", "audit-query"]


def test_what_a_client_did() -> None:
    assert {row(opened(draft)).client for draft in answers(client="client-2")} == {"EHR of the clinic (client-2)"}


def test_what_a_person_did() -> None:
    assert [row(opened(draft)).who for draft in answers(user="opérateur")] == ["opérateur"] * 2


def test_what_was_done_on_behalf_of_an_organisation() -> None:
    assert {row(opened(draft)).who for draft in answers(organization="Organization/p")} == {"Organization/p"}


def test_what_was_done_with_tokens_of_another_issuer() -> None:
    """Ours: which issuer vouched for the caller is asked for and answered; of the hub's own tokens nothing is said."""
    foreign = drafted(interaction(issuer="https://idp.example.org", subject="lab"))
    query = asked(issuer="https://idp.example.org")
    assert [draft for draft in (*LOG, *foreign) if asks_for(query, draft)] == foreign
    shown = row(opened(foreign[0]))
    assert (shown.client, shown.who, shown.issuer) == ("EHR of the clinic (client-1)", "Organization/o", "https://idp.example.org")
    assert cells(shown)[2] == "EHR of the clinic (client-1), vouched for by https://idp.example.org"
    assert {row(opened(draft)).issuer for draft in LOG} == {""}


def test_who_was_refused() -> None:
    """SECURITY 3.5: denied attempts by client and patient."""
    assert [draft.patient for draft in answers(outcome="4", client="client-2")] == [None, b"Patient/x"]


def test_who_saw_one_resource() -> None:
    assert [draft.patient for draft in answers(entity="Observation/b")] == [None, b"Patient/y"]


def test_who_relied_on_a_consent() -> None:
    """SECURITY 3.5: which accesses relied on a consent."""
    assert {draft.patient for draft in answers(entity="Consent/y")} == {b"Patient/x", b"Patient/y"}


@pytest.mark.parametrize(("from_us", "to_us", "count"), [(60, 61, 2), (60, 60, 0), (0, 60, 3), (61, None, 4), (None, 60, 3)])
def test_a_period_begins_with_its_first_moment_and_ends_before_its_last(from_us: int | None, to_us: int | None, count: int) -> None:
    """Times in the hub: ends exclusive."""
    bounds = {name: None if value is None else NOW_US + value for name, value in (("from_us", from_us), ("to_us", to_us))}
    assert len(answers(**bounds)) == count


def test_a_question_without_conditions_asks_for_everything() -> None:
    assert answers() == LOG


@given(
    st.dictionaries(
        st.sampled_from(["client", "user", "organization", "entity", "action", "outcome"]), st.sampled_from(["client-1", "0", "R", "None"])
    )
)
def test_a_further_condition_never_gives_more_answers(words: dict[str, str]) -> None:
    for name in words:
        fewer = {other: value for other, value in words.items() if other != name}
        assert [draft for draft in answers(**words) if draft not in answers(**fewer)] == []


@pytest.mark.parametrize(("asked_for", "given_"), [(-1, 1), (0, 1), (7, 7), (LIMIT_MAX + 1, LIMIT_MAX)])
def test_the_number_of_answers_is_limited(asked_for: int, given_: int) -> None:
    """STYLE rule 8: put a limit on everything."""
    assert asked(limit=asked_for).limit == given_


def test_an_answer_says_when_who_for_what_purpose_what_and_why_it_was_allowed() -> None:
    """EHDS annex II 3.2, issue 2: caller, client, purpose, patient, interaction and every resource returned."""
    of_patient = made(interaction())[1].resource
    assert dict(zip(TITLES, cells(row(of_patient)), strict=True)) == {
        "when": "2026-11-22T12:00:00.123456Z",
        "who": "Organization/o",
        "client": "EHR of the clinic (client-1)",
        "purpose": "TREAT",
        "what": "read Observation/abc/_history/1",
        "patient": "Patient/x",
        "outcome": "done",
        "basis": "consent, Consent/y/_history/2",
    }


def test_an_answer_about_a_refused_attempt_says_why_and_what_it_aimed_at() -> None:
    shown = dict(zip(TITLES, cells(row(made(refused())[1].resource)), strict=True))
    assert (shown["outcome"], shown["what"], shown["patient"], shown["basis"]) == (
        "refused not-found",
        "read Observation/abc",
        "Patient/x",
        "refused",
    )


def test_an_answer_about_a_command_gives_the_reason() -> None:
    shown = dict(zip(TITLES, cells(row(made(command("audit-verify"))[0].resource)), strict=True))
    assert (shown["who"], shown["purpose"], shown["what"]) == ("opérateur", "HCOMPL (ticket 12)", "audit-verify")


def test_the_token_of_a_client_is_no_basis() -> None:
    assert row(made(interaction(token_id="jti-1"))[1].resource).basis == ("consent", "Consent/y/_history/2")


def test_a_table_shows_some_resources_and_json_all() -> None:
    items = tuple(item(f"Observation/{number}", version=None) for number in range(REFERENCES_SHOWN + 2))
    found = row(made(interaction("search", items=items))[1].resource)
    assert cells(found)[4] == "search-type Observation/0, Observation/1, Observation/2 and 2 more"
    assert len(as_json([found])[0]["references"]) == REFERENCES_SHOWN + 2


@pytest.mark.parametrize("kind", get_args(Kind))
def test_every_event_of_the_hub_can_be_shown_and_written_as_json(kind: Kind) -> None:
    for event in made(EXAMPLES[kind]):
        found = row(orjson.loads(orjson.dumps(event.resource)))
        assert len(cells(found)) == len(TITLES)
        assert json.loads(json.dumps(as_json([found])))[0]["id"] == event.id
        assert all((found.when, found.what, found.purpose, found.outcome, found.basis))


def test_what_an_event_does_not_say_is_empty() -> None:
    """A log may hold AuditEvents of an older form; showing them must not fail."""
    found = row({"id": "e", "recorded": "2026-11-22T12:00:00Z", "outcome": "0"})
    assert found == replace(found, who="", client="", purpose="", what="", references=(), patient="", basis=(), request="")
