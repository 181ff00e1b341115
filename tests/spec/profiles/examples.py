"""One resource that follows each shipped profile, by the id of the profile."""

import json
from typing import Any, Final

from fhir_profiles.profiles import shipped
from fhir_profiles.profiles.vital_signs import PROFILES
from tests.spec.profiles.measurements import built, measurement

LOINC: Final = "http://loinc.org"
MDC: Final = "urn:iso:std:iso:11073:10101"
UCUM: Final = "http://unitsofmeasure.org"
ANS: Final = "https://interop.esante.gouv.fr/ig/fhir/mesures/StructureDefinition/"
PHD: Final = "http://hl7.org/fhir/uv/phd/StructureDefinition/"
HL7: Final = "http://hl7.org/fhir/StructureDefinition/"
IDENTIFIERS: Final = "http://terminology.hl7.org/CodeSystem/ContinuaDeviceIdentifiers"
VITAL: Final = {"system": "http://terminology.hl7.org/CodeSystem/observation-category", "code": "vital-signs"}
ABSENT: Final = {"coding": [{"system": "http://terminology.hl7.org/CodeSystem/data-absent-reason", "code": "unknown"}]}


def concept(system: str, code: str) -> dict[str, Any]:
    return {"coding": [{"system": system, "code": code}]}


def quantity(code: str, value: float = 1) -> dict[str, Any]:
    return {"value": value, "unit": code, "system": UCUM, "code": code}


def ours(key: str) -> dict[str, Any]:
    """What our builder makes of a measure."""
    observation: dict[str, Any] = json.loads(built(measurement(key)))
    return observation


def vital_sign(code: str, **value: Any) -> dict[str, Any]:
    return {
        "resourceType": "Observation",
        "status": "final",
        "category": [{"coding": [VITAL]}],
        "code": concept(LOINC, code),
        "subject": {"reference": "Patient/p"},
        "effectiveDateTime": "2026-11-22T09:30:00+01:00",
        "device": {"reference": "Device/d"},
        **value,
    }


def for_ans(observation: dict[str, Any]) -> dict[str, Any]:
    moment = {"url": f"{ANS}mesures-moment-of-measurement", "valueCodeableConcept": concept("http://example.org/moments", "before-meal")}
    reason = {"url": f"{ANS}mesures-reason-for-measurement", "valueString": "follow-up"}
    return {**observation, "extension": [moment, reason]}


def phd(**value: Any) -> dict[str, Any]:
    return {
        "resourceType": "Observation",
        "meta": {"security": [{"system": "http://terminology.hl7.org/CodeSystem/v3-ActReason", "code": "HTEST"}]},
        "extension": [
            {"url": f"{HL7}observation-gatewayDevice", "valueReference": {"reference": "Device/g"}},
            {"url": f"{PHD}CoincidentTimeStampReference", "valueReference": {"reference": "Observation/c"}},
            {"url": f"{PHD}Confidence95", "valueRange": {"low": quantity("/min", 70), "high": quantity("/min", 74)}},
        ],
        "identifier": [{"system": f"{PHD}PhdBaseObservation", "value": "p-d-149546-837000000"}],
        "status": "final",
        "category": [concept("http://hl7.org/fhir/uv/phd/CodeSystem/PhdObservationCategories", "phd")],
        "code": concept(MDC, "149546"),
        "subject": {"reference": "Patient/p"},
        "effectiveDateTime": "2026-11-22T09:30:00+01:00",
        "interpretation": [concept("http://hl7.org/fhir/uv/pocd/CodeSystem/measurement-status", "early-indication")],
        "device": {"reference": "Device/d"},
        **value,
    }


SUPPLEMENT: Final = {"code": concept(MDC, "68193"), "valueCodeableConcept": concept(MDC, "150588")}


def component(code: str, **value: Any) -> dict[str, Any]:
    return {"code": concept(MDC, code), **value}


def identifier(kind: str, system: str) -> dict[str, Any]:
    return {"type": concept(IDENTIFIERS, kind), "system": system, "value": "74-E8-FF-FE-FF-05-1C-00"}


