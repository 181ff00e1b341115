"""`hub demo load` on a real database: nothing goes past the hub's own doors, and nothing comes in twice (DESIGN 4, 7)."""

from collections import Counter
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from audit.kinds import EVENTS
from hub.demo.clients import COMPLIANCE, EHR, RECORDER, VENDOR, visitor
from hub.demo.load import is_loaded
from hub.demo.people import people
from hub.errors import FhirError
from hub.operator import Operator, user_name
from hub.store.embedded import Endpoint
from hub.wiring import Hub
from security.oauth.jwks import NoSuchKey, matching_key
from tests.spec.demo.given import JUNE, caller, demo, emptied, found, hub_at, loaded, of_type, seen, stored
from tests.spec.demo.oracle import CLINIC, COLLECTED, HOSPITAL, measured, visible

STRANGER = "Organization/a-stranger"


@pytest.fixture
async def hub(clean_database: Endpoint, tmp_path: Path) -> Any:
    async with hub_at(clean_database, tmp_path) as opened:
        yield opened


async def everything(hub: Hub, organization: str, purpose: str = "TREAT") -> set[Any]:
    """Every Observation a client gets, asked for patient by patient; and that no search tells of more."""
    client = caller(hub, organization=organization, purpose=purpose)
    named = [await found(client, "Observation", patient=one.reference) for one in people(1, 20)]
    return {seen(observation) for observations in named for observation in observations}


@pytest.mark.parametrize("organization", [HOSPITAL, CLINIC, STRANGER])
async def test_a_client_sees_exactly_what_the_patients_permit(hub: Hub, organization: str) -> None:
    """Laws 1 and 3: compared, value by value, with what was invented and what each patient decided."""
    await loaded(hub, demo())
    assert await everything(hub, organization) == visible(demo(), organization)


async def test_for_another_purpose_nobody_sees_anything(hub: Hub) -> None:
    """https://hl7.org/fhir/R4/consent.html, provision.purpose: the demo's consents are for treatment."""
    await loaded(hub, demo(patients=6))
    assert await everything(hub, HOSPITAL) != set()
    assert await everything(hub, HOSPITAL, purpose="HRESCH") == set()


async def test_a_patient_who_refuses_is_not_there(hub: Hub, admin: Any) -> None:
    """Law 3: by id like one that never existed, in no search; and no Observation of theirs was ever stored."""
    await loaded(hub, demo(patients=8))
    client = caller(hub, organization=HOSPITAL)
    shown = {patient["id"] for patient in await found(client, "Patient")}
    assert shown == {"demo-1-001", "demo-1-002", "demo-1-003", "demo-1-005", "demo-1-006", "demo-1-007"}
    errors = []
    for id in ("demo-1-004", "demo-1-999"):
        with pytest.raises(FhirError) as raised:
            await caller(hub, organization=HOSPITAL).read("Patient", id)
        errors.append((raised.value.code, str(raised.value)))
    assert errors[0] == errors[1]
    token = hub.services.blind.patient("demo-1-004")
    assert admin["hub"]["resources"].count_documents({"p": token, "_id": {"$regex": "^Observation/"}}) == 0


async def test_a_second_load_adds_nothing(hub: Hub, admin: Any) -> None:
    """DESIGN 7: the same again is a duplicate; the same people are found again."""
    first = await loaded(hub, demo(patients=9))
    before = stored(admin)
    second = await loaded(hub, demo(patients=9))
    assert stored(admin) == before
    assert second.created == Counter()
    assert second.found == first.created
    assert second.fates == {"duplicate": first.fates["stored"], "quarantined": first.fates["quarantined"]}


async def test_the_next_day_and_more_patients_add_what_is_new(hub: Hub) -> None:
    """DESIGN 7: what is there is found again, whatever the size of the load."""
    small, large = demo(patients=5), demo(patients=8, days=2, until=JUNE + timedelta(days=1))
    first = await loaded(hub, small)
    second = await loaded(hub, large)
    assert second.fates["duplicate"] == first.fates["stored"]
    assert second.fates["stored"] == collected(large) - collected(small)
    assert second.created["Patient"] == 3


def collected(wanted: Any) -> int:
    return sum(one.role.consent in COLLECTED for one, _ in measured(wanted))


async def test_the_same_seed_loads_the_same_anywhere(clean_database: Endpoint, admin: Any, tmp_path: Path) -> None:
    """DESIGN 4: deterministic for a seed: the same ids, the same counts, whatever the keys of the hub are."""
    shown = []
    for name in ("one", "two"):
        emptied(admin)
        async with hub_at(clean_database, tmp_path / name) as hub:
            done = await loaded(hub, demo(patients=3))
            client = caller(hub, organization=HOSPITAL)
            ids = {
                one["id"]
                for one in [*await found(client, "Patient"), *await found(client, "Consent"), *await found(client, "Practitioner")]
            }
            shown.append((done.to_json(), ids))
    assert shown[0] == shown[1]
    assert "demo-1-001" in shown[0][1]
    assert "demo-1-001-consent-1" in shown[0][1]


