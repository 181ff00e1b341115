"""ANS Mesures de santé: each Observation as the transaction by which it reaches Mon espace santé. Pure.

https://interop.esante.gouv.fr/ig/fhir/mesures, release 3.1.1 (IHE POU, PCH-01). A Bundle holds one Observation and the PhdDevice
that measured it, created there unless its OID and identifier are known. What the feed refuses (422) has no place here, with the
reason.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any, Final, NamedTuple

from fhir_profiles.canonical import LOINC, MDC, OBSERVATION_CATEGORY, ORIGINAL_VALUE, UCUM
from fhir_profiles.catalogue import MEASURES
from fhir_profiles.observation import coding_json
from fhir_profiles.shapes.device import best_identifier, phd_device
from fhir_profiles.shapes.kept import About, Entry, Json, Kept, Left, NoPlace, Resource, Shaped
from fhir_profiles.shapes.parts import (
    NO_LONGER_TRUE,
    absolute,
    codings,
    decimal_of,
    decimal_text,
    extension,
    follow,
    named,
    span,
    with_extensions,
)
from fhir_profiles.shapes.tables import (
    ANS_BY_LOINC,
    ANS_DAYS,
    ANS_EXTENSIONS,
    ANS_MOMENT_OF_MEAL,
    ANS_MOMENTS,
    ANS_SINGLE_READING,
    ANS_SUBJECTS,
    AnsMeasure,
)

FEED: Final = "https://interop.esante.gouv.fr/ig/fhir/mesures/StructureDefinition/mesures-bundle-flux-alimentation"
OID: Final = re.compile(r"urn:oid:[0-9]+(?:\.[0-9]+)+")
IDENTIFIER: Final = re.compile(r"[a-zA-Z0-9]+(?:-?[a-zA-Z0-9]+)+")
"""What the feed takes behind the OID."""
MEAL: Final = "8417864"
"""MDC_CTXT_GLU_MEAL: the meal that a glucose meter names beside the value."""
DAY_S: Final = (23 * 3600, 25 * 3600)
"""A day by the local calendar, those on which the clock is changed included."""
SAME: Final = {"1/min": "/min", "{beats}/min": "/min", "{breaths}/min": "/min", "{steps}": "1/(24.h)", "/d": "1/(24.h)"}
"""Units that are equal to those that a profile fixes: the digits stay."""
LEFT_OUT: Final = frozenset({"id", "meta", "text", "identifier", "performer", "encounter", "device", "subject"})
"""Elements that lead to resources which the other side does not have."""


class Value(NamedTuple):
    """A quantity in the unit that the profile fixes, and the one it was worked out from, if it was."""

    quantity: Json
    original: Mapping[str, Any] | None


@dataclass(slots=True, kw_only=True)
class _Context:
    """What holds for all Observations of one answer: for whom, the meals told beside values, each device made once."""

    about: About
    meals: Mapping[tuple[str, str], str]
    devices: dict[str, tuple[Json, str]] = field(default_factory=dict)

    def device(self, stored: Resource) -> tuple[Json, str]:
        id = str(stored["id"])
        if id not in self.devices:
            self.devices[id] = _device(stored, self.about)
        return self.devices[id]


def shaped(kept: Sequence[Kept], about: About) -> Shaped:
    """A transaction for each Observation, in order."""
    found, context = Shaped(), _Context(about=about, meals=_meals(kept))
    for one in kept:
        try:
            bundle = _bundle(one, context)
        except NoPlace as why:
            found.left.append(Left(reference=one.reference, text=str(why)))
            continue
        found.matches.append(Entry(url=f"urn:uuid:{named('ans', 'Bundle', one.reference)}", resource=bundle))
        if "performer" in one.observation:
            found.left.append(Left(reference=one.reference, text="who measured is left out: the other side does not know them", lost=False))
    return found


def _bundle(kept: Kept, context: _Context) -> Json:
    stored = kept.observation
    measure = _measure(stored)
    if kept.device is None:
        raise NoPlace("it names no device that this caller may see, and each transaction creates one")
    device, unless = context.device(kept.device)
    observation = _observation(stored, measure, context.about, context.meals)
    observation["device"] = {"reference": f"Device/{device['id']}"}
    follow(observation, measure.profile)
    bundle: Json = {
        "resourceType": "Bundle",
        "type": "transaction",
        "entry": [
            {
                "fullUrl": f"urn:uuid:{device['id']}",
                "resource": device,
                "request": {"method": "POST", "url": "Device", "ifNoneExist": f"identifier={unless}"},
            },
            {
                "fullUrl": f"urn:uuid:{named('ans', kept.reference)}",
                "resource": observation,
                "request": {"method": "POST", "url": "Observation"},
            },
        ],
    }
    follow(bundle, FEED)
    return bundle


def _measure(stored: Resource) -> AnsMeasure:
    measure = next((ANS_BY_LOINC[code] for code in codings(stored.get("code"), LOINC) if code in ANS_BY_LOINC), None)
    if measure is None:
        raise NoPlace("Mesures de santé has no profile for its code")
    if measure.refused is not None:
        raise NoPlace(measure.refused)
    if stored["status"] in NO_LONGER_TRUE:
        raise NoPlace("it was entered in error")
    return measure


def _device(stored: Resource, about: About) -> tuple[Json, str]:
    """And the identifier, system|value, by which it is known there; one of another form gets a name below the OID of the sender."""
    made = phd_device(stored)
    system, value = best_identifier(made)
    if OID.fullmatch(system) is None or IDENTIFIER.fullmatch(value) is None:
        system, value = str(about.source), named("unit", system, value)
        made["identifier"] = [{"system": system, "value": value}, *made["identifier"]]
    return {"resourceType": "Device", "id": named("ans", "Device", str(stored["id"])), **made}, f"{system}|{value}"


def _observation(stored: Resource, measure: AnsMeasure, about: About, meals: Mapping[tuple[str, str], str]) -> Json:
    made: Json = absolute({name: one for name, one in stored.items() if name not in LEFT_OUT}, about.base)
    made["meta"] = {"profile": [measure.profile], "source": about.source}
    if "security" in stored.get("meta", {}):
        made["meta"]["security"] = stored["meta"]["security"]
    made["category"] = _categories(stored.get("category", ()))
    made["code"] = _code(stored["code"], measure)
    made["subject"] = {"identifier": _subject(about.patient)}
    if measure.components:
        _components(made, measure)
    else:
        value = _value(stored, measure, about)
        made["valueQuantity"] = value.quantity
        if value.original is not None:
            with_extensions(made, [_original(stored["code"], value.original)])
    with_extensions(made, _needed(stored, measure, meals))
    return made


def _subject(patient: Resource) -> Json:
    known = {one.get("system"): one for one in patient.get("identifier", ()) if "value" in one}
    system = next((one for one in ANS_SUBJECTS if one in known), None)
    if system is None:
        raise NoPlace("the patient has no identifier of Mon espace santé and no INS")
    return {"system": system, "value": known[system]["value"]}


def _categories(stored: Sequence[Any]) -> list[Any]:
    if any("vital-signs" in codings(one, OBSERVATION_CATEGORY) for one in stored):
        return [*stored]
    return [{"coding": [{"system": OBSERVATION_CATEGORY, "code": "vital-signs", "display": "Vital Signs"}]}, *stored]


def _code(stored: Mapping[str, Any], measure: AnsMeasure) -> Json:
    """What the profile asks for in front of what is stored."""
    there = {(one.get("system"), one.get("code")) for one in stored["coding"]}
    missing = [coding_json(one) for one in measure.beside if (one.system, one.code) not in there]
    return {**stored, "coding": [*missing, *stored["coding"]]}


def _components(made: Json, measure: AnsMeasure) -> None:
    """Each of those that the feed wants has a value, in the unit of the profile."""
    valued = {code for one in made.get("component", ()) if _is_valued(one, measure.unit) for code in codings(one.get("code"), LOINC)}
    if not set(measure.components) <= valued:
        raise NoPlace("a part of it has no value in the unit of the profile, and the feed takes none without")
    made["component"] = [one for one in made["component"] if _is_valued(one, measure.unit)]


def _is_valued(component: Mapping[str, Any], unit: str) -> bool:
    quantity = component.get("valueQuantity", {})
    return "value" in quantity and quantity.get("code") == unit


def _value(stored: Resource, measure: AnsMeasure, about: About) -> Value:
    quantity = stored.get("valueQuantity")
    if quantity is None or "value" not in quantity:
        raise NoPlace("it has no quantity, and the feed takes none without")
    unit = quantity.get("code") if quantity.get("system") == UCUM else None
    original = extension(quantity, ORIGINAL_VALUE)
    plain = {name: one for name, one in quantity.items() if name != "extension"}
    if SAME.get(str(unit), unit) == measure.unit:
        written = {**plain, "code": measure.unit, "unit": _label(measure, plain)}
        return Value(written, None if original is None else original["valueQuantity"])
    value = about.number(_converted(quantity["value"], unit, measure))
    return Value({**plain, "value": value, "code": measure.unit, "unit": measure.unit}, plain)


def _label(measure: AnsMeasure, quantity: Mapping[str, Any]) -> str:
    """The head circumference fixes the text of its unit too."""
    return measure.unit if measure.key == "head-circumference" or "unit" not in quantity else str(quantity["unit"])


def _converted(number: Any, unit: str | None, measure: AnsMeasure) -> str:
    """By the catalogue, as an adapter's value would be."""
    row = MEASURES.get(measure.key)
    if row is None or unit is None or unit not in row.units or row.canonical != measure.unit:
        raise NoPlace("its unit is not the one that the profile fixes, and none that the catalogue converts to it")
    return row.units[unit].conversion.text(decimal_of(number))


