"""Two worlds that differ in what the callers of the test may not see, and the questions put to both.

SECURITY 2.6 (1). The hidden parts bear the same names, codes and identifiers as the visible ones, so that a search that
looks before it decides would tell.
"""

import json
import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import product
from typing import Any

from tests.support.resources import (
    ABSENT,
    HEART_RATE,
    LOINC,
    OBSERVATION_CATEGORY,
    STEPS,
    WEIGHT,
    action,
    actor,
    concept,
    consent,
    device,
    observation,
    organization,
    patient,
    practitioner,
    purpose,
)

Json = dict[str, Any]
SEED = 20_261_122
GLUCOSE = "2339-0"
OWN = "own-organization"
"""Stands for the organisation of the callers until it is known."""


@dataclass(frozen=True, slots=True)
class Thing:
    """A resource with the id under which it is brought, or a pairing. `hidden`: only in the second world.

    deleted  it is brought and taken away again
    """

    resource: Json
    hidden: bool = False
    paired: str | None = None
    deleted: bool = False

    @property
    def name(self) -> str:
        return f"{self.resource['resourceType']}/{self.resource['id']}"


def _person(id: str, family: str = "Durand", **more: Any) -> Json:
    return patient(family, id=id, birthDate="1970-05-06", gender="female", identifier=[{"system": "urn:mrn", "value": "4711"}], **more)


def _extension(patient_id: str) -> list[Json]:
    return [{"url": "urn:x", "valueReference": {"reference": f"Patient/{patient_id}"}}]


def _readings(patient_id: str, prefix: str) -> Iterator[Json]:
    for number, (code, category) in enumerate(
        [(HEART_RATE, "vital-signs"), (WEIGHT, "vital-signs"), (GLUCOSE, "laboratory"), (HEART_RATE, "vital-signs")]
    ):
        at = f"2026-0{number + 1}-15T10:00:00Z"
        yield observation(
            patient_id,
            code,
            60 + number,
            id=f"{prefix}-o{number}",
            at=at,
            category=category,
            identifier=[{"system": "urn:obs", "value": str(number)}],
        )


CLASS_LAB = {"class": [{"system": OBSERVATION_CATEGORY, "code": "laboratory"}]}
PERMITS: dict[str, list[Json]] = {
    "v1": [consent("v1", id="v1-c0")],
    "v2": [consent("v2", id="v2-c0"), consent("v2", "deny", id="v2-c1", provision=CLASS_LAB)],
    "v3": [
        consent("v3", id="v3-c0", provision={"code": [concept(LOINC, HEART_RATE)]}),
        consent("v3", id="v3-c1", provision={"class": [{"system": "http://hl7.org/fhir/resource-types", "code": "Patient"}]}),
    ],
    "v4": [consent("v4", id="v4-c0", provision={"dataPeriod": {"start": "2026-02-01", "end": "2026-03-31"}})],
    "v5": [consent("v5", id="v5-c0", provision={"actor": [actor(OWN)]})],
    "v6": [consent("v6", id="v6-c0", provision={"action": [action("access"), action("collect")]})],
}
"""Patients of whom the callers see all or a part."""
SILENT: dict[str, list[Json]] = {
    "h1": [],
    "h2": [consent("h2", id="h2-c0"), consent("h2", "deny", id="h2-c1")],
    "h3": [consent("h3", id="h3-c0", provision={"period": {"start": "2020-01-01", "end": "2025-12-31"}})],
    "h4": [consent("h4", id="h4-c0", provision={"purpose": [purpose("HRESCH")]})],
    "h5": [consent("h5", id="h5-c0", provision={"actor": [actor("Organization/another")]})],
    "h6": [consent("h6", id="h6-c0", status="inactive")],
    "h7": [consent("h7", id="h7-c0", provision={"period": {"start": "2126-01-01"}})],
}
"""Patients of whom they see nothing, each for another reason."""
WITHHELD = {"v2-o2", "v3-o1", "v3-o2", "v4-o0", "v4-o3"}
"""Readings of the first kind of patients that their Consents withhold: by class, by code, by date."""


