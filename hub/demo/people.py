"""Invented people and houses as FHIR resources, marked as test data, under ids that the seed alone decides.

https://hl7.org/fhir/R4/patient.html. Nothing of them can be anybody's: the health identifier bears the demonstration OID
and a department that does not exist, telephone numbers come from the block that Arcep keeps for fiction.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any, Final

from fhir_profiles.canonical import BASE
from hub.demo.cast import Role, role
from hub.demo.chance import chance
from hub.demo.names import FAMILY, GIVEN_FEMALE, GIVEN_MALE, STREETS, TOWNS

Resource = dict[str, Any]

HTEST: Final = {"system": "http://terminology.hl7.org/CodeSystem/v3-ActReason", "code": "HTEST", "display": "test health data"}
"""https://hl7.org/fhir/R4/valueset-security-labels.html: the label of what is not about a real person."""

INS_DEMO: Final = "urn:oid:1.2.250.1.213.1.4.11"
"""Identité nationale de santé, the space for demonstrations."""

IDENTIFIERS: Final = f"{BASE}/demo/identifier"
HOSPITAL: Final = "demo-hospital"
CLINIC: Final = "demo-clinic"
PRACTITIONERS: Final = ("demo-practitioner-1", "demo-practitioner-2", "demo-practitioner-3")

_BORN_FIRST: Final = date(1938, 1, 1)
_BORN_LAST: Final = date(2004, 12, 31)


@dataclass(frozen=True, slots=True, kw_only=True)
class Person:
    """An invented patient. `number` counts from 1; `id` is the logical id of the Patient."""

    seed: int
    number: int
    role: Role
    female: bool
    given: str
    family: str
    born: date

    @property
    def id(self) -> str:
        return f"demo-{self.seed}-{self.number:03}"

    @property
    def reference(self) -> str:
        return f"Patient/{self.id}"


def person(seed: int, number: int) -> Person:
    """The same for the same seed and number, whoever else there is."""
    random = chance(seed, number, "person")
    female = random.random() < 0.5  # noqa: PLR2004 - half of them
    return Person(
        seed=seed,
        number=number,
        role=role(number),
        female=female,
        given=random.choice(GIVEN_FEMALE if female else GIVEN_MALE),
        family=random.choice(FAMILY),
        born=_BORN_FIRST + timedelta(days=random.randrange((_BORN_LAST - _BORN_FIRST).days)),
    )


def people(seed: int, patients: int) -> Iterator[Person]:
    return (person(seed, number) for number in range(1, patients + 1))


def patient(one: Person) -> Resource:
    random = chance(one.seed, one.number, "patient")
    return {
        **_marked("Patient", one.id),
        "identifier": [{"use": "official", "system": INS_DEMO, "value": ins(one)}],
        "active": True,
        "name": [{"use": "official", "family": one.family, "given": [one.given]}],
        "telecom": [
            {"system": "phone", "value": f"+33 6 39 98 {random.randrange(100):02} {random.randrange(100):02}", "use": "mobile"},
            {"system": "email", "value": f"{one.id}@example.org"},
        ],
        "gender": "female" if one.female else "male",
        "birthDate": one.born.isoformat(),
        "address": [{"line": [f"{random.randrange(1, 90)} {random.choice(STREETS)}"], "city": random.choice(TOWNS), "country": "FR"}],
        "communication": [{"language": {"coding": [{"system": "urn:ietf:bcp:47", "code": "fr-FR"}]}}],
        "generalPractitioner": [{"reference": f"Practitioner/{random.choice(PRACTITIONERS)}"}],
        "managingOrganization": {"reference": f"Organization/{HOSPITAL}"},
    }


def ins(one: Person) -> str:
    """Thirteen digits and their key, 97 less the rest by 97, in the form of a NIR. Department 00 is nobody's place of birth."""
    random = chance(one.seed, one.number, "ins")
    number = f"{2 if one.female else 1}{one.born:%y%m}00{random.randrange(1, 990):03}{random.randrange(1, 1000):03}"
    return f"{number}{97 - int(number) % 97:02}"


def houses() -> tuple[Resource, ...]:
    """The same for every seed."""
    names = ("Capucine Boisfaraud", "Tancrède Rivecourbe", "Apolline Malepierre")
    return (
        _organization(HOSPITAL, "Hôpital de démonstration Sainte-Exemple"),
        _organization(CLINIC, "Clinique de démonstration des Trois-Hérons"),
        *(_practitioner(id, name) for id, name in zip(PRACTITIONERS, names, strict=True)),
    )


def _organization(id: str, name: str) -> Resource:
    kind = {"system": "http://terminology.hl7.org/CodeSystem/organization-type", "code": "prov", "display": "Healthcare Provider"}
    return {**_marked("Organization", id), **_identified(id), "active": True, "type": [{"coding": [kind]}], "name": name}


def _practitioner(id: str, name: str) -> Resource:
    given, family = name.split(" ", 1)
    named = {"use": "official", "family": family, "given": [given], "prefix": ["Dr"]}
    return {**_marked("Practitioner", id), **_identified(id), "active": True, "name": [named]}


def _identified(id: str) -> Resource:
    return {"identifier": [{"system": IDENTIFIERS, "value": id}]}


def _marked(type: str, id: str) -> Resource:
    return {"resourceType": type, "id": id, "meta": {"security": [dict(HTEST)]}}
