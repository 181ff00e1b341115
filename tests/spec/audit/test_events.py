"""What an event says, to whom, and what it never says: DESIGN laws 2-4 and section 6, SECURITY 3.4."""

from base64 import b64decode
from dataclasses import fields
from typing import Any, get_args

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from audit.events import ITEMS_MAX, events, instant
from audit.interaction import Interaction, Item, Kind
from audit.kinds import KINDS, POLICY
from audit.query_text import request_line
from fhir_profiles import r4
from tests.spec.audit.given import CONSENT, NOW_US, SOURCE, command, ids, interaction, item, made, refused, strings
from tests.spec.audit.test_balp import EXAMPLES

SEARCH = "/fhir/Patient?name=Dupont&birthdate=1931-07-19&_count=5"


def whats(resource: dict[str, Any], role: str = "4") -> list[str]:
    """What the entities in this role name."""
    return [one["what"]["reference"] for one in resource["entity"] if one.get("role", {}).get("code") == role]


def queries(resource: dict[str, Any]) -> list[str]:
    return [b64decode(one["query"]).decode() for one in resource["entity"] if "query" in one]


def policies(resource: dict[str, Any]) -> list[str]:
    return [policy.removeprefix(POLICY) for agent in resource["agent"] for policy in agent.get("policy", ())]


def details(resource: dict[str, Any]) -> list[tuple[str, str]]:
    return [(one["type"], one["valueString"]) for entity in resource["entity"] for one in entity.get("detail", ())]


def test_an_interaction_leaves_one_event_of_its_own_and_one_for_each_patient() -> None:
    """DESIGN 6: one record per patient concerned plus one for the interaction."""
    items = (item(), item("Observation/b", patient="Patient/y"), item("Observation/c"), item("Device/d", patient=None))
    assert [event.patient for event in made(interaction("search", items=items))] == [None, "Patient/x", "Patient/y"]


def test_the_interactions_own_event_names_every_resource_and_no_patient() -> None:
    """DESIGN 6: issue 2 asks for every resource returned; whose they are stands in the patients' own events."""
    items = (item(), item("Observation/b", patient="Patient/y"))
    own = made(interaction("search", items=items))[0].resource
    assert whats(own) == ["Observation/abc/_history/1", "Observation/b/_history/1"]
    assert not any("Patient/" in text for text in strings(own))


def test_a_patients_event_names_that_patient_and_nothing_of_another() -> None:
    """GDPR Art. 15, EHDS Art. 9: what a patient gets to read about oneself must not tell about others."""
    items = (item(), item("Observation/b", patient="Patient/y", basis="consent Consent/z/_history/1"))
    of_x, of_y = (event.resource for event in made(interaction("search", items=items))[1:])
    assert (whats(of_x, "1"), whats(of_x)) == (["Patient/x"], ["Observation/abc/_history/1"])
    assert not any(word in text for text in strings(of_x) for word in ("Patient/y", "Observation/b/", "Consent/z"))
    assert (whats(of_y, "1"), whats(of_y)) == (["Patient/y"], ["Observation/b/_history/1"])


def test_a_refused_attempt_names_the_patient_it_aimed_at() -> None:
    """DESIGN 6: refused attempts are recorded under the patient they aimed at."""
    own, of_patient = made(refused())
    assert (own.patient, of_patient.patient) == (None, "Patient/x")
    assert whats(of_patient.resource, "1") == ["Patient/x"]
    assert whats(of_patient.resource) == ["Observation/abc"]


@pytest.mark.parametrize("kind", ["read", "vread", "search", "create", "update", "ingest"])
def test_every_kind_of_refused_attempt_names_the_patient_it_aimed_at(kind: Kind) -> None:
    assert [event.patient for event in made(refused(kind))] == [None, "Patient/x"]


def test_an_attempt_that_aimed_at_nobody_is_recorded_all_the_same() -> None:
    """DESIGN law 2: nothing happens without a record."""
    assert [event.patient for event in made(refused(aimed=()))] == [None]


