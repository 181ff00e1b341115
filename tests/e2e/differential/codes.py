"""Units and code systems as the naive evaluator knows them: from UCUM and from R4's terminology, by hand."""

from fractions import Fraction

UCUM = "http://unitsofmeasure.org"
CURRENCIES = "urn:iso:std:iso:4217"

UNITS: dict[str | None, tuple[str, Fraction, Fraction]] = {
    "g": ("g", Fraction(1), Fraction(0)),
    "mg": ("g", Fraction(1, 1000), Fraction(0)),
    "kg": ("g", Fraction(1000), Fraction(0)),
    "mm[Hg]": ("Pa", Fraction("133322.387415"), Fraction(0)),
    "cm": ("m", Fraction(1, 100), Fraction(0)),
    "m": ("m", Fraction(1), Fraction(0)),
    "s": ("s", Fraction(1), Fraction(0)),
    "min": ("s", Fraction(60), Fraction(0)),
    "h": ("s", Fraction(3600), Fraction(0)),
    "d": ("s", Fraction(86400), Fraction(0)),
    "mo": ("s", Fraction(2_629_800), Fraction(0)),
    "a": ("s", Fraction(31_557_600), Fraction(0)),
    "K": ("K", Fraction(1), Fraction(0)),
    "Cel": ("K", Fraction(1), Fraction(27315, 100)),
    "/min": ("/s", Fraction(1, 60), Fraction(0)),
    "/h": ("/s", Fraction(1, 3600), Fraction(0)),
    "mg/dL": ("g/m3", Fraction(10), Fraction(0)),
    "g/L": ("g/m3", Fraction(1000), Fraction(0)),
    "%": ("1", Fraction(1, 100), Fraction(0)),
    "1": ("1", Fraction(1), Fraction(0)),
}
"""Code -> (what it measures, times, plus) to the base unit. https://ucum.org/ucum"""

CLINICAL = "http://terminology.hl7.org/CodeSystem/condition-clinical"
VERIFICATION = "http://terminology.hl7.org/CodeSystem/condition-ver-status"
ACT_CODE = "http://terminology.hl7.org/CodeSystem/v3-ActCode"
OBSERVATION_STATUS = "http://hl7.org/fhir/observation-status"
INTENT = "http://hl7.org/fhir/request-intent"

PARENTS: dict[tuple[str, str], str] = {
    (CLINICAL, "recurrence"): "active",
    (CLINICAL, "relapse"): "active",
    (CLINICAL, "remission"): "inactive",
    (CLINICAL, "resolved"): "inactive",
    (VERIFICATION, "provisional"): "unconfirmed",
    (VERIFICATION, "differential"): "unconfirmed",
    (OBSERVATION_STATUS, "corrected"): "amended",
    (ACT_CODE, "ACUTE"): "IMP",
    (ACT_CODE, "NONAC"): "IMP",
    (INTENT, "original-order"): "order",
    (INTENT, "reflex-order"): "order",
    (INTENT, "filler-order"): "order",
    (INTENT, "instance-order"): "filler-order",
}
"""(system, code) -> the code above it. https://hl7.org/fhir/R4/terminologies-systems.html"""

VALUE_SETS: dict[str, set[tuple[str, str]]] = {
    "http://hl7.org/fhir/ValueSet/condition-clinical": {
        (CLINICAL, code) for code in ("active", "recurrence", "relapse", "inactive", "remission", "resolved")
    },
    "http://hl7.org/fhir/ValueSet/condition-ver-status": {
        (VERIFICATION, code) for code in ("unconfirmed", "provisional", "differential", "confirmed", "refuted", "entered-in-error")
    },
    "http://hl7.org/fhir/ValueSet/observation-status": {
        (OBSERVATION_STATUS, code)
        for code in ("registered", "preliminary", "final", "amended", "corrected", "cancelled", "entered-in-error", "unknown")
    },
}


def above(system: str, code: str) -> list[str]:
    """The code and what stands above it."""
    found = [code]
    while (system, found[-1]) in PARENTS:
        found.append(PARENTS[system, found[-1]])
    return found
