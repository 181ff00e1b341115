"""Random Consents, resources, callers and times, from few values, so that they often meet.

All take a `random.Random`: hypothesis gives one that it can shrink, a big batch a seeded one.
"""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any

from tests.spec.consent.oracle import ACTION, PARTICIPATION, POLICY, REASON, REPLACES, SCOPE, TYPES, URI, Caller

LOINC = "http://loinc.org"
CATEGORY = "http://terminology.hl7.org/CodeSystem/observation-category"
UCUM = "http://unitsofmeasure.org"
PROFILE = "http://hl7.org/fhir/StructureDefinition/vitalsigns"

MOMENTS = (
    "2025",
    "2026",
    "2026-03",
    "2026-03-01",
    "2026-03-31",
    "2026-03-31T23:30:00Z",
    "2026-04-01T00:30:00+01:00",
    "2026-04-01T00:00:00Z",
    "2026-03-31T23:59:59.999Z",
    "2027-02",
)
NOWS = tuple(
    datetime(2026, 3, 1, tzinfo=UTC) + delta
    for delta in (
        -timedelta(days=400),
        -timedelta(microseconds=1),
        timedelta(),
        timedelta(days=20),
        timedelta(days=31),
        timedelta(days=500),
    )
)
CODES: tuple[dict[str, str], ...] = (
    {"system": LOINC, "code": "8867-4"},
    {"system": LOINC, "code": "85354-9"},
    {"system": "http://snomed.info/sct", "code": "8867-4"},
    {"code": "8867-4"},
    {"system": UCUM, "code": "/min"},
)
CLASSES: tuple[dict[str, str], ...] = (
    {"system": TYPES, "code": "Observation"},
    {"system": TYPES, "code": "Patient"},
    {"system": CATEGORY, "code": "vital-signs"},
    {"system": CATEGORY, "code": "laboratory"},
    {"code": "vital-signs"},
    {"system": URI, "code": PROFILE},
    {"code": PROFILE},
    {"system": URI, "code": f"{PROFILE}|4.0.1"},
    {"system": CATEGORY, "code": "https://elsewhere.example/category"},
)
CALLER_NAMES = ("Organization/a", "Organization/b", "Device/c")
REFERENCES = (
    *CALLER_NAMES,
    "Organization/a/_history/2",
    "Practitioner/p",
    "CareTeam/t",
    "#inside",
    "https://elsewhere.example/Organization/a",
)


def case(random: Random) -> tuple[list[dict], Caller, dict, bool, datetime]:
    """(consents of one patient, caller, resource, policy default, now)."""
    consents = [consent(random, str(number)) for number in range(random.choice((0, 1, 1, 2, 2, 3, 4)))]
    return consents, caller(random), resource(random), random.choice((True, False)), random.choice(NOWS)


def caller(random: Random) -> Caller:
    names = frozenset(random.sample(CALLER_NAMES, random.choice((1, 2))))
    return Caller(names=names, purpose=random.choice(("TREAT", "HRESCH")), action=random.choice(("access", "access", "collect")))


def consent(random: Random, id: str) -> dict:
    made: dict[str, Any] = {
        "resourceType": "Consent",
        "id": id,
        "meta": {"versionId": random.choice("123")},
        "status": random.choice(("active",) * 9 + ("inactive",)),
        "scope": {"coding": [{"system": SCOPE, "code": code} for code in random.choice(SCOPES)]},
        "patient": {"reference": "Patient/1"},
    }
    _maybe(random, 0.9, made, "dateTime", lambda: random.choice(("2025", "2026-01-01", "2026-01-01", "2026-01-01T10:00:00Z", "2026-02")))
    _maybe(random, 0.3, made, "policyRule", lambda: {"coding": random.choice(POLICIES)})
    _maybe(random, 0.25, made, "extension", lambda: _replaces(random))
    _maybe(random, 0.9, made, "provision", lambda: provision(random))
    _maybe(random, 0.02, made, "modifierExtension", lambda: [{"url": "https://elsewhere.example/x", "valueBoolean": True}])
    return made


def provision(random: Random) -> dict:
    made: dict[str, Any] = {}
    _maybe(random, 0.85, made, "type", lambda: random.choice(("permit", "permit", "deny")))
    _maybe(random, 0.3, made, "period", lambda: period(random))
    _maybe(random, 0.35, made, "actor", lambda: _some(random, lambda: _actor(random)))
    _maybe(random, 0.25, made, "action", lambda: _some(random, lambda: _action(random)))
    _maybe(random, 0.3, made, "purpose", lambda: _some(random, lambda: _purpose(random)))
    _maybe(random, 0.35, made, "class", lambda: _some(random, lambda: dict(random.choice(CLASSES))))
    _maybe(random, 0.3, made, "code", lambda: _some(random, lambda: {"coding": _some(random, lambda: dict(random.choice(CODES)))}))
    _maybe(random, 0.25, made, "dataPeriod", lambda: period(random))
    for name, value in ODDITIES.items():
        _maybe(random, 0.02, made, name, lambda value=value: value)
    return made


