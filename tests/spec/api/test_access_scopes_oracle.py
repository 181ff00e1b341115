"""Random scopes, callers and rows: what the hub says of them, inside the query and on the opened resource, and what a plainer model says.

SECURITY 2.6 (2); SMART App Launch 2.2, scopes-and-launch-context; docs/scopes.md. The model knows scopes as four words and a compartment as
a sentence; it shares nothing with the hub.
"""

import random
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any

import pytest

from hub.errors import FhirError
from hub.repository.rights import Rights
from hub.search.index import index
from hub.search.predicate import Row, holds
from hub.store.protocol import Stored
from security.blind import Blind
from security.context import AccessContext
from security.oauth.person import Person
from security.scopes import Scopes
from tests.support.resources import OBSERVATION_CATEGORY, concept, device, observation, organization, patient, practitioner

SEED, PAIRS = 20_261_130, 20_000
BLIND = Blind(bytes(range(32)))
PATIENTS = ("a", "b")
CATEGORIES = ("vital-signs", "laboratory")
TYPES = ("*", "*", "*", "Patient", "Observation", "Device", "Organization", "Practitioner", "AuditEvent", "Consent")
LETTERS = ("rs", "cud", "cruds", "cruds")
ROLES = (None, "patient", "practitioner", "compliance", "administrator", "vendor")


@dataclass(frozen=True)
class Made:
    """A resource, whose it is, and who wears it or is told of in it."""

    content: dict[str, Any]
    owner: str | None = None
    others: frozenset[str] = frozenset()


@dataclass(frozen=True)
class Asked:
    """level, type, letters, category: the four words of a scope."""

    scopes: tuple[tuple[str, str, str, str | None], ...]
    role: str | None
    own: str | None = None
    context: str | None = None
    knows_user: bool = field(default=False)


def some(chance: random.Random) -> Made:
    who, other = chance.choice(PATIENTS), chance.choice(PATIENTS)
    kind = chance.randrange(8)
    if kind == 0:
        return Made({**patient(), "id": who}, owner=who)
    if kind == 1:
        return Made({**observation(who, category=chance.choice(CATEGORIES)), "id": "o"}, owner=who)
    if kind == 2:
        named = {"performer": [{"reference": f"Patient/{other}"}]}
        return Made(
            {**observation(who, category=chance.choice(CATEGORIES), **named), "id": "p"}, owner=who, others=frozenset({other} - {who})
        )
    if kind == 3:
        worn = frozenset(chance.sample(PATIENTS, chance.randrange(3)))
        return Made({**device(), "id": "d"}, others=worn)
    if kind == 4:
        return Made({**observation(None, category="activity", subject={"reference": "Device/d"}), "id": "q"}, others=frozenset({who}))
    if kind == 5:
        named = chance.random() < 0.5
        extension = {"extension": [{"url": "urn:x", "valueReference": {"reference": f"Patient/{who}"}}]} if named else {}
        return Made({**organization(**extension), "id": "g"}, others=frozenset({who}) if named else frozenset())
    if kind == 6:
        return Made({**practitioner(), "id": chance.choice(("me", "you"))})
    return Made({"resourceType": "Condition", "id": "c", "subject": {"reference": f"Patient/{who}"}}, owner=who)


def somebody(chance: random.Random) -> Asked:
    role = chance.choice(ROLES)
    scopes = tuple(
        (
            chance.choice(("patient", "user", "system")),
            type := chance.choice(TYPES),
            "rs" if type == "AuditEvent" else chance.choice(LETTERS),
            chance.choice((None, *CATEGORIES)) if type == "Observation" else None,
        )
        for _ in range(chance.randrange(1, 4))
    )
    own = chance.choice(PATIENTS) if role == "patient" else None
    context = chance.choice((*PATIENTS, None)) if role in ("patient", "practitioner") and own is None else own
    return Asked(scopes, role, own, context, chance.random() < 0.3)


def model(asked: Asked, made: Made, letter: str) -> bool:
    """May this caller do that with it, as far as scopes go? One sentence after the other."""
    type = made.content["resourceType"]
    if asked.role == "patient" and type in ("Patient", "Consent") and letter in "cud":
        return False
    me = {"patient": f"Patient/{asked.own}", "practitioner": "Practitioner/me"}.get(asked.role or "")
    if asked.knows_user and letter == "r" and f"{type}/{made.content['id']}" == me:
        return True
    return any(_reaches(asked, made, letter, *scope) for scope in asked.scopes)


