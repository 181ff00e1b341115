"""A recording that is too long for a strip: an Observation to find it by, a DocumentReference, and a Binary that holds it.

docs/adr/0014-recordings.md; https://hl7.org/fhir/R4/documentreference.html; https://hl7.org/fhir/R4/binary.html#rest; laws 1 to 5.
"""

import base64
import hashlib
from collections.abc import Callable
from typing import Any

import httpx
import pytest

from hub.repository.content import CONTENT_PIECE_BYTES
from tests.support.backstage import Backstage
from tests.support.caller import Caller
from tests.support.edf import File, Signal
from tests.support.payloads import identifier_system
from tests.support.resources import ABSENT, consent, patient

Json = dict[str, Any]
PARIS = {"timeZone": "Europe/Paris"}
SECONDS, RATE = 600, 300
"""360,000 bytes a signal: more than one piece."""
SENSITIVE = b"Ada_Lovelace"


@pytest.fixture
def person(ehr: Caller) -> str:
    return str(ehr.create(patient())["id"])


@pytest.fixture
def unit(backstage: Backstage, person: str) -> str:
    identifier = f"eeg-{person}"
    backstage.pair(identifier_system("edf"), identifier, f"Patient/{person}", from_us=0)
    return identifier


def recording(first: int = 0) -> bytes:
    samples = [[(first + second * 7 + place * 31) % 4001 - 2000 for place in range(RATE)] for second in range(SECONDS)]
    return bytes(File(signals=[Signal(label="EEG Fpz-Cz", records=samples), Signal(label="Mystery", unit="", records=[[1]] * SECONDS)]))


def sent(caller: Caller, unit: str, payload: bytes, **query: str) -> Json:
    (fate,) = caller.fates("edf", payload, device=unit, **(query or PARIS))
    return fate


def parts(caller: Caller, fate: Json) -> tuple[Json, Json, str]:
    """Observation, DocumentReference, and where the content is."""
    observation = caller.get(fate["resource"]).json()
    document = caller.get(observation["derivedFrom"][0]["reference"]).json()
    return observation, document, document["content"][0]["attachment"]["url"]


def content(caller: Caller, url: str) -> bytes:
    answer = caller.get(url, headers={"Accept": "application/edf"})
    assert answer.status_code == 200, answer.text
    return answer.content


def as_resource(caller: Caller, url: str) -> Json:
    made: Json = caller.get(url, headers={"Accept": "application/fhir+json"}).json()
    return made


def test_a_recording_is_corrected_as_a_whole(ehr: Caller, unit: str) -> None:
    """DESIGN 7: where the source says no time of change the larger hash is current. One and the same for all parts: the document speaks of
    the bytes that lie there, whichever of two won."""
    for number in range(8):
        fate = sent(ehr, unit, recording(1_000 + number))
        assert fate["fate"] == ("corrected" if number else "stored")
        _, document, url = parts(ehr, fate)
        attachment, bytes_there = document["content"][0]["attachment"], content(ehr, url)
        assert attachment["hash"] == base64.b64encode(hashlib.sha1(bytes_there, usedforsecurity=False).digest()).decode()
        assert attachment["size"] == len(bytes_there)


def test_a_recording_is_found_by_an_observation_that_says_what_it_holds(ehr: Caller, person: str, unit: str) -> None:
    """The channels' scaling is SampledData without data: 0.1 uV a step, 300 a second; the samples lie in the document."""
    fate = sent(ehr, unit, recording())
    assert fate["fate"] == "stored"
    observation, document, _ = parts(ehr, fate)
    assert observation["effectivePeriod"] == {"start": "2024-03-02T23:15:30+01:00", "end": "2024-03-02T23:25:30+01:00"}
    known, unknown = observation["component"]
    assert known["code"]["coding"][0]["code"] == "153900"
    assert known["code"]["text"] == "EEG Fpz-Cz"
    assert known["valueSampledData"]["origin"] == {"value": 0, "system": "http://unitsofmeasure.org", "code": "uV"}
    assert known["valueSampledData"]["factor"] == 0.1
    assert unknown["dataAbsentReason"]["coding"][0]["code"] == "unsupported"
    assert document["subject"] == observation["subject"] == {"reference": f"Patient/{person}"}
    assert document["context"]["period"] == observation["effectivePeriod"]
    assert document["context"]["related"] == [observation["device"]]


def test_what_is_kept_is_what_was_sent_but_for_who_it_was(ehr: Caller, unit: str) -> None:
    """Streamed piece by piece; size and SHA-1 are those of the attachment (R4 Attachment)."""
    payload = recording()
    _, document, url = parts(ehr, sent(ehr, unit, payload))
    kept, attachment = content(ehr, url), document["content"][0]["attachment"]
    assert kept[768:] == payload[768:]
    assert SENSITIVE in payload
    assert SENSITIVE not in kept
    assert len(kept) > CONTENT_PIECE_BYTES
    assert (attachment["size"], attachment["contentType"]) == (len(kept), "application/edf")
    assert base64.b64decode(attachment["hash"]) == hashlib.sha1(kept, usedforsecurity=False).digest()


