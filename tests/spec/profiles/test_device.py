"""A unit -> Device. https://hl7.org/fhir/R4/device.html"""

from typing import Any

import pytest
from fhir.resources.R4B.device import Device

from fhir_profiles import r4
from fhir_profiles.canonical import MDC
from fhir_profiles.catalogue import SPECIALIZATIONS
from fhir_profiles.device import device

UNIT: dict[str, Any] = {"identifier_system": "urn:example:units", "identifier": "SCALE-1", "manufacturer": "Withings", "name": "Body+"}


@pytest.mark.parametrize("more", [{}, {"model": "WBS05"}, {"serial": "0001"}, *({"specializations": [key]} for key in SPECIALIZATIONS)])
def test_what_is_built_is_valid(more: dict[str, Any]) -> None:
    resource = device(**UNIT, **more)
    assert r4.check(resource) == ()
    Device.model_validate(resource)


def test_the_unit_is_found_by_its_identifier_and_said_to_be_a_device_of_the_maker() -> None:
    resource = device(**UNIT, model="WBS05", serial="0001")
    assert resource["identifier"] == [{"system": "urn:example:units", "value": "SCALE-1"}]
    assert resource["status"] == "active"
    assert (resource["manufacturer"], resource["modelNumber"], resource["serialNumber"]) == ("Withings", "WBS05", "0001")
    assert resource["deviceName"] == [{"name": "Body+", "type": "manufacturer-name"}]


def test_type_and_specialization_are_those_of_personal_health_devices() -> None:
    """HL7 PHD PhdDevice: type 65573, specialization from IEEE 11073."""
    resource = device(**UNIT, specializations=["scale", "body-composition"])
    assert resource["type"]["coding"][0] == {"system": MDC, "code": "65573", "display": "MDC_MOC_VMS_MDS_SIMP"}
    codes = [one["systemType"]["coding"][0]["code"] for one in resource["specialization"]]
    assert codes == ["528399", "528404"]


def test_nobody_who_wears_it_is_named() -> None:
    """DESIGN 5: a Device stays without patient; its pairing is a record of its own."""
    assert "patient" not in device(**UNIT)


def test_an_unknown_maker_is_left_out() -> None:
    resource = device(**{part: text for part, text in UNIT.items() if part != "manufacturer"})
    assert "manufacturer" not in resource
    assert r4.check(resource) == ()


@pytest.mark.parametrize("part", sorted(UNIT))
def test_an_empty_text_is_refused(part: str) -> None:
    with pytest.raises(ValueError, match=part):
        device(**(UNIT | {part: " "}))


def test_an_unknown_specialization_is_refused() -> None:
    with pytest.raises(ValueError, match="catalogue"):
        device(**UNIT, specializations=["toaster"])