def _reaches(asked: Asked, made: Made, letter: str, level: str, type: str, letters: str, category: str | None) -> bool:
    if letter not in letters or type not in ("*", made.content["resourceType"]):
        return False
    if category is not None and made.content["category"] != [concept(OBSERVATION_CATEGORY, category)]:
        return False
    if level == "system" or asked.role is None:
        return level == "system" and asked.role is None
    if level == "patient":
        return asked.context is not None and in_compartment(made, asked.context)
    return asked.own is None or in_compartment(made, asked.own)


def in_compartment(made: Made, who: str) -> bool:
    """The patient, what is about the patient, the devices that the patient wears and what these report."""
    if made.owner is not None:
        return made.owner == who
    return who in made.others and made.content["resourceType"] not in ("Organization", "Practitioner")


def rights(asked: Asked) -> Rights:
    scope = " ".join(
        f"{level}/{type}.{letters}" + (f"?category={category}" if category else "") for level, type, letters, category in asked.scopes
    )
    reference = {"patient": f"Patient/{asked.own}", "practitioner": "Practitioner/me"}.get(asked.role or "")
    person = None if asked.role is None else Person(account="x", role=asked.role, fhir_user=reference)  # type: ignore[arg-type]
    caller = AccessContext(
        client_id="app",
        client_name="app",
        organization="Organization/o",
        scopes=Scopes.parse(scope),
        purpose="TREAT",
        consent_default="opt-in",
        recorder=False,
        importer=False,
        request_id="r",
        person=person,
        patient=asked.context,
        words=frozenset({"fhirUser"}) if asked.knows_user else frozenset(),
    )
    services: Any = SimpleNamespace(blind=BLIND, clock=lambda: 0, base_url="", store=None, vault=None)
    return Rights(caller, services)


def row(made: Made) -> tuple[Stored, Row]:
    """As it is stored: whose it is by its subject, the others by whom it names or who wears it."""
    indexed = index(made.content, token=BLIND.token, patient_token=BLIND.patient)
    owner = None if made.owner is None else BLIND.patient(made.owner)
    assert indexed.patient == made.owner
    others = frozenset(map(BLIND.patient, made.others))
    type, id = made.content["resourceType"], made.content["id"]
    stored = Stored(type=type, id=id, version=1, updated_us=0, sealed=b"", key_version=1, patient=owner, others=tuple(others))
    seen = Row(type=type, id=id, p=owner, k=indexed.k, g=indexed.g, lu=0, d=indexed.start_us, e=indexed.end_us, q=others)
    return stored, seen


def test_scopes_say_of_a_row_and_of_a_resource_what_the_model_says() -> None:
    """As often as PAIRS: the predicate inside the query, the re-check on what was opened, and the model."""
    chance = random.Random(SEED)
    permitted = 0
    for _ in range(PAIRS):
        asked, made, letter = somebody(chance), some(chance), chance.choice("cruds")
        mine, type = rights(asked), made.content["resourceType"]
        expected = model(asked, made, letter)
        stored, seen = row(made)
        assert mine.scopes_match(type, letter, made.content, stored) is expected, (asked, made, letter)
        try:
            predicate, exact = mine.predicate(type, letter)
        except FhirError:
            assert not expected, (asked, made, letter)
        else:
            found = holds(predicate, seen)
            assert found is expected if exact else found or not expected, (asked, made, letter)
        permitted += expected
    assert PAIRS / 10 < permitted < PAIRS / 2


@pytest.mark.parametrize("letter", "cu")
def test_what_is_written_within_a_bound_scope_concerns_its_patient_alone(letter: str) -> None:
    """docs/scopes.md: whoever else is named, 403 before anybody is looked for."""
    chance = random.Random(SEED)
    for _ in range(PAIRS // 10):
        asked, made = somebody(chance), some(chance)
        mine, (stored, _) = rights(asked), row(made)
        bound = {who for who in (asked.own, asked.context) if who}
        if asked.role == "patient" and mine.reaches(made.content["resourceType"], letter, stored):
            assert made.others | ({made.owner} - {None}) <= bound, (asked, made)
