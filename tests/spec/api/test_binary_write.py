"""A Binary sent as its bytes. https://hl7.org/fhir/R4/binary.html#rest; RFC 9110 8.3, 15.5.16; laws 1 to 3 and 5."""

import base64
import gzip
from collections.abc import Callable
from typing import Any

import httpx
import pytest

from fhir_profiles.xml import to_xml
from tests.spec.api.test_binary_read import CURVE, FHIR_XML, PDF, binary
from tests.support.backstage import Backstage
from tests.support.caller import FHIR_JSON, Caller
from tests.support.outcomes import refused
from tests.support.resources import ABSENT, consent, observation, organization, patient

Json = dict[str, Any]

CONTEXT = "X-Security-Context"
LABEL = {"system": "http://terminology.hl7.org/CodeSystem/v3-Confidentiality", "code": "R"}


@pytest.fixture(scope="module")
def person(ehr: Caller) -> str:
    return f"Patient/{ehr.create(patient())['id']}"


def send(caller: Caller, body: bytes, context: str | None, content_type: str = PDF, path: str = "Binary", **headers: str) -> httpx.Response:
    sent = {"Content-Type": content_type, **({} if context is None else {CONTEXT: context})}
    method = "PUT" if path != "Binary" else "POST"
    return caller.request(
        method, path, content=body, headers={**sent, **{name.replace("_", "-"): value for name, value in headers.items()}}
    )


def read(caller: Caller, id: str) -> tuple[str, bytes]:
    answer = caller.get(f"Binary/{id}", headers={"Accept": "*/*"})
    assert answer.status_code == 200, answer.text
    return answer.headers["content-type"], answer.content


@pytest.mark.parametrize(
    "content_type", [PDF, "image/svg+xml", "text/plain; charset=utf-8", 'multipart/mixed; boundary="a b"', "application/octet-stream"]
)
def test_bytes_become_a_binary(ehr: Caller, person: str, content_type: str) -> None:
    """binary.html: accepted as they are, and treated as the content of a Binary; http.html#create: 201 and where it is."""
    answer = send(ehr, CURVE, person, content_type)
    assert answer.status_code == 201, answer.text
    made = answer.json()
    assert {name: made[name] for name in made if name not in ("id", "meta")} == binary(person, content_type=content_type)
    assert answer.headers["location"] == f"{ehr.base}/Binary/{made['id']}/_history/1"
    assert read(ehr, made["id"]) == (content_type, CURVE)


@pytest.mark.parametrize("body", [b"", bytes(range(256)), b"\xff" * 1_000_001], ids=["none", "each", "many"])
def test_every_byte_comes_back(ehr: Caller, person: str, body: bytes) -> None:
    """Law 5."""
    made = send(ehr, body, person, Prefer="return=minimal")
    assert (made.status_code, made.content) == (201, b"")
    assert read(ehr, made.headers["location"].split("/")[-3]) == (PDF, body)


@pytest.mark.parametrize(
    ("content_type", "body"),
    [
        (FHIR_JSON, b'{"resourceType": "Bundle", "type": "document"}'),
        (FHIR_XML, to_xml(organization())),
        ("application/json", b"[1, 2.50]"),
        ("text/xml", b"<curve/>"),
        (FHIR_JSON, b"no JSON at all"),
    ],
    ids=["a document", "FHIR in XML", "JSON", "XML", "neither"],
)
def test_what_calls_itself_fhir_and_is_no_binary_is_content(ehr: Caller, person: str, content_type: str, body: bytes) -> None:
    """binary.html: including when the content type is a FHIR one, except where the content actually is a Binary."""
    answer = send(ehr, body, person, content_type)
    assert answer.status_code == 201, answer.text
    assert read(ehr, answer.json()["id"]) == (content_type, body)


