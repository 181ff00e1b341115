"""What the operator does by command is in the log like everybody else's acts. DESIGN law 2; SECURITY 3: who, when, why."""

from collections.abc import Callable

from tests.support.backstage import Backstage, Recorded, new_client
from tests.support.caller import Caller
from tests.support.payloads import identifier_system
from tests.support.resources import patient

SYSTEM = identifier_system("withings")


def only(backstage: Backstage, act: Callable[[], object]) -> Recorded:
    (interaction, *copies) = backstage.recorded_by(act)
    assert {copy.kind for copy in copies} <= {interaction.kind}
    return interaction


def test_a_client_that_is_added_and_one_that_is_revoked_are_recorded(backstage: Backstage) -> None:
    account = new_client("recorded", "system/Patient.rs")
    assert only(backstage, lambda: backstage.register(account)).kind == "client-add"
    revoked = only(backstage, lambda: backstage.revoke(account))
    assert (revoked.kind, revoked.outcome) == ("client-revoke", "0")


def test_a_pairing_that_is_made_and_one_that_is_ended_are_recorded_under_the_patient(backstage: Backstage, ehr: Caller) -> None:
    """The patient's own report names them."""
    person = ehr.create(patient())["id"]
    token = backstage.patient_token(person)
    made = backstage.recorded_by(lambda: backstage.pair(SYSTEM, f"recorded-{person}", f"Patient/{person}", from_us=0))
    ended = backstage.recorded_by(lambda: backstage.unpair(SYSTEM, f"recorded-{person}"))
    for records, kind in ((made, "pair"), (ended, "unpair")):
        assert {one.kind for one in records} == {kind}
        assert token in {one.patient for one in records}