@pytest.mark.parametrize("type", ["Observation", "DocumentReference", "Binary"])
def test_each_of_the_three_is_what_r4_allows(ehr: Caller, unit: str, type: str) -> None:
    observation, document, url = parts(ehr, sent(ehr, unit, recording()))
    made = {"Observation": observation, "DocumentReference": document}.get(type) or as_resource(ehr, url)
    assert made["resourceType"] == type
    found = ehr.post(f"{type}/$validate", made).json()["issue"]
    assert {one["severity"] for one in found} <= {"information", "warning"}, found


def test_the_document_is_found_by_its_patient_and_its_type(ehr: Caller, person: str, unit: str) -> None:
    _, document, _ = parts(ehr, sent(ehr, unit, recording()))
    assert ehr.found(f"DocumentReference?patient={person}&type=signal-recording") == [document["id"]]


def test_the_same_recording_again_is_a_duplicate_and_another_of_the_same_time_a_new_version(ehr: Caller, unit: str) -> None:
    """DESIGN 7: same key and value, same key and other value. The older version still has its own bytes."""
    first, second = recording(), recording(1)
    stored = sent(ehr, unit, first)
    assert sent(ehr, unit, first) == {**stored, "fate": "duplicate"}
    assert sent(ehr, unit, second)["fate"] == "corrected"
    _, _, url = parts(ehr, stored)
    versions = {content(ehr, f"{url}/_history/{version}")[768:] for version in (1, 2)}
    assert versions == {first[768:], second[768:]}


def test_who_may_not_see_the_patient_sees_none_of_the_three(ehr: Caller, stranger: Caller, unit: str) -> None:
    """Law 3: hidden is absent, for the bytes as for the rest."""
    fate = sent(ehr, unit, recording())
    observation, _, url = parts(ehr, fate)
    for where in (fate["resource"], observation["derivedFrom"][0]["reference"], url):
        answer, nowhere = (stranger.get(one, headers={"Accept": "*/*"}) for one in (where, f"{where.partition('/')[0]}/{ABSENT}"))
        assert (answer.status_code, answer.json()) == (nowhere.status_code, nowhere.json())
        assert answer.status_code == 404


def test_reading_the_bytes_is_recorded_under_the_patient(ehr: Caller, backstage: Backstage, person: str, unit: str) -> None:
    """Law 2."""
    _, _, url = parts(ehr, sent(ehr, unit, recording()))
    records = backstage.recorded_by(lambda: content(ehr, url))
    assert backstage.patient_token(person) in {record.patient for record in records}


def test_a_tag_that_somebody_writes_leads_to_no_other_ones_bytes(ehr: Caller, unit: str) -> None:
    """Pieces are bound to the Binary whose they are."""
    _, document, url = parts(ehr, sent(ehr, unit, recording()))
    made = as_resource(ehr, url)
    forged = {key: made[key] for key in ("resourceType", "contentType", "securityContext")} | {"meta": {"tag": made["meta"]["tag"]}}
    answer = ehr.get(f"Binary/{ehr.create(forged)['id']}", headers={"Accept": "application/edf"})
    assert answer.status_code == 404
    assert document["content"][0]["attachment"]["url"] == url


def test_who_may_not_create_documents_is_told_which_scope_is_missing(
    ehr: Caller, another: Callable[..., Caller], backstage: Backstage, unit: str
) -> None:
    """Nothing is half there: without the document there is no Observation either."""
    sender = another("system/Observation.c", organization=ehr.account.organization, consent_default="opt-out")
    fate = sent(sender, unit, recording())
    assert (fate["fate"], fate["code"]) == ("quarantined", "scope-missing")
    assert "DocumentReference" in fate["hint"]


def test_a_consent_withdrawn_in_the_middle_ends_the_answer(ehr: Caller, stranger: Caller, person: str, unit: str) -> None:
    """DESIGN 6: decided anew for every chunk. Fourteen megabytes, more than lies ready between the hub and a reader who does not read."""
    block = bytes(range(256)) * 91
    payload = bytes(File(signals=[Signal(label="EEG Cz", records=[block] * SECONDS)]))
    permit = ehr.create(consent(person))
    _, _, url = parts(ehr, sent(ehr, unit, payload))
    got: list[int] = []
    with pytest.raises(httpx.RemoteProtocolError):
        read_while(stranger, url, got, lambda: ehr.update({**permit, "status": "inactive"}))
    assert 0 < sum(got) < len(payload) - CONTENT_PIECE_BYTES


def read_while(caller: Caller, url: str, got: list[int], act: Callable[[], object]) -> None:
    """Read to the end; `act` once the first bytes are there."""
    headers = {"Authorization": f"Bearer {caller.token}", "Accept": "application/edf"}
    with caller.http.stream("GET", f"{caller.base}/{url}", headers=headers) as answer:
        for piece in answer.iter_raw():
            if not got:
                act()
            got.append(len(piece))