async def test_the_summary_is_what_lies_in_the_database(hub: Hub, admin: Any) -> None:
    """DESIGN 7: each item has its fate; none is dropped in silence."""
    done = await loaded(hub, demo())
    told = done.to_json()
    assert told["readings"]["stored"] == of_type(admin, "Observation") == collected(demo())
    assert told["readings"]["quarantined"] == admin["hub"]["quarantine"].count_documents({})
    assert sum(told["readings"].values()) == sum(1 for _ in measured(demo()))
    assert told["created"]["Patient"] == of_type(admin, "Patient") == 20
    assert told["created"]["Consent"] == of_type(admin, "Consent")
    assert told["created"]["pairing"] == of_type(admin, "Device") == admin["hub"]["pairings"].count_documents({})
    for kind, counts in told["by_consent"].items():
        assert ("stored" in counts) == (kind in COLLECTED)
        assert ("quarantined" in counts) == (kind not in COLLECTED)


async def test_what_does_not_wait_for_lack_of_consent_is_told_apart(hub: Hub) -> None:
    """DESIGN 7: codes say why an item waits; a note says what they mean for people who refuse."""
    told = (await loaded(hub, demo(patients=4))).to_json()
    assert told["quarantined"].keys() == told["notes"].keys() == {"device-not-paired"}


async def test_a_load_is_recorded_under_the_person_and_each_act_under_its_client(hub: Hub) -> None:
    """DESIGN 4: what a person does with a command is audited under the operating-system user and the reason."""
    await loaded(hub, demo(patients=1))
    officer = caller(hub, organization=STRANGER, purpose="HCOMPL", scope="system/AuditEvent.rs")
    events = await found(officer, "AuditEvent")
    kinds = {
        kind: [one for one in events if kind in {code["code"] for code in one["subtype"]}] for kind in ("demo-load", "update", "ingest")
    }
    (load,) = kinds["demo-load"]
    assert {"system": EVENTS, "code": "demo-load", "display": "demo-load"} in load["subtype"]
    assert user_name() in str(load["agent"])
    assert "demo load" in str(load["agent"]) + str(load.get("purposeOfEvent"))
    assert all(RECORDER.name in str(one["agent"]) and user_name() in str(one["agent"]) for one in kinds["update"])
    assert all(VENDOR.name in str(one["agent"]) for one in kinds["ingest"])
    assert kinds["update"]
    assert kinds["ingest"]


async def test_a_load_that_came_to_its_end_is_known_whatever_its_days(hub: Hub) -> None:
    """DESIGN 4, `make run`: the second start loads nothing again."""
    wanted = demo(patients=1)
    assert not await is_loaded(hub, wanted)
    await loaded(hub, wanted)
    assert await is_loaded(hub, demo(patients=1, until=JUNE + timedelta(days=9)))
    assert not await is_loaded(hub, demo(patients=2))
    assert not await is_loaded(hub, demo(patients=1, seed=2))


async def test_who_fills_the_demo_can_get_no_token(hub: Hub) -> None:
    """RFC 7523 section 3: an assertion is good under a registered key only, and these clients have none."""
    await loaded(hub, demo(patients=1))
    for part in (RECORDER, VENDOR):
        client = await hub.oauth.find_client(part.name)
        assert client is not None
        assert client.jwks is not None
        with pytest.raises(NoSuchKey):
            matching_key(client.jwks, kid="any", algorithm="ES384")


async def test_who_looks_has_a_key_that_others_cannot_read(hub: Hub, tmp_path: Path) -> None:
    """DESIGN 4: no password anywhere; keys with mode 0600."""
    key = tmp_path / "officer.pem"
    client = await visitor(hub, COMPLIANCE, key, "test")
    assert key.stat().st_mode & 0o777 == 0o600
    assert "PRIVATE" not in str(client.jwks)
    assert all("d" not in one for one in client.jwks["keys"])
    assert (await visitor(hub, COMPLIANCE, key, "test")).client_id == client.client_id


@pytest.mark.parametrize("lost", ["key", "registration", "right"])
async def test_key_and_registration_come_together_again(hub: Hub, admin: Any, tmp_path: Path, lost: str) -> None:
    """DESIGN 4, `make run`: a data directory in which demo clients exist, or existed, is no obstacle."""
    await loaded(hub, demo(patients=1))
    key = tmp_path / "ehr.pem"
    before = await visitor(hub, EHR, key, "test")
    if lost == "key":
        key.unlink()
    elif lost == "registration":
        admin["hub"]["oauth_clients"].delete_one({"_id": before.client_id})
    else:
        await Operator(hub).revoke_client(before.client_id)
    after = await visitor(hub, EHR, key, "test")
    assert (after.client_id == before.client_id) == (lost == "registration")
    assert after.revoked_us is None
    assert after.organization == HOSPITAL
    assert (await hub.oauth.find_client(after.client_id)) == after
