"""What comes of each measure of the catalogue in each shape: a measurement of each row is built, stored in mind, and shaped.

`python -m fhir_profiles.shapes.overview` prints the generated part of docs/shapes.md; a test keeps it current.
"""

import json
import sys
from collections.abc import Mapping
from dataclasses import replace
from decimal import Decimal
from typing import Any, Final

from fhir_profiles.building import build
from fhir_profiles.catalogue import MEASURES, Measure
from fhir_profiles.measurement import Amount, Coding, MeasuredValue, Measurement, Strip
from fhir_profiles.shapes import ans, hddt, phd
from fhir_profiles.shapes.kept import About, Kept, Shaped

WHEN, DAY_AFTER = "2026-03-01T00:00:00+01:00", "2026-03-02T00:00:00+01:00"
LASTING: Final = frozenset({"steps"})
"""Measures that count what happened in a while: here, in a day."""
DEVICE: Final[Mapping[str, Any]] = {
    "resourceType": "Device",
    "id": "d",
    "identifier": [{"system": "urn:oid:1.2.840.10004.1.1.1.0.0.1.0.0.1.2680", "value": "74-E8-FF-FE-FF-05-1C-00"}],
    "manufacturer": "Example",
    "deviceName": [{"name": "Example", "type": "manufacturer-name"}],
}
PATIENT: Final = {
    "resourceType": "Patient",
    "id": "p",
    "identifier": [{"system": "urn:oid:1.2.250.1.213.1.4.10", "value": "279035121518989"}],
}
ABOUT: Final = About(base="https://hub.example/fhir", patient=PATIENT, pseudonym="p", now_us=0, source="urn:oid:1.2.250.1.99999")
ELSEWHERE: Final = "it becomes a {type}, and the shapes are of Observations"


def sample(key: str) -> Measurement:
    """A measurement of the row that is possible."""
    measure = MEASURES[key]
    made = Measurement(measure=key, patient="Patient/p", device="Device/d", effective=WHEN, until=DAY_AFTER if key in LASTING else None)
    if measure.components:
        return replace(made, components={name: _value(one) for name, one in measure.components.items()})
    return replace(made, value=_value(measure))


def _value(measure: Measure) -> MeasuredValue:
    if measure.codes:
        system, code = next(iter(measure.codes))
        return Coding(system=system, code=code, display=measure.codes[system, code])
    middle = format(round((measure.low + measure.high) / 2, 1), "f")
    if measure.sampled:
        return Strip(data="1 2 3", period_ms="1000", unit=measure.canonical, origin="0", factor="1")
    return Amount(value=middle if Decimal(middle) else "0", unit=measure.canonical)


def shaped(key: str) -> Mapping[str, str]:
    """By shape the profile that it gets, or why there is no place."""
    measure = MEASURES[key]
    if measure.document or measure.resource_type != "Observation":
        why = ELSEWHERE.format(type="DocumentReference" if measure.document else measure.resource_type)
        return dict.fromkeys(("phd", "ans", "hddt"), why)
    kept = [_kept(key, "o")]
    with_meal = [*kept, _kept("glucose-context-meal", "meal")]
    return {
        "phd": _said(phd.shaped(kept, ABOUT, "1"), 0),
        "ans": _said(ans.shaped(with_meal, ABOUT), 1),
        "hddt": _said(hddt.shaped(kept, ABOUT), 0),
    }


def _kept(key: str, id: str) -> Kept:
    return Kept(observation=json.loads(build(sample(key), id=id, version=1, last_updated="2026-03-01T00:00:00Z")), device=DEVICE)


def _said(found: Shaped, entry: int) -> str:
    """Of the first Observation."""
    left = [one.text for one in found.left if one.reference == "Observation/o" and one.lost]
    if left:
        return f"no: {left[0]}"
    resource = found.matches[0].resource
    observation = resource["entry"][entry]["resource"] if resource["resourceType"] == "Bundle" else resource
    return f"`{observation['meta']['profile'][0].rpartition('/')[2]}`"


def overview() -> str:
    """Markdown: a row for each measure; a reason is a letter, told below."""
    letters: dict[str, str] = {}
    rows = []
    for key in sorted(MEASURES):
        cells = [_cell(text, letters) for text in shaped(key).values()]
        rows.append(f"| `{key}` | {' | '.join(cells)} |")
    reasons = [f"- **{letter}** {text}" for text, letter in letters.items()]
    return "\n".join(["| measure | HL7 PHD | ANS | HDDT |", "|---|---|---|---|", *rows, "", *reasons, ""])


def _cell(text: str, letters: dict[str, str]) -> str:
    if text.startswith("`"):
        return text
    reason = text.removeprefix("no: ")
    return f"– ({letters.setdefault(reason, chr(ord('a') + len(letters)))})"


if __name__ == "__main__":
    sys.stdout.write(overview())