@pytest.mark.parametrize("content_type", [FHIR_JSON, "application/json", FHIR_XML])
def test_a_binary_is_taken_as_the_resource_that_it_is(ehr: Caller, person: str, content_type: str) -> None:
    """binary.html, the special case; the header may say again, or first, whose it is."""
    for sent in (binary(person), {name: value for name, value in binary(person).items() if name != "securityContext"}):
        body = to_xml(sent) if content_type == FHIR_XML else str(sent).replace("'", '"').encode()
        answer = send(ehr, body, person, content_type)
        assert answer.status_code == 201, answer.text
        assert answer.json()["securityContext"] == {"reference": person}
        assert read(ehr, answer.json()["id"]) == (PDF, CURVE)


def test_two_owners_are_refused(ehr: Caller, person: str) -> None:
    """Law 1: whose data it is must be clear."""
    answer = ehr.post("Binary", binary(f"Patient/{ABSENT}"), headers={CONTEXT: person})
    refused(answer, 400, "invalid", expression=f"http.{CONTEXT}")


def test_without_a_header_a_fhir_body_has_to_be_a_binary(ehr: Caller) -> None:
    """A resource that is wrong is told what is wrong with it: bytes of nobody's could not be stored anyhow."""
    refused(ehr.post("Binary", organization()), 400, "structure")
    refused(ehr.post("Binary", b"{"), 400, "structure")


def test_bytes_of_nobody_are_refused_and_told_what_to_send(ehr: Caller) -> None:
    """Law 1: no data without a decision, and nobody could be asked for one."""
    found = refused(send(ehr, CURVE, None), 422, "business-rule")
    assert CONTEXT in found[0]["diagnostics"]


@pytest.mark.parametrize(
    ("headers", "expression"),
    [
        ({"Content-Type": ""}, "http.Content-Type"),
        ({"Content-Type": "pdf"}, "http.Content-Type"),
        ({"Content-Type": "text/html, text/plain"}, "http.Content-Type"),
        ({"Content-Type": "a/" + "b;" * 3_000}, "http.Content-Type"),
        ({"Content-Encoding": "br"}, "http.Content-Encoding"),
    ],
    ids=str,
)
def test_bytes_that_nobody_could_read_are_refused(ehr: Caller, person: str, headers: dict[str, str], expression: str) -> None:
    """RFC 9110 15.5.16: 415, with the header that it is about."""
    sent = {"Content-Type": PDF, CONTEXT: person, **headers}
    refused(ehr.request("POST", "Binary", content=CURVE, headers=sent), 415, "not-supported", expression=expression)


@pytest.mark.parametrize(
    "context", ["", "nonsense", "Patient", "Patient?identifier=a", "#x", "https://elsewhere.example/Patient/1", "Été/1"]
)
def test_whose_they_are_has_to_be_a_patient_of_this_hub(ehr: Caller, context: str) -> None:
    """Law 1; nothing of what was sent is repeated."""
    answer = ehr.request("POST", "Binary", content=CURVE, headers={"Content-Type": PDF, CONTEXT: context.encode()})
    assert answer.status_code in (400, 422), answer.text
    assert not context or context not in answer.text


def test_bytes_that_were_packed_on_the_way_are_stored_unpacked(ehr: Caller, person: str) -> None:
    """RFC 9110 8.4: a coding belongs to the transfer and not to the content."""
    answer = send(ehr, gzip.compress(CURVE), person, Content_Encoding="gzip")
    assert read(ehr, answer.json()["id"]) == (PDF, CURVE)
    kept = send(ehr, gzip.compress(CURVE), person, "application/gzip")
    assert gzip.decompress(read(ehr, kept.json()["id"])[1]) == CURVE


def test_bytes_that_are_too_many_are_refused(ehr: Caller, person: str) -> None:
    """FHIR.md 4b.11: limits have their own OperationOutcome."""
    refused(send(ehr, b"\x00" * 4_000_001, person), 413, "too-long")


def test_as_many_bytes_as_a_body_may_have_are_stored(ehr: Caller, person: str) -> None:
    answer = send(ehr, b"\x00" * 4_000_000, person, Prefer="return=minimal")
    assert answer.status_code == 201, answer.text