DEVICE: Final = {
    "resourceType": "Device",
    "identifier": [
        identifier("SYSID", "urn:oid:1.2.840.10004.1.1.1.0.0.1.0.0.1.2680"),
        identifier("BTMAC", "http://hl7.org/fhir/sid/eui-48/bluetooth"),
        identifier("ETHMAC", "http://hl7.org/fhir/sid/eui-48/ethernet"),
    ],
    "manufacturer": "Example",
    "modelNumber": "M1",
    "type": concept(MDC, "65573"),
    "specialization": [{"systemType": concept(MDC, "528391"), "version": "1"}],
}

HDDT_DEVICE: Final = {
    "resourceType": "Device",
    "type": concept("http://snomed.info/sct", "337414009"),
    "definition": {"reference": "https://hiis.bfarm.de/DeviceDefinition/d"},
}
HDDT_CHUNK: Final = {
    "resourceType": "Observation",
    "status": "final",
    "code": concept(LOINC, "99504-3"),
    "effectivePeriod": {"start": "2026-11-22T08:00:00Z", "end": "2026-11-22T08:10:00Z"},
    "valueSampledData": {"origin": quantity("mg/dL", 0), "period": 300000, "dimensions": 1, "data": "110 L"},
    "device": {"reference": "Device/d"},
}


def measures_bundle() -> dict[str, Any]:
    """A measurement on its way to Mon espace santé."""
    subject = {"identifier": {"system": "urn:oid:1.2.250.1.213.1.4.10", "value": "279035121518989"}}
    device = {**DEVICE, "id": "3bc44de3-069d-442d-829b-f3ef68cae371", "meta": {"profile": [f"{PHD}PhdDevice"]}}
    weight = vital_sign("29463-7", valueQuantity=quantity("kg", 71), subject=subject, device={"reference": f"Device/{device['id']}"})
    weight["meta"] = {"profile": [f"{ANS}mesures-fr-observation-body-weight"], "source": "urn:oid:1.2.250.1.99999.1"}
    unless = "identifier=urn:oid:1.2.840.10004.1.1.1.0.0.1.0.0.1.2680|74-E8-FF-FE-FF-05-1C-00"
    return {
        "resourceType": "Bundle",
        "type": "transaction",
        "entry": [
            {
                "fullUrl": f"urn:uuid:{device['id']}",
                "resource": device,
                "request": {"method": "POST", "url": "Device", "ifNoneExist": unless},
            },
            {
                "fullUrl": "urn:uuid:3bc44de3-069d-442d-829b-f3ef68cae372",
                "resource": weight,
                "request": {"method": "POST", "url": "Observation"},
            },
        ],
    }


