"""Products and units of the registry as FHIR. https://hl7.org/fhir/R4/devicedefinition.html, HL7 PHD PhdDevice, DEVICES 1.2."""

from dataclasses import replace
from typing import Any

import orjson
import pytest
from fhir.resources.R4B.device import Device
from fhir.resources.R4B.devicedefinition import DeviceDefinition

from fhir_profiles import r4, shipped
from fhir_profiles.eui import SYSTEM_ID, eui_48, eui_64
from fhir_profiles.product import CLASSES, PROPERTY_SYSTEM, STANDING_SYSTEM, STANDING_TEXTS, Product, device_definition, product_of
from fhir_profiles.udi import parse_udi
from fhir_profiles.unit import UnitNames, earlier, end_of, require_of, unit_device, versions_of, with_status, with_versions

PATCH = Product(
    key="acme-patch",
    manufacturer="ACME",
    model="P2",
    name="Patch",
    identifiers=("51022222233336",),
    specializations=("cgm",),
    standing="medical-device",
    risk_class="mdr-iib",
    silence_s=86_400,
    lifetime_s=14 * 86_400,
    drift_s=60,
    battery_low=15,
)
LABEL = parse_udi("(01)51022222233336(17)280707(10)A213B1(21)1234")
NAMES = UnitNames(system="urn:example:units", identifier="U-1", eui_64="74-E8-FF-FE-FF-05-1C-00", bluetooth="00-1C-05-FF-E8-74", udi=LABEL)


@pytest.mark.parametrize("product", [PATCH, replace(PATCH, standing="wellness", risk_class=None, lifetime_s=None, identifiers=())])
def test_a_product_comes_back_from_its_device_definition(product: Product) -> None:
    resource = device_definition(product)
    assert r4.check(resource) == ()
    DeviceDefinition.model_validate(resource)
    assert product_of(orjson.loads(orjson.dumps(resource))) == product


def test_somebody_elses_device_definition_is_no_product() -> None:
    resource = device_definition(PATCH)
    assert product_of({**resource, "identifier": [{"system": "urn:other", "value": "acme-patch"}]}) is None
    assert product_of({**resource, "manufacturerString": ""}) is None


@pytest.mark.parametrize(
    ("changed", "told"),
    [
        ({"key": "Patch 2"}, "lower-case"),
        ({"manufacturer": " "}, "manufacturer"),
        ({"specializations": ("toaster",)}, "toaster"),
        ({"standing": "wellness"}, "class"),
        ({"risk_class": "mdr-iv"}, "class"),
        ({"silence_s": 60}, "15 minutes"),
        ({"lifetime_s": 0}, "positive"),
        ({"battery_low": 101}, "battery"),
    ],
)
def test_a_product_that_cannot_be_is_refused(changed: dict[str, Any], told: str) -> None:
    with pytest.raises(ValueError, match=told):
        replace(PATCH, **changed)


def test_the_standing_is_a_tag_and_phds_regulation_status() -> None:
    """A medical device bears `medical-device` and its class; PHD: bit 0 of 532354 is set for what is not regulated."""
    made = unit_device(NAMES, PATCH, definition="DeviceDefinition/p")
    assert [tag["code"] for tag in made["meta"]["tag"]] == ["medical-device", "mdr-iib"]
    assert made["property"][0]["type"]["coding"][0]["code"] == "532354.0"
    assert made["property"][0]["valueCode"][0]["coding"][0]["code"] == "N"
    wellness = unit_device(NAMES, replace(PATCH, standing="wellness", risk_class=None), definition="DeviceDefinition/p")
    assert wellness["property"][0]["valueCode"][0]["coding"][0]["code"] == "Y"
    assert "property" not in unit_device(NAMES, replace(PATCH, standing="not-known", risk_class=None), definition="DeviceDefinition/p")


def test_the_codes_of_ours_are_defined() -> None:
    systems = [one for one in shipped.resources() if one["url"] in (STANDING_SYSTEM, PROPERTY_SYSTEM)]
    ours = {one["url"]: {concept["code"]: concept["display"] for concept in one["concept"]} for one in systems}
    assert ours[STANDING_SYSTEM] == dict(STANDING_TEXTS)
    used = [one["type"]["coding"][0] for one in device_definition(PATCH)["property"]]
    assert {one["code"] for one in used if one["system"] == PROPERTY_SYSTEM} == set(ours[PROPERTY_SYSTEM])
    assert set(CLASSES) < set(STANDING_TEXTS)


