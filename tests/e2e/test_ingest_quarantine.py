"""What waits and why; that it says nothing about whom it concerns; and that it is taken up again when the cause is mended.

DESIGN 7: unknown device, doubtful unit, unproven time zone go to quarantine, visible and replayable. A reading of a patient
who has not consented has the fate, code and text of one from an unpaired device (law 3; SECURITY 2.4, 55).
"""

import gzip
import json
import zlib
from collections.abc import Callable
from typing import Any

import pytest

from tests.support.backstage import Backstage
from tests.support.caller import Caller
from tests.support.fixtures import Running
from tests.support.outcomes import refused
from tests.support.payloads import (
    UNKNOWN,
    WEIGHT,
    frame,
    gatt,
    group,
    identifier_system,
    libreview,
    weight,
    withings,
)
from tests.support.resources import ABSENT, HEART_RATE, LOINC, action, consent, patient, purpose

Json = dict[str, Any]
INGEST_BYTES_MAX = 16_000_000
"""HUB_MAX_INGEST_BYTES, its default."""


@pytest.fixture
def person(ehr: Caller) -> str:
    id: str = ehr.create(patient())["id"]
    return id


def paired(backstage: Backstage, adapter: str, person: str, unit: str, **period: int) -> str:
    backstage.pair(identifier_system(adapter), unit, f"Patient/{person}", **({"from_us": 0} | period))
    return unit


def waiting(caller: Caller) -> dict[str, Json]:
    """What of this client's waits, by id."""
    return {one["id"]: one for one in caller.get("/quarantine?_count=1000").json()}


DOUBTS: dict[str, tuple[str, str, bytes, dict[str, str]]] = {
    "device-not-paired": ("withings", "device-not-paired", weight(70_000), {"device": "nobody-knows-this-unit"}),
    "device-missing": ("withings", "device-missing", weight(70_000), {}),
    "unknown-measure": ("withings", "unknown-measure", withings(group(1, (UNKNOWN, -1_000, -3))), {"device": "{unit}"}),
    "implausible-value": ("withings", "implausible-value", weight(5_000_000), {"device": "{unit}"}),
    "time-in-future": ("withings", "time-in-future", weight(70_000, date=4_000_000_000), {"device": "{unit}"}),
    "time-zone-missing": ("libreview", "time-zone-missing", libreview("{unit}", ("25-01-2026 08:15", "0", "104")), {}),
    "time-zone-unknown": (
        "libreview",
        "time-zone-unknown",
        libreview("{unit}", ("25-01-2026 08:15", "0", "104")),
        {"timeZone": "Europe/Nowhere"},
    ),
    "posix zone": ("libreview", "time-zone-unknown", libreview("{unit}", ("25-01-2026 08:15", "0", "104")), {"timeZone": "Etc/GMT+5"}),
    "repeated hour": ("libreview", "time-ambiguous", libreview("{unit}", ("26-10-2025 02:30", "0", "104")), {"timeZone": "Europe/Paris"}),
    "skipped hour": ("libreview", "time-nonexistent", libreview("{unit}", ("30-03-2025 02:30", "0", "104")), {"timeZone": "Europe/Paris"}),
    "unit-not-allowed": (
        "libreview",
        "unit-not-allowed",
        libreview("{unit}", ("25-01-2026 08:15", "3", "1"), column=6),
        {"timeZone": "Europe/Paris"},
    ),
    "record type": ("libreview", "unknown-measure", libreview("{unit}", ("25-01-2026 08:15", "6", "1")), {"timeZone": "Europe/Paris"}),
    "characteristic": ("gatt", "unknown-measure", gatt(frame("2A6D", "00")), {}),
    "no time": ("gatt", "no-time", gatt(frame("2A37", "0055", received_at=None)), {}),
}


@pytest.mark.parametrize("what", DOUBTS)
def test_what_is_in_doubt_waits_with_a_code_a_hint_and_a_place(
    another: Callable[..., Caller], ehr: Caller, backstage: Backstage, person: str, what: str
) -> None:
    """DESIGN 7: nothing is dropped in silence, nothing is guessed."""
    adapter, code, payload, query = DOUBTS[what]
    unit = f"unit-{person}"
    paired(backstage, adapter, person, unit)
    vendor = another("system/Observation.c", organization=ehr.account.organization, consent_default="opt-out")
    payload = payload.replace(b"{unit}", unit.encode())
    (item,) = vendor.fates(adapter, payload, **{name: value.format(unit=unit) for name, value in query.items()})
    assert (item["fate"], item["code"]) == ("quarantined", code)
    assert item["hint"].endswith((".", "UTC"))
    assert item["pointer"]
    assert "resource" not in item
    (shown,) = waiting(vendor).values()
    assert (shown["code"], shown["hint"], shown["pointer"], shown["adapter"]) == (code, item["hint"], item["pointer"], adapter)
    assert shown["received"] < shown["expires"]
    assert set(shown) == {"id", "adapter", "code", "hint", "pointer", "received", "expires"}
    assert ehr.search(f"Observation?patient={person}&_summary=count")["total"] == 0