def test_a_search_that_found_nothing_of_a_patient_is_in_that_patients_events() -> None:
    """SECURITY 3.1, BALP PatientQuery: success may result in nothing."""
    of_patient = made(interaction("search", items=(), aimed=("Patient/x",)))[1].resource
    assert (of_patient["outcome"], whats(of_patient)) == ("0", [])


def test_a_patient_both_found_and_aimed_at_has_one_event() -> None:
    assert [event.patient for event in made(interaction(aimed=("Patient/x", "Patient/y")))] == [None, "Patient/x", "Patient/y"]


def test_a_resource_that_concerns_two_patients_is_named_once_in_the_interactions_own_event() -> None:
    """A Group, or a Device that two patients wear; BALP: one event for each patient, one data entity in a read."""
    own, *patients = made(interaction("read", items=(item("Device/d"), item("Device/d", patient="Patient/y"))))
    assert whats(own.resource) == ["Device/d/_history/1"]
    assert [whats(event.resource) for event in patients] == [["Device/d/_history/1"]] * 2


@pytest.mark.parametrize("kind", get_args(Kind))
def test_every_event_says_for_what_purpose_and_on_what_basis(kind: Kind) -> None:
    """GDPR Art. 5(1)(a): every record has a non-empty basis; SECURITY 5.1: legal basis and purpose on every audit record."""
    for event in made(EXAMPLES[kind]):
        requestor = next(agent for agent in event.resource["agent"] if agent["requestor"])
        assert event.resource["purposeOfEvent"][0]["coding"][0]["code"]
        assert requestor["purposeOfUse"][0]["coding"][0]["code"] == event.resource["purposeOfEvent"][0]["coding"][0]["code"]
        assert all(policies(event.resource))
        assert policies(event.resource)


@pytest.mark.parametrize(
    ("basis", "policy", "consents"),
    [(CONSENT, "consent", ["Consent/y/_history/2"]), ("policy opt-out", "opt-out", []), ("scope", "scope", [])],
)
def test_a_patients_event_says_which_decision_allowed_it(basis: str, policy: str, consents: list[str]) -> None:
    """Issue 2: the audit record says which of the two decided; SECURITY 3.5: which accesses relied on consent version V."""
    own, of_patient = made(interaction(items=(item(basis=basis),)))
    assert policies(own.resource) == policies(of_patient.resource) == [policy]
    assert (whats(own.resource, "13"), whats(of_patient.resource, "13")) == ([], consents)


def test_where_several_decisions_allowed_it_each_resource_says_which() -> None:
    items = (item(), item("Observation/b", basis="policy opt-out"))
    of_patient = made(interaction("search", items=items))[1].resource
    assert details(of_patient) == [("basis", CONSENT), ("basis", "policy opt-out")]
    assert policies(of_patient) == ["consent", "opt-out"]


def test_what_was_refused_says_so_as_its_basis() -> None:
    assert [policies(event.resource) for event in made(refused())] == [["refused"], ["refused"]]


def test_nothing_is_recorded_as_allowed_without_saying_why() -> None:
    """STYLE rule 7: silence means no."""
    with pytest.raises(ValueError, match="basis"):
        made(interaction(items=(item(basis=""),)))


def test_category_and_origin_are_told_to_the_patient_only() -> None:
    """EHDS annex II 3.2 (c) categories of data and (e) origins."""
    own, of_patient = made(interaction(items=(item(category="vital-signs", origin="withings"),)))
    assert details(of_patient.resource) == [("category", "vital-signs"), ("origin", "withings")]
    assert details(own.resource) == []


def test_the_query_stands_in_full_in_the_patients_event_and_without_values_in_the_other() -> None:
    """SECURITY 3.4 point 7: names and identifiers of a patient are sealed under that patient's key, to vanish with it."""
    own, of_patient = made(interaction("search", query=SEARCH, items=(item("Patient/x"),)))
    assert queries(of_patient.resource) == [f"GET {SEARCH}"]
    assert queries(own.resource) == ["GET /fhir/Patient?name=&birthdate=&_count="]


def test_a_query_that_concerned_nobody_is_kept_in_full() -> None:
    """BALP Query: the raw request is kept, malicious patterns included."""
    assert queries(made(interaction("search", query=SEARCH, items=()))[0].resource) == [f"GET {SEARCH}"]