def test_an_update_by_bytes_is_a_new_version_and_leaves_the_rest(ehr: Caller, person: str) -> None:
    """http.html#update; what bytes cannot say stays as it was: a label above all, on which it depends who may see them."""
    made = send(ehr, b"draft", person).json()
    told = {"resourceType": "Parameters", "parameter": [{"name": "meta", "valueMeta": {"security": [LABEL]}}]}
    assert ehr.post(f"Binary/{made['id']}/$meta-add", told).status_code == 200
    for version, context in enumerate((None, person), start=3):
        answer = send(ehr, CURVE + bytes([version]), context, "image/png", f"Binary/{made['id']}")
        assert (answer.status_code, answer.headers["etag"]) == (200, f'W/"{version}"'), answer.text
        stored = answer.json()
        assert (stored["securityContext"], stored["meta"]["security"]) == ({"reference": person}, [LABEL])
        assert read(ehr, made["id"]) == ("image/png", CURVE + bytes([version]))
    assert send(ehr, CURVE + bytes([4]), None, "image/png", f"Binary/{made['id']}").headers["etag"] == 'W/"4"'
    emptied = send(ehr, b"", None, "image/png", f"Binary/{made['id']}").json()
    assert "data" not in emptied


def test_an_update_by_bytes_is_bound_to_a_version_as_any_other(ehr: Caller, person: str) -> None:
    """http.html#concurrency."""
    made = send(ehr, b"1", person).json()
    path = f"Binary/{made['id']}"
    refused(send(ehr, b"2", None, path=path, If_Match='W/"2"'), 412, "conflict")
    assert send(ehr, b"2", None, path=path, If_Match='W/"1"').status_code == 200


def test_bytes_do_not_move_to_somebody_else(ehr: Caller, person: str) -> None:
    """Law 1: those whom it concerned stay concerned."""
    reading = ehr.create(observation(person.partition("/")[2]))
    made = send(ehr, b"1", f"Observation/{reading['id']}").json()
    elsewhere = f"Patient/{ehr.create(patient())['id']}"
    answer = send(ehr, b"2", elsewhere, path=f"Binary/{made['id']}")
    told = ehr.put(f"Binary/{made['id']}", {**binary(elsewhere, b"2"), "id": made["id"]})
    assert answer.status_code == told.status_code


def test_an_update_brings_back_what_was_deleted(ehr: Caller, person: str) -> None:
    """http.html#delete: its versions go on, and it is still the same person's."""
    made = send(ehr, b"1", person).json()
    ehr.request("DELETE", f"Binary/{made['id']}")
    answer = send(ehr, b"3", None, path=f"Binary/{made['id']}")
    assert (answer.status_code, answer.headers["etag"]) == (201, 'W/"3"')
    assert read(ehr, made["id"]) == (PDF, b"3")


def test_bytes_are_written_on_condition(ehr: Caller, person: str) -> None:
    """http.html#ccreate, #cond-update."""
    tag = f"urn:bytes|{person.partition('/')[2]}"
    label = {"meta": {"tag": [{"system": "urn:bytes", "code": person.partition("/")[2]}]}}
    first = ehr.post("Binary", {**binary(person, b"1"), **label})
    again = send(ehr, b"2", person, If_None_Exist=f"_tag={tag}")
    assert (again.status_code, again.json()["id"]) == (200, first.json()["id"])
    changed = send(ehr, b"3", None, path=f"Binary?_tag={tag}")
    assert (changed.status_code, changed.json()["id"], changed.headers["etag"]) == (200, first.json()["id"], 'W/"2"')
    assert changed.json()["meta"]["tag"] == label["meta"]["tag"]
    assert send(ehr, b"4", person, path=f"Binary?_tag={tag}x").status_code == 201
    refused(send(ehr, b"4", None, path=f"Binary?_tag={tag}y"), 422, "business-rule")