def test_the_same_doubt_sent_again_is_one_entry(another: Callable[..., Caller]) -> None:
    vendor = another("system/Observation.c")
    for _ in range(3):
        vendor.fates("withings", weight(70_000), device="nobody")
    assert len(waiting(vendor)) == 1


def test_pairing_lets_a_waiting_reading_in(another: Callable[..., Caller], ehr: Caller, backstage: Backstage, person: str) -> None:
    """Replay after the cause is mended: stored once, gone from the list, and a duplicate when it is sent again."""
    vendor = another("system/Observation.c", organization=ehr.account.organization, consent_default="opt-out")
    unit = f"late-{person}"
    vendor.fates("withings", weight(71_500), device=unit)
    (id,) = waiting(vendor)
    still = vendor.request("POST", f"/quarantine/{id}/replay").json()
    assert [one["fate"] for one in still] == ["quarantined"]
    assert list(waiting(vendor)) == [id]
    paired(backstage, "withings", person, unit)
    (stored,) = vendor.request("POST", f"/quarantine/{id}/replay").json()
    assert stored["fate"] == "stored"
    assert waiting(vendor) == {}
    assert ehr.get(stored["resource"]).json()["valueQuantity"]["value"] == 71.5
    refused(vendor.request("POST", f"/quarantine/{id}/replay"), 404, "not-found")
    assert vendor.fates("withings", weight(71_500), device=unit)[0]["fate"] == "duplicate"


def test_a_zone_said_afterwards_lets_a_waiting_reading_in(
    another: Callable[..., Caller], ehr: Caller, backstage: Backstage, person: str
) -> None:
    vendor = another("system/Observation.c", organization=ehr.account.organization, consent_default="opt-out")
    unit = paired(backstage, "libreview", person, f"L-{person}")
    vendor.fates("libreview", libreview(unit, ("25-07-2025 08:15", "0", "104")))
    (id,) = waiting(vendor)
    (stored,) = vendor.request("POST", f"/quarantine/{id}/replay?timeZone=Europe/Paris").json()
    assert stored["fate"] == "stored"
    assert ehr.get(stored["resource"]).json()["effectiveDateTime"] == "2025-07-25T08:15:00+02:00"


def test_a_consent_lets_a_waiting_reading_in(another: Callable[..., Caller], ehr: Caller, backstage: Backstage, person: str) -> None:
    vendor = another("system/Observation.c")
    unit = paired(backstage, "withings", person, f"C-{person}")
    assert vendor.fates("withings", weight(70_000), device=unit)[0]["code"] == "device-not-paired"
    ehr.create(consent(person, provision={"action": [action("collect")]}))
    answered = vendor.request("POST", "/quarantine/all/replay").json()
    assert [one["fate"] for one in answered] == ["stored"]


def test_the_operator_lists_and_replays_too(
    running: Running, another: Callable[..., Caller], ehr: Caller, backstage: Backstage, person: str
) -> None:
    """DESIGN 4: `hub quarantine list|replay`: in the sender's name, with no rights of the operator's own."""
    vendor = another("system/Observation.c", organization=ehr.account.organization, consent_default="opt-out")
    unit = f"op-{person}"
    vendor.fates("withings", weight(70_000), device=unit)
    listed = running.process.invoke("quarantine", "list", "--json", "--reason", "tests")
    (mine,) = [one for one in listed.json() if one["client"] == vendor.account.id]
    assert (mine["code"], mine["pointer"]) == ("device-not-paired", "/body/measuregrps/0/measures/0")
    assert "70" not in json.dumps({name: mine[name] for name in ("code", "hint", "pointer")})
    paired(backstage, "withings", person, unit)
    done = running.process.command("quarantine", "replay", mine["id"], "--reason", "tests")
    assert [one["fate"] for one in done.lines()] == ["stored"]
    assert running.process.invoke("quarantine", "replay", mine["id"]).code == 1
    assert running.process.invoke("quarantine", "replay").code == 2