def test_a_unit_says_what_its_label_says() -> None:
    """R4 Device.udiCarrier; PHD: SYSID and BTMAC are identifiers with these systems."""
    made = unit_device(NAMES, PATCH, definition="DeviceDefinition/p")
    assert r4.check(made) == ()
    Device.model_validate(made)
    assert made["udiCarrier"][0]["deviceIdentifier"] == "51022222233336"
    assert made["udiCarrier"][0]["carrierHRF"] == LABEL.carrier
    assert (made["serialNumber"], made["lotNumber"], made["expirationDate"]) == ("1234", "A213B1", "2028-07-07")
    assert {one["system"]: one["value"] for one in made["identifier"]}[SYSTEM_ID] == "74-E8-FF-FE-FF-05-1C-00"
    assert made["specialization"][0]["systemType"]["coding"][0]["code"] == "528409"


def test_what_expires_first_counts() -> None:
    """A date alone means its end."""
    made = unit_device(NAMES, PATCH, definition="DeviceDefinition/p", expires="2028-07-09T00:00:00Z")
    assert made["expirationDate"] == "2028-07-07"
    assert earlier("2028-07-07T10:00:00Z", "2028-07-07") == "2028-07-07T10:00:00Z"
    assert [end_of(text).isoformat() for text in ("2028-12", "2028", "2028-02-29")] == [
        "2029-01-01T00:00:00+00:00",
        "2029-01-01T00:00:00+00:00",
        "2028-03-01T00:00:00+00:00",
    ]


def test_two_serial_numbers_are_refused_and_so_is_another_products_label() -> None:
    with pytest.raises(ValueError, match="serial"):
        unit_device(replace(NAMES, serial="9"), PATCH, definition="DeviceDefinition/p")
    with pytest.raises(ValueError, match="none of acme-patch's"):
        require_of(PATCH, parse_udi("(01)00844588003288"))


def test_a_version_is_changed_only_when_it_changed() -> None:
    """PHD: firmware 531976, software 531975, hardware 531974."""
    made = unit_device(NAMES, PATCH, definition="DeviceDefinition/p")
    first = with_versions(made, {"firmware": "1.0", "hardware": "A"})
    assert first is not None
    assert [one["type"]["coding"][0]["code"] for one in first["version"]] == ["531976", "531974"]
    assert with_versions(first, {"firmware": "1.0"}) is None
    second = with_versions(first, {"firmware": "1.1", "software": "s"})
    assert second is not None
    assert versions_of(second) == {"firmware": "1.1", "hardware": "A", "software": "s"}
    assert (versions_of(first), "version" in made) == ({"firmware": "1.0", "hardware": "A"}, False)


@pytest.mark.parametrize("status", ["active", "inactive", "unknown"])
def test_a_status_has_its_reason(status: Any) -> None:
    made = with_status(with_status(unit_device(NAMES, PATCH, definition="DeviceDefinition/p"), "unknown"), status)
    assert r4.check(made) == ()
    assert (made["status"], "statusReason" in made) == (status, status != "active")


@pytest.mark.parametrize("text", ["74-e8-ff-fe-ff-05-1c-00", "74E8FFFEFF051C00", "74:E8:FF:FE:FF:05:1C:00"])
def test_an_eui_64_is_written_as_phd_writes_it(text: str) -> None:
    assert eui_64(text) == "74-E8-FF-FE-FF-05-1C-00"


@pytest.mark.parametrize(
    "text", ["", "74-E8", "0" * 16, "F" * 16, "74:E8-FF-FE-FF-05-1C-00", "74-E8-FF-FE-FF-05-1C-0G", "74-E8-FF-FE-FF-05-1C-00-"]
)
def test_what_is_no_eui_64_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="EUI-64"):
        eui_64(text)


def test_a_bluetooth_address_is_an_eui_48() -> None:
    assert eui_48("00:1c:05:ff:e8:74") == "00-1C-05-FF-E8-74"
    with pytest.raises(ValueError, match="EUI-48"):
        eui_48("74-E8-FF-FE-FF-05-1C-00")