@pytest.mark.parametrize("kind", ["token-issued", "token-refused"])
@pytest.mark.parametrize("secret", ["client_assertion", "client_secret", "code_verifier", "refresh_token"])
def test_secrets_of_a_token_request_are_not_kept(kind: Kind, secret: str) -> None:
    """BALP IHE.IUA.71: the request without the code_verifier; RFC 6749, 7521: no other key to a door either."""
    query = f"/oauth/token?grant_type=client_credentials&{secret}=SeCrEt&scope=system/*.rs"
    resource = made(interaction(kind, items=(), method="POST", query=query))[0].resource
    assert queries(resource) == [f"POST /oauth/token?grant_type=client_credentials&{secret}=&scope=system/*.rs"]


@given(st.text(), st.booleans(), st.booleans())
def test_whatever_is_asked_can_be_written_down(query: str, values: bool, secrets: bool) -> None:
    """A request that breaks the log would be answered without a record, or not at all."""
    assert request_line("GET", query, secrets=secrets, values=values)


@given(st.lists(st.tuples(st.from_regex(r"[a-z_:-]{1,8}", fullmatch=True), st.from_regex(r"CANARY[0-9]{1,4}", fullmatch=True)), max_size=5))
def test_without_values_no_value_is_left(parameters: list[tuple[str, str]]) -> None:
    query = "/fhir/Patient?" + "&".join(f"{name}={value}" for name, value in parameters)
    assert "CANARY" not in b64decode(request_line("GET", query, secrets=False, values=False)).decode()


def test_half_a_surrogate_pair_in_a_query_is_recorded() -> None:
    assert request_line("GET", "/fhir/Patient?name=\ud800", secrets=False, values=True)


def test_an_event_says_when_to_the_microsecond_in_utc() -> None:
    """https://hl7.org/fhir/R4/datatypes.html#instant; the record and its event name the same moment."""
    resource = made(interaction())[0].resource
    assert resource["recorded"] == resource["meta"]["lastUpdated"] == "2026-11-22T12:00:00.123456Z"


@given(st.integers(min_value=0, max_value=4_102_444_800_000_000))
def test_every_moment_is_written_in_the_order_of_time(us: int) -> None:
    assert len(instant(us)) == len("2026-11-22T12:00:00.123456Z")
    assert instant(us) < instant(us + 1)


def test_all_events_of_an_interaction_bear_its_request_id() -> None:
    """BALP 3:5.7.3.1: X-Request-Id."""
    found = [event.resource["entity"][-1]["what"]["identifier"]["value"] for event in made(interaction())]
    assert found == ["request-1", "request-1"]


def test_each_event_has_an_id_of_its_own() -> None:
    assert [event.id for event in made(interaction())] == [event.resource["id"] for event in made(interaction())] == ["id-1", "id-2"]


def test_a_large_answer_is_told_in_several_events_and_nothing_is_left_out() -> None:
    """STYLE rule 8: a named limit; a batch of readings has thousands."""
    items = tuple(item(f"Observation/{number}") for number in range(2 * ITEMS_MAX + 1))
    found = made(interaction("ingest", items=items))
    assert [event.patient for event in found] == [None] * 3 + ["Patient/x"] * 3
    for half in (found[:3], found[3:]):
        assert max(len(whats(event.resource)) for event in half) == ITEMS_MAX
        assert [one for event in half for one in whats(event.resource)] == [f"{one.reference}/_history/1" for one in items]


def test_a_person_at_the_command_line_is_named_with_the_reason_given() -> None:
    """DESIGN 4: audited under the operating-system user and the reason; HDS v2: traces of accesses and their reasons."""
    resource = made(command("audit-query"))[0].resource
    requestor = next(agent for agent in resource["agent"] if agent["requestor"])
    assert requestor["altId"] == "opérateur"
    assert resource["purposeOfEvent"][0]["text"] == "ticket 12"


def test_looking_into_the_log_of_a_patient_is_in_that_patients_events() -> None:
    """SECURITY 3.4 point 6: audit queries themselves are recorded the same way."""
    assert [event.patient for event in made(command("audit-query", aimed=("Patient/x",)))] == [None, "Patient/x"]


