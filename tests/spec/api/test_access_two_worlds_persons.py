"""Two worlds once more, for people: with a scope that is bound to a patient, it makes no difference whether there are other patients.

SECURITY 2.6 (1); DESIGN law 3; SMART App Launch 2.2, scopes-and-launch-context. Some of the others would let this very caller see.
"""

import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import orjson
import pytest
from pymongo import MongoClient

from hub.instants import now_us
from hub.store.embedded import Endpoint
from security.oauth.person import Person
from tests.spec.api.test_access_two_worlds import QUESTIONS, Begin, World, compare, drawn_for_the_log
from tests.spec.api.two_worlds import Question, Thing, questions
from tests.spec.api.two_worlds_more import more_questions, more_things
from tests.support.inprocess import InProcess
from tests.support.persons import authorization, begin, new_app, token_of

GRANULAR = "patient/Observation.crus?category=vital-signs patient/Patient.rs patient/Device.rus patient/Provenance.crs patient/Consent.rs"
CALLERS: Mapping[str, tuple[str, str, str]] = {
    "a patient": ("patient", "v1", "patient/*.cruds"),
    "a patient who denies everybody": ("patient", "h2", "user/*.cruds"),
    "a patient with a granular scope": ("patient", "v2", GRANULAR),
    "a practitioner at the bedside": ("practitioner", "v3", "patient/*.cruds"),
}
"""Role, the patient in context, and scope."""
PATIENT = re.compile(rb'"Patient/([\w-]+)"')


def with_hidden(things: Sequence[Thing], patient: str) -> list[Thing]:
    """Hidden is what concerns anybody else, by itself or by what it is about."""
    known = {thing.name: thing for thing in things}
    return [Thing(one.resource, bool(concerned(one, known) - {patient}), one.paired, one.deleted) for one in things]


def concerned(thing: Thing, known: Mapping[str, Thing]) -> set[str]:
    resource = thing.resource
    found = {found.decode() for found in PATIENT.findall(orjson.dumps(resource))}
    if resource["resourceType"] == "Patient":
        found.add(resource["id"])
    if thing.paired is not None:
        found.add(thing.paired)
    about = {"Provenance": resource.get("target"), "Binary": [resource.get("securityContext")]}.get(resource["resourceType"]) or []
    for one in (known.get(one["reference"]) for one in about):
        found |= set() if one is None else concerned(one, known)
    return found


def acting(role: str, patient: str, scope: str) -> Begin:
    async def made(hub: InProcess) -> World:
        app = await hub.register(new_app("asker", "patient/*.cruds user/*.cruds"))
        reference = f"Patient/{patient}" if role == "patient" else "Practitioner/prac1"
        organization = "" if role == "patient" else app.organization
        who = Person(account="a" * 22, role=role, fhir_user=reference, organization=organization)  # type: ignore[arg-type]
        new = authorization(app, who, scope, patient=patient, purpose="TREAT", now=now_us())
        await begin(hub.hub, new)
        return World(hub, app, scope, {"Authorization": f"Bearer {token_of(hub.hub, new, jti='token-of-tests')}"})

    return made


@pytest.mark.parametrize("caller", CALLERS)
async def test_other_patients_change_nothing(
    caller: str, clean_database: Endpoint, admin: MongoClient[dict[str, Any]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The same questions to both worlds, the same answers in status, headers and body."""
    monkeypatch.setattr("hub.recording._ids", drawn_for_the_log)
    role, patient, scope = CALLERS[caller]
    seed = [*CALLERS].index(caller)
    asked: list[Question] = [*questions(QUESTIONS // 2, seed), *more_questions(QUESTIONS // 2, seed)]
    await compare(acting(role, patient, scope), asked, with_hidden(more_things(), patient), clean_database, admin, tmp_path)