def test_unpairing_ends_what_comes_after_and_keeps_what_was(running: Running, ehr: Caller, backstage: Backstage, person: str) -> None:
    """DEVICES 6.5: unpairing never rewrites history; a reading taken outside the interval waits."""
    unit = paired(backstage, "withings", person, f"U-{person}")
    (before,) = ehr.fates("withings", weight(70_000, date=1_750_000_000), device=unit)
    done = running.process.invoke("device", "unpair", "withings", unit, "--to", "2025-07-01", "--reason", "tests")
    assert done.json() == {"ended": 1}
    (after,) = ehr.fates("withings", weight(71_000, grpid=2, date=1_760_000_000), device=unit)
    assert (before["fate"], after["code"]) == ("stored", "device-not-paired")
    assert ehr.get(before["resource"]).status_code == 200
    assert running.process.invoke("device", "unpair", "withings", unit).code == 1
    assert ehr.fates("withings", weight(69_000, grpid=3, date=1_740_000_000), device=unit)[0]["fate"] == "stored"


def test_the_same_device_time_under_another_zone_waits(ehr: Caller, backstage: Backstage, person: str) -> None:
    """DESIGN 7: the device's own text is the reading's identity; another zone contradicts what was said before."""
    unit = paired(backstage, "libreview", person, f"Z-{person}")
    payload = libreview(unit, ("25-01-2026 08:15", "0", "104"))
    assert ehr.fates("libreview", payload, timeZone="Europe/Paris")[0]["fate"] == "stored"
    (again,) = ehr.fates("libreview", payload, timeZone="America/New_York")
    assert (again["fate"], again["code"]) == ("quarantined", "time-conflict")
    assert ehr.search(f"Observation?patient={person}&_summary=count")["total"] == 1
    assert ehr.fates("libreview", payload, timeZone="Europe/Berlin")[0]["fate"] == "duplicate", "the same instant under another name"


REFUSING: dict[str, list[Json]] = {
    "no consent": [],
    "denied": [{"type": "deny"}],
    "expired": [{"type": "permit", "provision": {"period": {"end": "2025-12-31"}}}],
    "other purpose": [{"type": "permit", "provision": {"purpose": [purpose("HRESCH")]}}],
    "access only": [{"type": "permit", "provision": {"action": [action("access")]}}],
    "other code": [{"type": "permit", "provision": {"code": [{"coding": [{"system": LOINC, "code": HEART_RATE}]}]}}],
    "that code denied": [{"type": "permit"}, {"type": "deny", "provision": {"code": [{"coding": [{"system": LOINC, "code": "29463-7"}]}]}}],
}


@pytest.mark.parametrize("why", REFUSING)
def test_who_has_not_consented_is_like_a_device_that_nobody_wears(
    another: Callable[..., Caller], ehr: Caller, backstage: Backstage, person: str, why: str
) -> None:
    """Law 3: byte for byte the same answer, the same list, the same replay; the log alone knows under whom it was aimed."""
    unit = paired(backstage, "withings", person, f"N-{person}")
    for said in REFUSING[why]:
        ehr.create(consent(person, said["type"], provision=said.get("provision")))
    transcripts = []
    for device in (unit, f"X-{ABSENT}"):
        vendor = another("system/Observation.c")
        answers = [vendor.ingest("withings", weight(70_000 + n), device=device) for n in (0, 0, 500)]
        listed = vendor.get("/quarantine?_count=1000")
        answers.append(vendor.request("POST", "/quarantine/all/replay"))
        shown = [{name: one[name] for name in one if name not in ("id", "received", "expires")} for one in listed.json()]
        transcripts.append([(one.status_code, one.content) for one in answers] + [shown])
        found = {record.patient for one in answers[:3] for record in backstage.records(one.headers["x-request-id"])}
        assert (backstage.patient_token(person) in found) is (device == unit)
    assert transcripts[0] == transcripts[1]


def test_withdrawal_ends_what_could_be_sent_before(another: Callable[..., Caller], ehr: Caller, backstage: Backstage, person: str) -> None:
    """GDPR Art. 7(3): also a reading that is already stored is no duplicate any more for whom it does not exist."""
    vendor = another("system/Observation.c")
    unit = paired(backstage, "withings", person, f"W-{person}")
    agreed = ehr.create(consent(person))
    assert vendor.fates("withings", weight(70_000), device=unit)[0]["fate"] == "stored"
    ehr.update(agreed, status="inactive")
    assert vendor.fates("withings", weight(70_000), device=unit)[0]["code"] == "device-not-paired"
    assert vendor.fates("withings", weight(75_000), device=unit)[0]["code"] == "device-not-paired"


def test_another_vendors_items_do_not_exist(another: Callable[..., Caller]) -> None:
    """Law 3: neither in the list nor by id, nor among all."""
    one, two = another("system/Observation.c"), another("system/Observation.c")
    one.fates("withings", weight(70_000), device="nobody")
    (id,) = waiting(one)
    assert waiting(two) == {}
    theirs, absent = (two.request("POST", f"/quarantine/{which}/replay") for which in (id, ABSENT))
    assert (theirs.status_code, theirs.content) == (absent.status_code, absent.content)
    refused(theirs, 404, "not-found")
    assert two.request("POST", "/quarantine/all/replay").json() == []
    assert list(waiting(one)) == [id]