def resource(random: Random) -> dict:
    kind = random.choice(("Observation", "Observation", "Observation", "Observation", "Patient", "Device", "Consent", "Binary"))
    made: dict[str, Any] = {"resourceType": kind, "id": "r"}
    _maybe(random, 0.4, made, "meta", lambda: _meta(random))
    _maybe(random, 0.1, made, "contained", lambda: [{"resourceType": "Device", "type": concept(random), "meta": _meta(random)}])
    if kind == "Consent":
        return consent(random, "r") | made
    if kind == "Binary":
        return made | {"contentType": "application/pdf", "securityContext": {"reference": "Patient/1"}}
    if kind == "Observation":
        made |= {"status": "final", "code": concept(random), "subject": {"reference": "Patient/1"}}
        _maybe(random, 0.8, made, "category", lambda: [{"coding": [random.choice(CATEGORIES)]}])
        _maybe(random, 0.3, made, "component", lambda: [{"code": concept(random), "valueQuantity": {"value": 1, **CODES[4]}}])
        _maybe(random, 0.3, made, "valueCodeableConcept", lambda: concept(random))
        _maybe(random, 0.3, made, "valueQuantity", lambda: {"value": 71, "unit": "beats/minute", **CODES[4]})
        _effective(random, made)
    else:
        _maybe(random, 0.4, made, "type", lambda: concept(random))
        _maybe(random, 0.2, made, "extension", lambda: [{"url": "https://elsewhere.example/y", "valueCoding": dict(random.choice(CODES))}])
    return made


def concept(random: Random) -> dict:
    return {"coding": _some(random, lambda: dict(random.choice(CODES))), "text": "8867-4"}


def period(random: Random) -> dict:
    made: dict[str, str] = {}
    _maybe(random, 0.7, made, "start", lambda: random.choice(MOMENTS))
    _maybe(random, 0.7, made, "end", lambda: random.choice(MOMENTS))
    return made


SCOPES = (("patient-privacy",),) * 8 + ((), ("research",), ("adr",), ("treatment",), ("patient-privacy", "adr"))
POLICIES = (
    [{"system": POLICY, "code": "OPTIN"}],
    [{"system": POLICY, "code": "OPTOUT"}],
    [{"code": "OPTIN"}],
    [{"system": POLICY, "code": "OPTIN"}, {"system": POLICY, "code": "OPTOUT"}],
)
CATEGORIES = (
    {"system": CATEGORY, "code": "vital-signs"},
    {"system": CATEGORY, "code": "laboratory"},
    {"code": "vital-signs"},
    {"system": TYPES, "code": "Patient"},
    {"system": URI, "code": PROFILE},
    {"system": CATEGORY, "code": "https://elsewhere.example/category"},
)
ODDITIES: dict[str, Any] = {
    "provision": [{"type": "deny"}],
    "securityLabel": [{"system": "http://terminology.hl7.org/CodeSystem/v3-Confidentiality", "code": "R"}],
    "data": [{"meaning": "instance", "reference": {"reference": "Observation/r"}}],
    "modifierExtension": [{"url": "https://elsewhere.example/x", "valueBoolean": True}],
}


def _replaces(random: Random) -> list[dict]:
    return _some(random, lambda: {"url": REPLACES, "valueReference": {"reference": f"Consent/{random.choice('0123')}"}})


def _actor(random: Random) -> dict:
    made: dict[str, Any] = {"reference": {"reference": random.choice(REFERENCES[:4] * 4 + REFERENCES)}}
    _maybe(random, 0.5, made, "role", lambda: random.choice(ROLES))
    return made


ROLES: tuple[dict, ...] = (
    {"coding": [{"system": PARTICIPATION, "code": "IRCP"}]},
    {"coding": [{"system": PARTICIPATION, "code": "PRCP"}, {"code": "recipient"}]},
    {"coding": [{"system": PARTICIPATION, "code": "CST"}]},
    {"text": "recipient"},
)


def _action(random: Random) -> dict:
    code = random.choice(("access", "access", "access", "collect", "use", "disclose", "correct"))
    return random.choice(
        (
            {"coding": [{"system": ACTION, "code": code}]},
            {"coding": [{"system": ACTION, "code": code}]},
            {"coding": [{"system": ACTION, "code": code}, {"code": "other"}]},
            {"coding": [{"code": code}]} if random.random() < 0.3 else {"coding": [{"system": ACTION, "code": "access"}]},
        )
    )


def _purpose(random: Random) -> dict:
    system = random.choice((REASON,) * 9 + ("https://elsewhere.example/purposes",))
    return {"system": system, "code": random.choice(("TREAT", "TREAT", "HRESCH", "HPAYMT"))}


def _meta(random: Random) -> dict:
    return {"profile": [random.choice((PROFILE, f"{PROFILE}|4.0.1", f"{PROFILE}|3.0"))], "tag": [dict(random.choice(CODES))]}


def _effective(random: Random, made: dict) -> None:
    name = random.choice(("effectiveDateTime", "effectiveDateTime", "effectiveInstant", "effectivePeriod", "effectiveTiming", None))
    if name == "effectivePeriod":
        ends: Sequence[str] = sorted(random.sample(("2025", "2026-03-10", "2027-02"), 2))
        made[name] = {"start": ends[0], "end": ends[1]}
        _maybe(random, 0.2, made, name, lambda: {"start": ends[0]})
    elif name == "effectiveTiming":
        made[name] = random.choice(({"event": list(random.sample(MOMENTS, 2))}, {"code": {"text": "twice a day"}}))
    elif name:
        made[name] = random.choice(MOMENTS)


def _some(random: Random, make: Any) -> list:
    return [make() for _ in range(random.choice((1, 1, 2)))]


def _maybe(random: Random, likelihood: float, made: dict, name: str, make: Any) -> None:
    if random.random() < likelihood:
        made[name] = make()
