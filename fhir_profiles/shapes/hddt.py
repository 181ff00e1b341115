"""gematik HDDT: measurements for German digital health applications (SGB V § 374a). Pure.

https://gematik.de/fhir/hddt, version 1.0.1. Who the person is stays here: a pseudonym stands for the subject, references to
anybody are left out, and only what the profiles know is taken over. Glucose of a sensor leaves as chunks (`hddt_series`).
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from fhir_profiles.canonical import BASE, LOINC, MEASUREMENT_QUALITY, UCUM
from fhir_profiles.shapes.hddt_device import Devices
from fhir_profiles.shapes.hddt_series import Sensors
from fhir_profiles.shapes.kept import About, Entry, Json, Kept, Left, NoPlace, Resource, Shaped
from fhir_profiles.shapes.parts import NO_LONGER_TRUE, Span, codings, follow, named, only, span
from fhir_profiles.shapes.tables import HDDT_BY_LOINC, HddtMeasure

PAIRING: Final = f"{BASE}/pairing"
"""System of the pseudonym: one for each client and patient."""
OF_OBSERVATION: Final = ("status", "category", "code", "effectiveDateTime", "dataAbsentReason", "bodySite", "valueQuantity", "component")
SAID_OTHERWISE: Final = frozenset({"resourceType", "id", "meta", "extension", "subject", "device", "text", *OF_OBSERVATION})


def shaped(kept: Sequence[Kept], about: About) -> Shaped:
    """Single measurements and chunks, in the order of time."""
    found, devices = Shaped(), Devices(about=about)
    sensors = Sensors(devices=devices)
    placed: list[tuple[int, Entry]] = []
    for one in kept:
        try:
            measure, between = _measure(one.observation), span(one.observation)
            if measure.kind == "chunk":
                sensors.take(one, measure, between)
            elif asked_for(between, about):
                placed.append((between.start_us, _single(one, measure, devices, between)))
                found.left += _left_out(one)
        except NoPlace as why:
            found.left.append(Left(reference=one.reference, text=str(why)))
    placed += sensors.chunks()
    found.matches = [entry for _, entry in sorted(placed, key=lambda one: one[0])]
    found.left += sensors.left
    _bring(found, devices.made)
    return found


def asked_for(between: Span, about: About) -> bool:
    return (about.from_us is None or between.end_us >= about.from_us) and (about.until_us is None or between.start_us < about.until_us)


def _measure(stored: Resource) -> HddtMeasure:
    measure = next((HDDT_BY_LOINC[code] for code in codings(stored.get("code"), LOINC) if code in HDDT_BY_LOINC), None)
    if measure is None:
        raise NoPlace("HDDT has no value of its code")
    if stored["status"] in NO_LONGER_TRUE:
        raise NoPlace("it was entered in error")
    return measure


def _single(kept: Kept, measure: HddtMeasure, devices: Devices, between: Span) -> Entry:
    stored, about = kept.observation, devices.about
    made: Json = {"resourceType": "Observation", "meta": meta(stored, measure.profile), **dict(only(stored, OF_OBSERVATION))}
    made["subject"] = {"identifier": {"system": PAIRING, "value": about.pseudonym}}
    quality = [one for one in stored.get("extension", ()) if one.get("url") == MEASUREMENT_QUALITY]
    if quality:
        made["extension"] = quality
    if measure.components:
        made["component"] = [one for one in stored.get("component", ()) if set(codings(one.get("code"), LOINC)) & set(measure.components)]
    elif "valueQuantity" in stored:
        _same_unit(stored["code"], stored["valueQuantity"], measure)
    made["device"] = {"reference": devices.of(kept, measure.kind, between.start_us)}
    follow(made, measure.profile)
    return Entry(url=f"urn:uuid:{named('hddt', about.pseudonym, kept.reference)}", resource=made)


def meta(stored: Resource, profile: str) -> Json:
    made: Json = {"profile": [profile]}
    if "security" in stored.get("meta", {}):
        made["security"] = stored["meta"]["security"]
    return made


def _same_unit(code: Mapping[str, Any], quantity: Mapping[str, Any], measure: HddtMeasure) -> None:
    """Whoever receives it compares them and throws away what does not fit."""
    wanted = {measure.units[one] for one in codings(code, LOINC) if one in measure.units}
    if quantity.get("system") != UCUM or quantity.get("code") not in wanted:
        raise NoPlace("its unit is not the one that its LOINC code stands for")


def _left_out(kept: Kept) -> Iterator[Left]:
    names = sorted(name for name in kept.observation if name not in SAID_OTHERWISE and not name.startswith("_"))
    if names:
        yield Left(
            reference=kept.reference,
            text=f"left out, for the profile does not know it or it may name somebody: {', '.join(names)}",
            lost=False,
        )


def _bring(found: Shaped, made: Mapping[str, Entry]) -> None:
    """What the entries lead to, and no more: a device of which nothing was taken stays."""
    wanted = {entry.resource["device"]["reference"] for entry in found.matches}
    wanted |= {made[url].resource["source"]["reference"] for url in wanted if "source" in made[url].resource}
    for url, entry in made.items():
        if url in wanted:
            found.bring(entry)
