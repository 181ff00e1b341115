"""What the patients of a store say: permits and denies of every kind the hub takes, some of them over, some withdrawn.

docs/consent.md. A patient without any is silent, which permits nothing.
"""

from collections.abc import Iterator
from random import Random
from typing import Any

from tests.e2e.differential import vocabulary as v
from tests.spec.consent.oracle import REPLACES
from tests.support.resources import action, actor, concept, consent, purpose

Json = dict[str, Any]
TYPES = "http://hl7.org/fhir/resource-types"
URI = "urn:ietf:rfc:3986"
CLASSES = (
    {"system": TYPES, "code": "Observation"},
    {"system": TYPES, "code": "Patient"},
    {"system": TYPES, "code": "Encounter"},
    {"system": v.CATEGORY, "code": "vital-signs"},
    {"system": v.CATEGORY, "code": "laboratory"},
    {"system": URI, "code": "http://example.org/p/a"},
)
CODES = (concept(v.LOINC, "8867-4"), concept(v.LOINC, "2339-0"), concept(v.LOCAL, "A"))
PERIODS = ({"start": "2025"}, {"end": "2026-10-01"}, {"start": "2026-01-01", "end": "2027"}, {"start": "2027"}, {"end": "2025"})
DATA = ({"start": "2025", "end": "2026-01-31"}, {"start": "2026-01-01"}, {"end": "2026-02"}, {"start": "2026-02-01", "end": "2026-11-20"})
PURPOSES = ("TREAT", "HRESCH", "HPAYMT")


def of_patient(random: Random, patient: str, organizations: list[str], new_id: Any) -> Iterator[Json]:
    """In the order in which they are written; the same id twice is a new version."""
    said: list[Json] = []
    if random.random() < 0.65:
        said.append(made(random, patient, "permit", {}))
    for _ in range(random.choice((0, 1, 1, 2))):
        type = random.choice(("permit", "deny"))
        said.append(made(random, patient, type, provision(random, organizations)))
    for one in said:
        one["id"] = new_id()
        if len(said) > 1 and random.random() < 0.1:
            other = random.choice(said)
            one["extension"] = [{"url": REPLACES, "valueReference": {"reference": f"Consent/{other.get('id', 'none')}"}}]
            one["dateTime"] = random.choice(("2026-01-01", "2026-02"))
        if one.get("extension") and one["extension"][0]["valueReference"]["reference"].endswith("/none"):
            del one["extension"]
        yield one
    for one in said:
        if random.random() < 0.15:
            yield {**one, "status": random.choice(("inactive", "rejected"))}


def made(random: Random, patient: str, type: str, provision: Json) -> Json:
    one = consent(patient.removeprefix("Patient/"), type, provision=provision)
    one["dateTime"] = random.choice(("2025", "2026-01-01", "2026-01-01T10:00:00Z", "2026-02"))
    if provision and random.random() < 0.15:
        one["provision"].pop("type")
        one["policyRule"] = concept("http://terminology.hl7.org/CodeSystem/v3-ActCode", random.choice(("OPTIN", "OPTOUT")))
    if random.random() < 0.1:
        one["meta"] = {"tag": [dict(random.choice(v.TAGS))]}
    return one


def provision(random: Random, organizations: list[str]) -> Json:
    """One or two limits of each rule, seldom none."""
    limits: dict[str, Any] = {
        "class": lambda: random.sample(CLASSES, random.choice((1, 2))),
        "code": lambda: [random.choice(CODES)],
        "dataPeriod": lambda: dict(random.choice(DATA)),
        "actor": lambda: [actor(random.choice(organizations))],
        "purpose": lambda: [purpose(one) for one in random.sample(PURPOSES, random.choice((1, 2)))],
        "period": lambda: dict(random.choice(PERIODS)),
        "action": lambda: [action(random.choice(("access", "access", "collect")))],
    }
    return {name: limits[name]() for name in random.sample(list(limits), random.choice((0, 1, 1, 2)))}