EXAMPLES: Final[dict[str, dict[str, Any]]] = {
    "vitalsigns": vital_sign("8302-2", component=[{"code": concept(LOINC, "8480-6"), "valueQuantity": quantity("mm[Hg]", 120)}]),
    "vitalspanel": vital_sign("85353-1", hasMember=[{"reference": "Observation/o"}]),
    "resprate": ours("respiratory-rate"),
    "heartrate": ours("heart-rate"),
    "oxygensat": ours("oxygen-saturation"),
    "bodytemp": ours("body-temperature"),
    "bodyheight": ours("body-height"),
    "headcircum": vital_sign("9843-4", valueQuantity=quantity("cm", 40)),
    "bodyweight": ours("body-weight"),
    "bmi": vital_sign("39156-5", valueQuantity=quantity("kg/m2", 22)),
    "bp": ours("blood-pressure"),
    "ans-blood-pressure": for_ans(ours("blood-pressure")),
    "ans-body-weight": for_ans(ours("body-weight")),
    "ans-body-height": for_ans(ours("body-height")),
    "ans-bmi": for_ans(vital_sign("39156-5", valueQuantity=quantity("kg/m2", 22))),
    "ans-heart-rate": for_ans(ours("heart-rate")),
    "ans-body-temperature": for_ans(ours("body-temperature")),
    "ans-oxygen-saturation": for_ans(ours("oxygen-saturation")),
    "ans-respiratory-rate": for_ans(ours("respiratory-rate")),
    "ans-waist-circumference": for_ans(vital_sign("8280-0", valueQuantity=quantity("cm", 90))),
    "ans-steps-by-day": for_ans(vital_sign("41950-7", valueQuantity=quantity("1/(24.h)", 8000))),
    "ans-pain-severity": for_ans(vital_sign("72514-3", valueQuantity={"value": 3, "unit": "Level", "system": UCUM, "code": "1"})),
    "ans-glucose": for_ans(vital_sign("2339-0", valueQuantity=quantity("mg/dL", 92))),
    "ans-hba1c": for_ans(vital_sign("4548-4", valueQuantity=quantity("%", 6.9))),
    "ans-head-circumference": for_ans(
        {
            **vital_sign("9843-4", valueQuantity=quantity("cm", 40)),
            "code": {"coding": [*concept(LOINC, "9843-4")["coding"], *concept(LOINC, "8287-5")["coding"]]},
        }
    ),
    "ans-feed-bundle": measures_bundle(),
    "hddt-blood-glucose": vital_sign("2339-0", valueQuantity=quantity("mg/dL", 120)),
    "hddt-continuous-glucose": HDDT_CHUNK,
    "hddt-blood-pressure": {
        **ours("blood-pressure"),
        "subject": {"identifier": {"system": "http://example.org/pairings", "value": "p"}},
        "device": {"reference": "Device/d"},
    },
    "hddt-device": HDDT_DEVICE,
    "hddt-sensor": {
        "resourceType": "DeviceMetric",
        "type": concept(MDC, "160212"),
        "unit": concept(UCUM, "mg/dL"),
        "source": {"reference": "Device/d"},
        "category": "measurement",
        "calibration": [{"state": "calibrated"}],
    },
    "phd-base-observation": phd(component=[SUPPLEMENT]),
    "phd-numeric-observation": phd(valueQuantity=quantity("/min", 72), component=[SUPPLEMENT]),
    "phd-compound-numeric-observation": phd(component=[component("150021", valueQuantity=quantity("mm[Hg]", 120)), SUPPLEMENT]),
    "phd-compound-observation": phd(
        component=[
            component("150021", valueQuantity=quantity("mm[Hg]", 120)),
            component(
                "150452",
                valueSampledData={
                    "origin": quantity("1"),
                    "period": 2,
                    "factor": 1,
                    "lowerLimit": 0,
                    "upperLimit": 9,
                    "dimensions": 1,
                    "data": "1 2",
                },
            ),
            SUPPLEMENT,
        ]
    ),
    "phd-coded-observation": phd(valueCodeableConcept=concept(MDC, "8410608"), component=[SUPPLEMENT]),
    "phd-string-observation": phd(valueString="text", component=[SUPPLEMENT]),
    "phd-bits-observation": phd(component=[component("150604", valueBoolean=True), SUPPLEMENT]),
    "phd-rtsa-observation": phd(
        valueSampledData={"origin": quantity("1"), "period": 2, "factor": 1, "dimensions": 1, "data": "1 2"}, component=[SUPPLEMENT]
    ),
    "phd-coincident-time-stamp": {
        "resourceType": "Observation",
        "status": "final",
        "code": concept(MDC, "67975"),
        "subject": {"reference": "Device/d"},
        "effectiveDateTime": "2026-11-22T09:30:00+01:00",
        "valueDateTime": "2026-11-22T09:29:58+01:00",
        "device": {"reference": "Device/g"},
        "component": [{"code": concept(MDC, "68220"), "valueCodeableConcept": concept(MDC, "532224")}],
    },
    "phd-device": DEVICE,
    "phg-device": {**DEVICE, "type": concept(MDC, "531981")},
}

PROFILE_OF: Final = {definition["id"]: url for url, definition in shipped().items() if definition["kind"] == "resource"}
CODES: Final = PROFILES
WITH_A_VALUE: Final = {"ans-bmi", "ans-feed-bundle"}


def without_value(resource: dict[str, Any]) -> dict[str, Any]:
    """The same with the reason why there is no value, in the components too."""
    if "component" in resource:
        return {**resource, "component": [without_value(one) for one in resource["component"]], "dataAbsentReason": ABSENT}
    return {**{name: one for name, one in resource.items() if not name.startswith("value")}, "dataAbsentReason": ABSENT}


def examples(id: str) -> list[dict[str, Any]]:
    """All that follow a profile; R4 asks for the value of a BMI itself, and a Bundle has none."""
    absent = [without_value(EXAMPLES[id])] if id.startswith("ans-") and id not in WITH_A_VALUE else []
    return [EXAMPLES[id], *absent]