def _placed(**more: Any) -> Json:
    """A reading of a place: nobody's."""
    return observation(None, STEPS, category="activity", subject={"reference": "Location/l1"}, **more)


def things() -> list[Thing]:
    """In the order in which they are brought. Consents come last: a deny would stop the loader too."""
    made = [
        Thing(organization("Clinique Durand", id="org1", identifier=[{"system": "urn:mrn", "value": "4711"}])),
        Thing(practitioner("Durand", id="prac1")),
        Thing(device("Balance", id="d1")),
    ]
    for id in PERMITS:
        made.append(Thing(_person(id)))
        made += [Thing(one, hidden=one["id"] in WITHHELD) for one in _readings(id, id)]
    for id in SILENT:
        made.append(Thing(_person(id), hidden=True))
        made += [Thing(one, hidden=True) for one in _readings(id, id)]
    made += [
        Thing(observation("v1", HEART_RATE, 99, id="v1-performer", performer=[{"reference": "Patient/h1"}]), hidden=True),
        Thing(
            observation("v6", HEART_RATE, 98, id="v6-note", note=[{"text": "x", "authorReference": {"reference": "Patient/h2"}}]),
            hidden=True,
        ),
        Thing(device("Balance", id="d-named", patient={"reference": "Patient/h1"}), hidden=True),
        Thing(organization("Clinique Durand", id="org-named", extension=_extension("h3")), hidden=True),
        Thing(practitioner("Durand", id="prac-named", extension=_extension("h4")), hidden=True),
        Thing(
            observation(
                None,
                "55423-8",
                category="activity",
                id="o-device",
                subject={"reference": "Location/l1"},
                performer=[{"reference": "Patient/h5"}],
            ),
            hidden=True,
        ),
        Thing(_placed(id="o-free")),
        Thing(observation("v1", HEART_RATE, 97, id="v1-deleted"), deleted=True),
        Thing(observation("v4", HEART_RATE, 96, id="v4-deleted", at="2026-01-15"), deleted=True, hidden=True),
        Thing(observation("h1", HEART_RATE, 95, id="h1-deleted"), deleted=True, hidden=True),
        Thing(device("Balance", id="d-deleted"), deleted=True),
        Thing(device("Balance", id="d-named-deleted", patient={"reference": "Patient/h1"}), deleted=True, hidden=True),
        Thing({"resourceType": "Device", "id": "unit-visible"}, paired="v1"),
        Thing({"resourceType": "Device", "id": "unit-hidden"}, hidden=True, paired="h1"),
        Thing({"resourceType": "Device", "id": "unit-denied"}, hidden=True, paired="h2"),
    ]
    for consents, hidden in ((PERMITS, False), (SILENT, True)):
        made += [Thing(one, hidden=hidden) for several in consents.values() for one in several]
    return made


@dataclass(frozen=True, slots=True)
class Question:
    """One request. `follow`: also the next links of the answer."""

    method: str
    path: str
    body: bytes | None = None
    headers: tuple[tuple[str, str], ...] = ()
    follow: int = 0


FHIR = ("Content-Type", "application/fhir+json")


def questions(some: int, seed: int) -> list[Question]:
    """So many of all the questions there are, in random order; always those about quarantine."""
    chance = random.Random(SEED + seed)
    names = [thing.name for thing in things()]
    asked = [*_reads(names), *_searches(names, chance), *_system(names, chance), *_writes(names, chance), *_histories()]
    chosen = [*chance.sample(asked, some), *_readings_sent()]
    chance.shuffle(chosen)
    return chosen


def _reads(names: Sequence[str]) -> Iterator[Question]:
    for name in [*names, *(f"{type}/{ABSENT}" for type in ("Patient", "Observation", "Device", "Consent", "Organization", "Practitioner"))]:
        yield Question("GET", f"/fhir/{name}")
        for version in ("1", "2", "x"):
            yield Question("GET", f"/fhir/{name}/_history/{version}")
        for query in ("", "?_count=1", "?_sort=_lastUpdated&_count=0"):
            yield Question("GET", f"/fhir/{name}/_history{query}", follow=2)
    for name in names[::3]:
        yield Question("GET", f"/fhir/Device/{name.partition('/')[2]}")
        yield Question("HEAD", f"/fhir/{name}")
        yield Question("DELETE", f"/fhir/{name}")


