"""Stored Device -> PhdDevice, as HL7 PHD and ANS Mesures de santé want it. Pure.

https://hl7.org/fhir/uv/phd/: identifiers with their types, an EUI in dashes; what kind of device, by specialization; manufacturer
and model. What is not known is said to be unknown (data-absent-reason), never made up.
"""

from collections.abc import Mapping
from typing import Any, Final

from fhir_profiles.canonical import MDC
from fhir_profiles.clock import gateway_device
from fhir_profiles.device import SIMPLE_DEVICE
from fhir_profiles.eui import CONTINUA, eui_48, eui_64
from fhir_profiles.observation import coding_json
from fhir_profiles.shapes.kept import Json, NoPlace, Resource
from fhir_profiles.shapes.parts import codings, follow, only
from fhir_profiles.shapes.tables import PHD_GENERIC, PHD_IDENTIFIERS, PHD_PROFILES

PHD_DEVICE: Final = f"{PHD_PROFILES}PhdDevice"
PHG_DEVICE: Final = f"{PHD_PROFILES}PhgDevice"
UNKNOWN: Final = {"extension": [{"url": "http://hl7.org/fhir/StructureDefinition/data-absent-reason", "valueCode": "unknown"}]}
PASSED_ON: Final = (
    "udiCarrier",
    "status",
    "statusReason",
    "manufacturer",
    "manufactureDate",
    "expirationDate",
    "lotNumber",
    "serialNumber",
    "deviceName",
    "modelNumber",
    "partNumber",
    "version",
    "property",
    "safety",
)


def phd_device(device: Resource) -> Json:
    """A PhdDevice without id. Raises NoPlace for what cannot be one."""
    if "parent" in device:
        raise NoPlace("its device is part of another one, and a personal health device stands alone")
    made: Json = {"resourceType": "Device", "meta": {"profile": [PHD_DEVICE]}, **dict(only(device, PASSED_ON))}
    made["identifier"] = [identifier(one) for one in device.get("identifier", ())]
    if "modelNumber" not in made and made.get("deviceName"):
        made["modelNumber"] = made["deviceName"][0]["name"]
    made["type"] = _type(device.get("type", {}))
    made["specialization"] = [*map(_specialization, device.get("specialization", ()))] or [_generic()]
    if not made["identifier"]:
        raise NoPlace("its device has no identifier")
    follow(made, PHD_DEVICE)
    return made


def identifier(stored: Mapping[str, Any]) -> Json:
    """With its type, and an EUI in capitals and dashes, where the system says that it is one."""
    kind = PHD_IDENTIFIERS.get(stored.get("system", ""))
    if kind is None:
        return dict(stored)
    return {**stored, "type": {"coding": [{"system": CONTINUA, "code": kind}]}, "value": dashed(stored["value"])}


def dashed(value: str) -> str:
    """74e8fffeff051c00 is written 74-E8-FF-FE-FF-05-1C-00; what is no EUI stays as it is."""
    for read in (eui_64, eui_48):
        try:
            return read(value)
        except ValueError:
            continue
    return value


def gateway(software: str) -> Json:
    """The hub itself as a PhgDevice: what received the measurement from the device or its cloud."""
    return {**gateway_device(), "meta": {"profile": [PHG_DEVICE]}, "version": [{"value": software}]}


def _type(stored: Mapping[str, Any]) -> Json:
    """The type of every personal health device, and whatever else is known."""
    others = [one for one in stored.get("coding", ()) if not (one.get("system") == MDC and one.get("code") == SIMPLE_DEVICE.code)]
    return {**stored, "coding": [coding_json(SIMPLE_DEVICE), *others]}


def _specialization(stored: Mapping[str, Any]) -> Json:
    if not codings(stored.get("systemType"), MDC):
        return _generic()
    return dict(stored) if "version" in stored else {**stored, "_version": UNKNOWN}


def _generic() -> Json:
    return {
        "systemType": {"coding": [{"system": MDC, "code": PHD_GENERIC, "display": "MDC_DEV_SPEC_PROFILE_GENERIC"}]},
        "_version": UNKNOWN,
    }


def best_identifier(device: Mapping[str, Any]) -> tuple[str, Any]:
    """(system, value) of the identifier that tells it apart best: an EUI, or the first one."""
    found = device["identifier"]
    best = next((one for one in found if one.get("system") in PHD_IDENTIFIERS), found[0])
    return str(best.get("system", "")), best.get("value", "")