def _original(code: Mapping[str, Any], quantity: Mapping[str, Any]) -> Json:
    """What was measured before the unit was changed; the guide gives the value as a concept."""
    text = f"{decimal_text(quantity['value'])} {quantity.get('code', '')}".strip()
    return {
        "url": ANS_EXTENSIONS["original"],
        "extension": [
            {"url": "has-been-converted", "valueBoolean": True},
            {"url": "original-code", "valueCodeableConcept": code},
            {"url": "original-value", "valueCodeableConcept": {"text": text}},
        ],
    }


def _needed(stored: Resource, measure: AnsMeasure, meals: Mapping[tuple[str, str], str]) -> list[Json]:
    """The extensions without which the feed refuses it. Reason, origin and what else came with it stay as they are."""
    if measure.needs == "moment" and extension(stored, ANS_EXTENSIONS["moment"]) is None:
        meal = meals.get(_place(stored))
        if meal is None:
            raise NoPlace(
                "at which moment of the day it was measured (before or after a meal, fasting) is not known, and the feed wants it"
            )
        return [_coded("moment", ANS_MOMENTS[ANS_MOMENT_OF_MEAL[meal]])]
    if measure.needs == "days" and extension(stored, ANS_EXTENSIONS["days"]) is None:
        return [_coded("days", ANS_DAYS[ANS_SINGLE_READING])]
    if measure.needs == "day":
        between = span(stored)
        seconds = Decimal(between.end_us - between.start_us) / 1_000_000
        single = "effectiveDateTime" in stored and "41950-7" in codings(stored["code"], LOINC)
        if not (single or DAY_S[0] <= seconds <= DAY_S[1]):
            raise NoPlace("it counts another time than one day")
    return []


def _coded(key: str, coding: Any) -> Json:
    return {"url": ANS_EXTENSIONS[key], "valueCodeableConcept": {"coding": [coding_json(coding)]}}


def _meals(kept: Sequence[Kept]) -> Mapping[tuple[str, str], str]:
    """The meals that devices named, by device and time."""
    found = {}
    for one in kept:
        if MEAL in codings(one.observation.get("code"), MDC):
            for code in codings(one.observation.get("valueCodeableConcept"), MDC):
                if code in ANS_MOMENT_OF_MEAL:
                    found[_place(one.observation)] = code
    return found


def _place(stored: Resource) -> tuple[str, str]:
    return str(stored.get("device", {}).get("reference")), str(stored.get("effectiveDateTime"))