def test_an_importer_brings_bytes_under_its_own_id(importer: Caller, ehr: Caller) -> None:
    """http.html#upsert; for everybody else an unknown id is 404."""
    owner = f"Patient/{importer.create(patient())['id']}"
    made = send(importer, CURVE, owner, path="Binary/brought-1")
    assert (made.status_code, read(importer, "brought-1")) == (201, (PDF, CURVE))
    refused(send(ehr, CURVE, owner, path="Binary/brought-2"), 404, "not-found")


@pytest.mark.parametrize("named", ["Patient/{id}", "Observation/{reading}"])
def test_a_hidden_owner_is_answered_as_an_absent_one(ehr: Caller, stranger: Caller, named: str) -> None:
    """Law 1, law 3."""
    owner = ehr.create(patient())["id"]
    reading = ehr.create(observation(owner))["id"]
    hidden, absent = (named.format(id=one, reading=other) for one, other in ((owner, reading), (ABSENT, ABSENT)))
    answers = [send(stranger, CURVE, context) for context in (hidden, absent)]
    assert answers[0].content == answers[1].content
    refused(answers[0], 422, "business-rule")
    assert answers[0].json()["issue"][0]["expression"][0].startswith("Binary.securityContext")
    ehr.create(consent(owner))
    assert send(stranger, CURVE, hidden).status_code == 201


def test_a_hidden_binary_is_overwritten_as_an_absent_one(ehr: Caller, stranger: Caller, person: str) -> None:
    """Law 3."""
    made = send(ehr, CURVE, person).json()
    answers = [send(stranger, b"x", person, path=f"Binary/{id}") for id in (made["id"], ABSENT)]
    assert answers[0].content == answers[1].content
    refused(answers[0], 404, "not-found")
    assert read(ehr, made["id"]) == (PDF, CURVE)


def test_bytes_are_recorded_with_what_they_became(ehr: Caller, person: str, backstage: Backstage) -> None:
    """Law 2: create and update, under whose they are."""
    made = send(ehr, b"1", person)
    changed = send(ehr, b"2", None, path=f"Binary/{made.json()['id']}")
    token = backstage.patient_token(person.partition("/")[2])
    for answer, kind in ((made, "create"), (changed, "update")):
        found = backstage.records(answer.headers["x-request-id"])
        assert [(one.kind, one.outcome, one.patient) for one in found] == [(kind, "0", None), (kind, "0", token)]


def test_bytes_have_a_provenance_beside_them(ehr: Caller, person: str) -> None:
    """https://hl7.org/fhir/R4/provenance.html#header"""
    told = '{"resourceType": "Provenance", "recorded": "2026-05-01T10:00:00Z", "agent": [{"who": {"display": "Atelier"}}]}'
    made = send(ehr, CURVE, person, X_Provenance=told).json()
    assert len(ehr.found(f"Provenance?target=Binary/{made['id']}")) == 1


def test_the_scope_that_is_asked_is_that_of_a_binary(ehr: Caller, person: str, another: Callable[..., Caller]) -> None:
    """SMART 2.2: c to create, u to update."""
    refused(send(ehr.narrowed("system/Binary.ru"), CURVE, person), 403, "forbidden")
    assert send(ehr.narrowed("system/Binary.c"), CURVE, person).status_code == 201


def test_what_is_sent_as_bytes_is_the_base64_of_a_resource(ehr: Caller, person: str) -> None:
    made = send(ehr, CURVE, person).json()
    assert ehr.get(f"Binary/{made['id']}", headers={"Accept": FHIR_JSON}).json()["data"] == base64.b64encode(CURVE).decode()


def test_other_types_take_no_bytes(ehr: Caller, person: str) -> None:
    """http.html#mime-type: 415."""
    sent = {"Content-Type": PDF, CONTEXT: person}
    refused(ehr.request("POST", "Media", content=CURVE, headers=sent), 415, "not-supported", expression="http.Content-Type")