def test_a_granular_scope_of_the_vendor_holds_for_readings(
    another: Callable[..., Caller], ehr: Caller, backstage: Backstage, person: str
) -> None:
    """Scopes v2: what the scope does not cover is not stored in its name."""
    paired(backstage, "withings", person, f"G-{person}")
    organization = ehr.account.organization
    vendor = another(f"system/Observation.c?code={LOINC}|{HEART_RATE}", organization=organization, consent_default="opt-out")
    made = vendor.fates("withings", withings(group(1, (WEIGHT, 70, 0), (11, 61, 0))), device=f"G-{person}")
    assert [one["fate"] for one in made] == ["quarantined", "stored"]


@pytest.mark.parametrize("letters", ["r", "s", "u", "d"])
def test_readings_are_taken_from_whoever_may_create_observations(another: Callable[..., Caller], letters: str) -> None:
    vendor = another(f"system/Observation.{letters} system/Patient.cruds")
    for method, path in (("POST", "/ingest/withings"), ("GET", "/quarantine"), ("POST", "/quarantine/all/replay")):
        refused(vendor.request(method, path), 403, "forbidden")


def packed(plain: bytes) -> bytes:
    return gzip.compress(plain, 9)


def test_a_packed_payload_is_unpacked(ehr: Caller, backstage: Backstage, person: str) -> None:
    unit = paired(backstage, "withings", person, f"P-{person}")
    answer = ehr.ingest("withings", packed(weight(70_000)), device=unit, headers={"Content-Encoding": "gzip"})
    assert [one["fate"] for one in answer.json()] == ["stored"]


@pytest.mark.parametrize(
    ("body", "encoding", "status", "code"),
    [
        (b"nonsense", "gzip", 400, "structure"),
        (packed(weight(1))[:-6], "gzip", 400, "structure"),
        (packed(weight(1)) + b"more", "gzip", 400, "structure"),
        (packed(weight(1)) + packed(weight(2)), "gzip", 400, "structure"),
        (packed(b" " * (INGEST_BYTES_MAX + 1)), "gzip", 413, "too-long"),
        (packed(packed(b" " * 200_000_000)), "gzip", 400, "structure"),
        (zlib.compress(weight(1)), "deflate", 415, "not-supported"),
        (weight(1), "br", 415, "not-supported"),
        (weight(1), "gzip, gzip", 415, "not-supported"),
        (b" " * (INGEST_BYTES_MAX + 1), "identity", 413, "too-long"),
        (b"", "identity", 400, "structure"),
        (b"nonsense", "identity", 400, "structure"),
        (b"\xff\xfe\x00", "identity", 400, "structure"),
        (b"[" * 100_000, "identity", 400, "structure"),
        (b'{"status": 401}', "identity", 400, "structure"),
        (b'{"body": 7}', "identity", 400, "structure"),
    ],
)
def test_a_payload_that_cannot_be_read_is_refused_as_a_whole(ehr: Caller, body: bytes, encoding: str, status: int, code: str) -> None:
    """DESIGN 4: 4xx only when nothing could be read; a gzip bomb does not unfold (DEVICES 6.4)."""
    refused(ehr.ingest("withings", body, device="x", headers={"Content-Encoding": encoding}), status, code)


def test_unknown_adapters_and_parameters_are_refused(ehr: Caller) -> None:
    """A misspelt parameter would silently leave a zone out."""
    refused(ehr.ingest("nonsense", b"{}"), 404, "not-found")
    refused(ehr.ingest("withings", weight(1), timezone="Europe/Paris"), 400, "invalid")
    refused(ehr.ingest("withings", weight(1), patient="x"), 400, "invalid")


def test_a_vendor_cannot_choose_the_patient(ehr: Caller, backstage: Backstage, person: str) -> None:
    """Law 7: an adapter knows no patient; a name in the payload is not even read."""
    unit = paired(backstage, "withings", person, f"V-{person}")
    other = ehr.create(patient())["id"]
    named = group(1, (WEIGHT, 70, 0), patient=f"Patient/{other}", subject={"reference": f"Patient/{other}"}, userid=other)
    assert ehr.fates("withings", withings(named), device=unit)[0]["fate"] == "stored"
    assert ehr.search(f"Observation?patient={other}&_summary=count")["total"] == 0
    assert ehr.search(f"Observation?patient={person}&_summary=count")["total"] == 1


def test_nothing_sent_is_nothing_stored_and_recorded(ehr: Caller, backstage: Backstage) -> None:
    answer = ehr.ingest("withings", withings(), device="x")
    assert (answer.status_code, answer.json()) == (200, [])
    assert [one.kind for one in backstage.records(answer.headers["x-request-id"])] == ["ingest"]
