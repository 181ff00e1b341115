"""Resources to ask, and the types of R4 for them."""

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from fhir_profiles.fhirpath import Environment, Temporal

CLOCK = datetime(2026, 11, 29, 9, 30, 15, 250_000, tzinfo=UTC)
PLAIN = Environment(clock=lambda: CLOCK)

PATIENT: dict[str, Any] = {
    "resourceType": "Patient",
    "id": "p1",
    "contained": [{"resourceType": "Organization", "id": "o1", "name": "Clinic"}],
    "active": True,
    "name": [
        {"use": "official", "family": "Essai", "given": ["Anne", "Marie"]},
        {
            "use": "usual",
            "given": ["Nan", None],
            "_given": [None, {"extension": [{"url": "http://example.org/why", "valueCode": "asked"}]}],
        },
    ],
    "gender": "female",
    "birthDate": "1980-02-29",
    "_birthDate": {"extension": [{"url": "http://example.org/at", "valueDateTime": "1980-02-29T07:00:00+01:00"}]},
    "deceasedBoolean": False,
    "multipleBirthInteger": 2,
    "managingOrganization": {"reference": "#o1"},
    "generalPractitioner": [{"reference": "Practitioner/x"}, {"reference": "http://example.org/fhir/Organization/y/_history/2"}],
}

OBSERVATION: dict[str, Any] = {
    "resourceType": "Observation",
    "status": "final",
    "code": {"coding": [{"system": "http://loinc.org", "code": "29463-7"}]},
    "effectiveDateTime": "2026-11-22T09:30:00+01:00",
    "valueQuantity": {"value": 185.0, "unit": "lbs", "system": "http://unitsofmeasure.org", "code": "[lb_av]"},
}


def shown(items: list[Any]) -> list[Any]:
    """As a table of expectations writes them: decimals as numbers, moments as text."""
    return [float(item) if isinstance(item, Decimal) else item.text if isinstance(item, Temporal) else item for item in items]