PEOPLE = [*PERMITS, *SILENT, ABSENT]
_CRITERIA = {
    "Patient": """
        name=durand name=dup name=d family=Durand birthdate=1970-05-06 birthdate=lt1980 birthdate=1970 identifier=urn:mrn|4711
        identifier=4711 gender=female active:missing=true name:contains=ran name:exact=Durand gender:not=male
        _has:Observation:patient:code=8867-4 _has:Observation:patient:category=laboratory _has:Observation:performer:code=8867-4
        _has:Observation:subject:date=ge2026-03 _has:Consent:patient:status=active _has:Observation:patient:device.device-name=balance
        organization.name=clinique organization:Organization.name=dupont _has:Device:patient:device-name=balance
    """,
    "Observation": """
        code=8867-4 code=http://loinc.org|29463-7 code=8867-4,2339-0 category=vital-signs category=laboratory date=ge2026-02
        date=2026-03-15 date=lt2026-03 date=ap2026-02 status=final identifier=urn:obs|1 identifier=2 code:not=8867-4
        combo-code=29463-7 device=Device/d1 subject=Location/l1 device:missing=true category:not=laboratory
        patient.name=durand patient.identifier=urn:mrn|4711 patient.birthdate=lt1980 performer:Patient.name=durand
        subject:Patient._has:Observation:patient:category=laboratory patient._has:Consent:patient:status=active
        device.device-name=balance device.patient.name=durand
    """,
    "Consent": "patient.name=durand "
    "status=active status=inactive scope=patient-privacy category=59284-0 date=2026-01-01 period=ge2025 period=lt2026",
    "Device": "device-name=balance status=active identifier:missing=true identifier:missing=false patient.name=durand "
    "_has:Observation:device:code=8867-4 _has:Observation:device:patient.name=durand",
    "Organization": "name=clinique identifier=urn:mrn|4711 _has:Patient:organization:name=durand",
    "Practitioner": "name=durand active:missing=true _has:Observation:performer:code=8867-4",
}
NAMING = {"Observation": ("patient", "subject", "performer"), "Consent": ("patient",), "Device": ("patient",)}
SORTS = {
    "Patient": ["_id", "-birthdate", "family,-_lastUpdated", "name"],
    "Observation": ["date", "-date", "code,date", "_lastUpdated", "status,-_id"],
    "Consent": ["-date", "status", "_lastUpdated"],
    "Device": ["_lastUpdated", "device-name"],
    "Organization": ["name", "-_id"],
    "Practitioner": ["-name"],
}
SHAPES = [
    "",
    "_total=accurate",
    "_summary=count",
    "_count=0",
    "_count=1&_total=accurate",
    "_count=2",
    "_count=3&_total=accurate",
    "_count=1000&_total=accurate",
]


def _histories() -> Iterator[Question]:
    """Across everything there is: the worlds differ in more than half of it."""
    for target, query in product(
        ("", *(f"{type}/" for type in _CRITERIA)), ("", "_count=2&_total=accurate", "_count=0", "_sort=_lastUpdated&_count=5")
    ):
        for when in ("", "_since=2026-11-22T12:00:30Z", "_at=2026-11-22T12:00:40Z", "_at=2025"):
            yield Question("GET", f"/fhir/{target}_history?{'&'.join(part for part in (query, when) if part)}", follow=3)


def _searches(names: Sequence[str], chance: random.Random) -> Iterator[Question]:
    for type, criteria in _CRITERIA.items():
        pairs = criteria.split()
        pairs += [f"{name}={prefix}{id}" for name in NAMING.get(type, ()) for id, prefix in product(PEOPLE, ("", "Patient/"))]
        pairs += [f"_id={name.partition('/')[2]}" for name in names if name.startswith(type)]
        for pair in ["", *pairs]:
            yield _search(type, [pair], chance)
            yield _search(type, [pair, chance.choice(pairs), *chance.sample(["", *pairs], 1)], chance)