def test_a_refused_type_is_named_although_it_is_no_resource() -> None:
    resource = made(refused("create", target="Observation", aimed=()))[0].resource
    assert resource["entity"][0]["what"] == {"type": "Observation", "display": "Observation"}


@pytest.mark.parametrize("target", ["Observation/_search", "Observation/" + "a" * 65, "rm -rf/x", "Observation/é"])
def test_a_target_that_is_no_resource_is_recorded_as_text(target: str) -> None:
    """A path may hold anything; what is recorded must still be an AuditEvent."""
    event = made(refused(target=target, aimed=()))[0]
    assert event.resource["entity"][0]["what"] == {"display": target}
    assert r4.check(orjson.loads(orjson.dumps(event.resource))) == ()


def test_an_item_has_no_place_for_the_content_of_a_resource() -> None:
    """GDPR Art. 5(1)(c): audit without payload."""
    assert set(Item._fields) == {"reference", "version", "patient", "basis", "category", "origin"}


@pytest.mark.parametrize("kind", get_args(Kind))
def test_an_event_says_nothing_but_codes_of_its_kind_and_what_it_was_told(kind: Kind) -> None:
    """SECURITY 5.1: canary scan; no text in an event comes from anywhere but the interaction, the hub's name and vocabularies."""
    told = set(strings([[getattr(EXAMPLES[kind], field.name) for field in fields(Interaction)], SOURCE.address, SOURCE.site]))
    told |= {
        text for one in EXAMPLES[kind].items for text in (one.reference, one.patient or "", one.basis, one.category or "", one.origin or "")
    }
    told |= {instant(EXAMPLES[kind].recorded_us), *list(strings([KINDS[kind].purpose, KINDS[kind].action])), "id-1", "id-2", "id-3", "id-4"}
    for event in made(EXAMPLES[kind]):
        for text in strings(without_vocabulary(event.resource)):
            assert any(text in known or (known and known in text) for known in told), text


def without_vocabulary(value: Any) -> Any:
    """The JSON without codings, profiles, policies and queries, which have tests of their own."""
    if isinstance(value, dict):
        skipped = {"coding", "profile", "policy", "query", "subtype", "extension", "role", "resourceType", "versionId", "observer"}
        return {
            name: without_vocabulary(one)
            for name, one in value.items()
            if name not in skipped and not (name == "type" and value is not None)
        }
    return [without_vocabulary(one) for one in value] if isinstance(value, list | tuple) else value


def test_events_of_one_interaction_do_not_change_each_other() -> None:
    """Parts are shared between events for speed; building the next one must leave the former as it was."""
    first = made(interaction())
    before = repr([event.resource for event in first])
    made(interaction("search", items=(item(basis="policy opt-out"),)))
    made(interaction(reason="ticket", recorded_us=NOW_US + 1))
    assert repr([event.resource for event in first]) == before


def test_ids_are_taken_one_for_each_event() -> None:
    source = ids()
    events(interaction(), source, SOURCE)
    assert next(source) == "id-3"


@pytest.mark.parametrize("parameter", ["access_token=CANARY", "access%5Ftoken=CANARY", "Client_Secret=CANARY", "refresh_token=CANARY"])
def test_a_credential_in_any_url_is_kept_by_no_record(parameter: str) -> None:
    """OWASP ASVS 5.0 16.2.5, 14.2.1: who may read the log must not act as others by it; the request is refused, its token may be good."""
    line = b64decode(request_line("GET", f"/fhir/Observation?{parameter}&code=8867-4", secrets=False, values=True)).decode()
    assert "CANARY" not in line
    assert line.endswith("&code=8867-4")


def test_a_name_that_is_written_another_way_is_the_same_secret() -> None:
    """RFC 3986 section 2.3: the endpoint reads the name decoded, so the record has to."""
    query = "/oauth/token?c%6Fde=CANARY&reques%74=CANARY&next=%2F%3Frequest%3DCANARY"
    line = b64decode(request_line("POST", query, secrets=True, values=True)).decode()
    assert line == "POST /oauth/token?c%6Fde=&reques%74=&next="
