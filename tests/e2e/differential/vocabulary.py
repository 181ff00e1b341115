"""Few values, so that what is stored and what is asked meet often, and what is nearly the same stands side by side."""

from typing import Any

from tests.e2e.differential.codes import ACT_CODE, CLINICAL, UCUM, VERIFICATION

Json = dict[str, Any]
LOINC, SNOMED, LOCAL = "http://loinc.org", "http://snomed.info/sct", "urn:local"
CATEGORY = "http://terminology.hl7.org/CodeSystem/observation-category"
CONDITION_CATEGORY = "http://terminology.hl7.org/CodeSystem/condition-category"
V3_ROLE = "http://terminology.hl7.org/CodeSystem/v3-ParticipationType"
PROFILES = ("http://example.org/p/a", "http://example.org/p/a|1", "http://example.org/p/a|2", "http://example.org/p/ab")

CODINGS: tuple[Json, ...] = (
    {"system": LOINC, "code": "2339-0", "display": "Glucose sanguin"},
    {"system": SNOMED, "code": "2339-0"},
    {"system": LOCAL, "code": "A", "display": "Été à l'Île"},
    {"system": LOCAL, "code": "a"},
    {"system": LOCAL, "code": "x|y"},
    {"system": LOCAL, "code": "b,c"},
    {"system": LOCAL, "code": "p$q"},
    {"system": "urn:other", "code": "A"},
    {"code": "A", "display": "glucose"},
)
TAGS: tuple[Json, ...] = (*CODINGS[2:4], {"system": "urn:tags", "code": "A"}, {"code": "A"})
WORDS = (
    "Jean-Pierre",
    "jean",
    "O'Brien",
    "Dupont",
    "du Pont",
    "Dupontel",
    "Wolfeschlegelstein",
    "Wolfeschlegelsteiner",
    "Zoé",
    "Zoe",
    "Li",
    "3",
)
CITIES = ("Lyon", "Lyon 3", "Saint-Étienne", "St Etienne", "lyonnais")
IDENTIFIER_SYSTEMS = ("urn:mrn", "urn:other-mrn", None)
IDENTIFIER_VALUES = ("4711", "4711a", "A|1", "a,b", "A")
PHONES = ("0123", "0124", "a@b.example")
DATES = (
    "2024",
    "2025",
    "2025-12",
    "2025-12-31",
    "2026-01",
    "2026-01-01",
    "2026-01-01T00:00:00Z",
    "2026-01-31T23:59:59.999Z",
    "2026-01-31T23:30:00-05:00",
    "2026-02-01T00:30:00+01:00",
    "2026-02-01",
    "2026-02-28",
    "2026-03-01T10:00:00Z",
    "2026-03-01T10:00:00.5Z",
    "2026-11-20",
    "2027-01-01",
)
ASKED_DATES = (
    *DATES,
    "2026-01-01T00:00",
    "2026-01-31T23:59Z",
    "2026-02-01T04:30:00Z",
    "2026-03-01T10:00:00.500Z",
    "2026",
    "2023",
    "2026-11",
)
DAYS = tuple(text for text in DATES if len(text) >= 10)
ENDS = ("2025-06-30", "2026-01-01T00:00:00Z", "2026-01-31T23:59:59.999Z", "2026-02-02", "2026-03-01T10:00:00Z", "2026-11-20")
"""In order: a Period that ends before it starts is refused."""
INSTANTS = tuple(text for text in DATES if "T" in text)
BIRTHS = ("1899", "1950", "1980", "1980-03", "1980-03-05", "1980-03-31", "1980-04-01", "2025-12-31")
NUMBERS = (0, 0.1, 0.25, 0.5, 0.55, 0.9, 0.95, 1)
ASKED_NUMBERS = ("0", "0.1", "0.10", "0.5", "0.50", "5e-1", "0.55", "0.9", "0.95", "1", "1.0", "1e0", "-1", "0.6")
VALUES = (0, 1, 5, 5.0, 5.4, 60, 60.5, 99.5, 100, 100.4, 100.5, 110, 120, 0.005, 37, 310.15)
ASKED_VALUES = (
    "0",
    "1",
    "5",
    "5.0",
    "5.00",
    "5.4",
    "60",
    "99.5",
    "100",
    "100.0",
    "1e2",
    "1.0e2",
    "110",
    "120",
    "0.005",
    "5e-3",
    "37",
    "310.15",
    "-3",
)
UNITS: tuple[Json, ...] = (
    {},
    {"unit": "mg"},
    {"system": UCUM, "code": "mg", "unit": "milligram"},
    {"system": UCUM, "code": "g", "unit": "g"},
    {"system": UCUM, "code": "kg", "unit": "kg"},
    {"system": UCUM, "code": "mm[Hg]", "unit": "mmHg"},
    {"system": UCUM, "code": "mg/dL", "unit": "mg/dL"},
    {"system": UCUM, "code": "g/L", "unit": "g/L"},
    {"system": UCUM, "code": "Cel", "unit": "°C"},
    {"system": UCUM, "code": "K", "unit": "K"},
    {"system": UCUM, "code": "/min", "unit": "/min"},
    {"system": "urn:units", "code": "mg", "unit": "mg"},
)
ASKED_UNITS = (
    "",
    "",
    "||mg",
    "||milligram",
    "||kg",
    "||°C",
    *(f"|{UCUM}|{code}" for code in ("mg", "g", "kg", "mm[Hg]", "mg/dL", "g/L", "Cel", "K", "/min", "/h", "a", "mo", "")),
    "|urn:units|mg",
    "|urn:units|",
)
DURATIONS = ("s", "min", "h", "d")
URLS = ("http://a.example/x", "http://a.example/x/y", "http://a.example/xy", "urn:oid:1.2", "urn:oid:1.2.3", "http://a.example/x/")
CANONICALS = ("http://a.example/x", "http://a.example/x|1", "http://a.example/x|2", "http://a.example/xy")
CLINICAL_STATUS = tuple(
    {"system": CLINICAL, "code": code} for code in ("active", "recurrence", "relapse", "inactive", "remission", "resolved")
)
VERIFICATION_STATUS = tuple({"system": VERIFICATION, "code": code} for code in ("unconfirmed", "provisional", "confirmed"))
CLASSES = tuple({"system": ACT_CODE, "code": code} for code in ("AMB", "IMP", "ACUTE", "EMER"))
STATUS = {
    "Location": ("active", "inactive"),
    "Device": ("active", "inactive"),
    "Observation": ("final", "amended", "corrected", "preliminary"),
    "DiagnosticReport": ("final", "partial"),
    "Encounter": ("planned", "finished"),
    "MedicationStatement": ("active", "completed"),
    "ServiceRequest": ("active", "draft"),
    "RiskAssessment": ("final", "registered"),
}