INCLUDED = {
    "Patient": [
        "_revinclude=Observation:patient",
        "_include=Patient:organization",
        "_revinclude=Device:patient&_revinclude=Observation:performer",
    ],
    "Observation": ["_include=Observation:patient", "_include=*", "_include=Observation:device&_revinclude:iterate=Observation:device"],
    "Consent": ["_include=Consent:patient", "_include:iterate=*"],
    "Device": ["_include=Device:patient", "_revinclude=Observation:device&_include:iterate=Observation:patient"],
    "Organization": ["_revinclude=Patient:organization", "_revinclude=Observation:*"],
    "Practitioner": ["_revinclude=Observation:performer"],
}


def _search(type: str, pairs: list[str], chance: random.Random) -> Question:
    sort = f"_sort={chance.choice(SORTS[type])}" if chance.random() < 0.5 else ""
    along = chance.choice(INCLUDED[type]) if chance.random() < 0.3 else ""
    query = "&".join(part for part in (*pairs, chance.choice(SHAPES), sort, along) if part)
    if chance.random() < 0.1:
        return Question("POST", f"/fhir/{type}/_search", query.encode(), (("Content-Type", "application/x-www-form-urlencoded"),), follow=2)
    return Question("GET", f"/fhir/{type}?{query}", follow=2)


def _system(names: Sequence[str], chance: random.Random) -> Iterator[Question]:
    """Over several types at once."""
    for _ in range(100):
        types = ",".join(chance.sample([*_CRITERIA, "Patient"], 3)) if chance.random() < 0.7 else ""
        some = ",".join(name.partition("/")[2] for name in chance.sample(names, 8))
        pairs = [f"_type={types}" if types else "", chance.choice(["", f"_id={some}", "_lastUpdated=gt2026-01-01"]), chance.choice(SHAPES)]
        yield Question("GET", f"/fhir?{'&'.join(part for part in pairs if part)}", follow=3)


def _writes(names: Sequence[str], chance: random.Random) -> Iterator[Question]:
    for id in PEOPLE:
        for resource in (
            observation(id),
            observation("v1", performer=[{"reference": f"Patient/{id}"}]),
            observation("v1", note=[{"text": "x", "authorReference": {"reference": f"Patient/{id}"}}], status="nonsense"),
            device(patient={"reference": f"Patient/{id}"}),
            organization(extension=_extension(id)),
            practitioner(meta={"extension": _extension(id)}),
            consent(id),
            patient(link=[{"other": {"reference": f"Patient/{id}"}, "type": "seealso"}]),
        ):
            yield Question("POST", f"/fhir/{resource['resourceType']}", _body(resource), (FHIR,))
    for thing in things():
        resource = thing.resource
        for if_match in chance.sample([None, 'W/"1"', 'W/"2"', 'W/"9"', "*", "nonsense"], 2):
            headers = (FHIR,) if if_match is None else (FHIR, ("If-Match", if_match))
            for id in (resource["id"], ABSENT):
                yield Question("PUT", f"/fhir/{resource['resourceType']}/{id}", _body({**resource, "id": id}), headers)
    for name in names[::4]:
        yield Question("PUT", f"/fhir/{name}", b"{nonsense", (FHIR,))
        yield Question("PUT", f"/fhir/{name}", _body({"resourceType": name.partition("/")[0], "id": "other"}), (FHIR,))


def _readings_sent() -> Iterator[Question]:
    """Devices that are paired with somebody hidden, and one that nobody knows."""
    for unit in ("unit-visible", "unit-hidden", "unit-denied", "unit-unknown"):
        for number, weight in enumerate((71_000, 71_000, 72_000)):
            group = {
                "grpid": 1,
                "attrib": 0,
                "date": 1_780_000_000,
                "category": 1,
                "modified": 1_780_000_000 + number,
                "measures": [{"value": weight, "type": 1, "unit": -3}],
            }
            yield Question("POST", f"/ingest/withings?device={unit}", json.dumps({"measuregrps": [group]}).encode())
    for _ in range(3):
        yield Question("GET", "/quarantine")
        yield Question("POST", "/quarantine/all/replay")


def _body(resource: Json) -> bytes:
    return json.dumps(resource).encode()
