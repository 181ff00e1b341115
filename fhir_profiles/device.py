"""A device unit -> FHIR R4 Device. https://hl7.org/fhir/R4/device.html, shaped after HL7 PHD PhdDevice.

Who wears the device is not said here: a pairing is a record of its own, and a Device stays without patient.
"""

from collections.abc import Sequence
from typing import Any, Final

from fhir_profiles.canonical import MDC
from fhir_profiles.catalogue import SPECIALIZATIONS
from fhir_profiles.measurement import Coding

SIMPLE_DEVICE: Final = Coding(system=MDC, code="65573", display="MDC_MOC_VMS_MDS_SIMP")


def device(
    *,
    identifier_system: str,
    identifier: str,
    name: str,
    manufacturer: str | None = None,
    model: str | None = None,
    serial: str | None = None,
    specializations: Sequence[str] = (),
) -> dict[str, Any]:
    """Build a Device without id and meta, which the interaction that creates it gives.

    identifier_system, identifier  the unit in the adapter's own space (`Manifest.identifier_system`)
    name                           the product as the adapter's manifest names it
    manufacturer, model, serial    if the manifest, the payload or the person who pairs says so
    specializations                keys of `catalogue.SPECIALIZATIONS`, e.g. "scale"
    Raises ValueError for an empty text or a specialization that the catalogue does not have.
    """
    texts = {"identifier_system": identifier_system, "identifier": identifier, "name": name, "manufacturer": manufacturer}
    for part, text in texts.items():
        if text is not None and not text.strip():
            raise ValueError(f"{part} is empty")
    resource: dict[str, Any] = {
        "resourceType": "Device",
        "identifier": [{"system": identifier_system, "value": identifier}],
        "status": "active",
        "deviceName": [{"name": name, "type": "manufacturer-name"}],
        "type": {"coding": [_coding(SIMPLE_DEVICE)], "text": "Personal health device"},
    }
    if manufacturer is not None:
        resource["manufacturer"] = manufacturer
    if model:
        resource["modelNumber"] = model
    if serial:
        resource["serialNumber"] = serial
    if specializations:
        resource["specialization"] = [_specialization(key) for key in specializations]
    return resource


def _specialization(key: str) -> dict[str, Any]:
    specialization = SPECIALIZATIONS.get(key)
    if specialization is None:
        raise ValueError("specialization is not in the catalogue")
    return {"systemType": {"coding": [_coding(specialization.coding)], "text": specialization.text}}


def _coding(coding: Coding) -> dict[str, str]:
    return {"system": coding.system, "code": coding.code, "display": coding.display or coding.code}
