"""A product of the registry <-> FHIR R4 DeviceDefinition. https://hl7.org/fhir/R4/devicedefinition.html

What holds for every unit of a model is said once: names, device identifier, specialization, what the maker's papers say it is, and the
limits that the watch goes by. docs/adr/0015 says why it is this resource. Limits are properties with codes of our own, in UCUM.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, Final, Literal, get_args

from fhir_profiles.canonical import BASE, MDC, UCUM
from fhir_profiles.catalogue import SPECIALIZATIONS
from fhir_profiles.udi import parse_identifier

PRODUCT_SYSTEM: Final = f"{BASE}/product"
STANDING_SYSTEM: Final = f"{BASE}/CodeSystem/device-standing"
PROPERTY_SYSTEM: Final = f"{BASE}/CodeSystem/device-property"
REGULATION: Final = "532354.0"
"""Bit 0 of MDC_REG_CERT_DATA_CONTINUA_REG_STATUS, as PHD writes it."""
ASN1: Final = "http://terminology.hl7.org/CodeSystem/ASN1ToHL7"
ABSENT: Final = "http://hl7.org/fhir/StructureDefinition/data-absent-reason"
YES_NO: Final = "http://terminology.hl7.org/CodeSystem/v2-0136"

Standing = Literal["medical-device", "wellness", "not-known"]
STANDINGS: Final[tuple[Standing, ...]] = get_args(Standing)
STANDING_TEXTS: Final[Mapping[str, str]] = MappingProxyType(
    {
        "medical-device": "Medical device",
        "wellness": "Wellness product",
        "not-known": "Not known",
        "mdr-i": "Medical device of class I (Regulation (EU) 2017/745)",
        "mdr-iia": "Medical device of class IIa (Regulation (EU) 2017/745)",
        "mdr-iib": "Medical device of class IIb (Regulation (EU) 2017/745)",
        "mdr-iii": "Medical device of class III (Regulation (EU) 2017/745)",
        "ivdr-a": "In vitro diagnostic medical device of class A (Regulation (EU) 2017/746)",
        "ivdr-b": "In vitro diagnostic medical device of class B (Regulation (EU) 2017/746)",
        "ivdr-c": "In vitro diagnostic medical device of class C (Regulation (EU) 2017/746)",
        "ivdr-d": "In vitro diagnostic medical device of class D (Regulation (EU) 2017/746)",
    }
)
CLASSES: Final = tuple(code for code in STANDING_TEXTS if code not in STANDINGS)

HOUR_S: Final = 3_600
SILENCE_MIN_S: Final = 900
"""The hub notes that a unit was seen every five minutes at most: a shorter silence could not be told from that."""
SILENCE_S: Final = 48 * HOUR_S
DRIFT_S: Final = 120
BATTERY_LOW: Final = 20

_KEY = re.compile(r"[a-z0-9](?:[a-z0-9-]{0,62}[a-z0-9])?")
_PROPERTIES: Final = {
    "silence_s": ("silence-limit", "s"),
    "lifetime_s": ("wear-time", "s"),
    "drift_s": ("clock-limit", "s"),
    "battery_low": ("battery-limit", "%"),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Product:
    """key          its name in the registry, e.g. "acme-patch-2"
    identifiers     device identifiers (UDI-DI): as they are read on its labels when it is registered, bare when it is read
    specializations keys of `catalogue.SPECIALIZATIONS`
    standing, risk_class  what the maker's papers say it is, and of which class (`CLASSES`)
    silence_s       a unit that somebody has and that is not heard of for longer is silent
    lifetime_s      how long a unit may be worn, if that is limited
    drift_s         how far its clock may be off; battery_low: the charge in percent from which on it is low
    """

    key: str
    manufacturer: str
    model: str
    name: str
    identifiers: tuple[str, ...] = ()
    specializations: tuple[str, ...] = ()
    standing: Standing = "not-known"
    risk_class: str | None = None
    silence_s: int = SILENCE_S
    lifetime_s: int | None = None
    drift_s: int = DRIFT_S
    battery_low: int = BATTERY_LOW

    def __post_init__(self) -> None:
        """Raises ValueError with a text for people."""
        if not _KEY.fullmatch(self.key):
            raise ValueError("a product's name has 1 to 64 lower-case letters, digits and hyphens")
        for part, text in {"manufacturer": self.manufacturer, "model": self.model, "name": self.name}.items():
            if not text.strip():
                raise ValueError(f"the {part} is empty")
        if unknown := [key for key in self.specializations if key not in SPECIALIZATIONS]:
            raise ValueError(f"{unknown[0]} is no specialization; there are: {', '.join(sorted(SPECIALIZATIONS))}")
        if self.standing not in STANDINGS:
            raise ValueError(f"the standing is one of {', '.join(STANDINGS)}")
        if self.risk_class is not None and (self.standing != "medical-device" or self.risk_class not in CLASSES):
            raise ValueError(f"a medical device, and nothing else, has a class: {', '.join(CLASSES)}")
        if self.silence_s < SILENCE_MIN_S:
            raise ValueError(f"a silence of less than {SILENCE_MIN_S // 60} minutes cannot be told")
        if (self.lifetime_s is not None and self.lifetime_s <= 0) or self.drift_s <= 0 or not 0 <= self.battery_low <= 100:  # noqa: PLR2004  percent
            raise ValueError("limits are positive, and the battery's is between 0 and 100")

    @property
    def tags(self) -> list[dict[str, str]]:
        """The standing, and the class beside it: so that all medical devices are found by one code (`_tag`)."""
        codes = [self.standing, *([self.risk_class] if self.risk_class else [])]
        return [{"system": STANDING_SYSTEM, "code": code, "display": STANDING_TEXTS[code]} for code in codes]

    @property
    def regulation(self) -> list[dict[str, Any]]:
        """PHD's bit 0 of MDC 532354: set for a device that is not regulated; nothing where that is not known."""
        if self.standing == "not-known":
            return []
        code = {"system": YES_NO, "code": "N" if self.standing == "medical-device" else "Y"}
        return [
            {
                "type": {"coding": [{"system": ASN1, "code": REGULATION, "display": "negated-regulation-status"}]},
                "valueCode": [{"coding": [code]}],
            }
        ]


NO_PRODUCT: Final = Product(key="none", manufacturer="unknown", model="unknown", name="unknown")
"""The limits of a unit whose product nobody registered."""


def device_definition(product: Product) -> dict[str, Any]:
    """Without id and meta but for tags. Raises fhir_profiles.udi.BadUdi for what is no device identifier."""
    resource: dict[str, Any] = {
        "resourceType": "DeviceDefinition",
        "meta": {"tag": product.tags},
        "identifier": [{"system": PRODUCT_SYSTEM, "value": product.key}],
        "manufacturerString": product.manufacturer,
        "deviceName": [{"name": product.name, "type": "manufacturer-name"}],
        "modelNumber": product.model,
        "type": {"coding": [{"system": MDC, "code": "65573", "display": "MDC_MOC_VMS_MDS_SIMP"}], "text": "Personal health device"},
        "property": properties(product),
    }
    if product.identifiers:
        resource["udiDeviceIdentifier"] = [_udi(one) for one in product.identifiers]
    if product.specializations:
        resource["specialization"] = [{"systemType": SPECIALIZATIONS[key].coding.code} for key in product.specializations]
    return resource


def with_product(resource: Mapping[str, Any], product: Product) -> dict[str, Any]:
    """The DeviceDefinition with other limits or another standing; whatever else it says stays."""
    meta = resource.get("meta", {})
    tags = [*product.tags, *(tag for tag in meta.get("tag", ()) if tag.get("system") != STANDING_SYSTEM)]
    return {**resource, "meta": {**meta, "tag": tags}, "property": properties(product)}


def properties(product: Product) -> list[dict[str, Any]]:
    """Regulation status and limits, as DeviceDefinition.property."""
    return [*product.regulation, *_limits(product)]


def is_regulation(property: Mapping[str, Any]) -> bool:
    """Is this property of a Device or DeviceDefinition PHD's regulation status?"""
    return any(one.get("system") == ASN1 and one.get("code") == REGULATION for one in property.get("type", {}).get("coding", ()))


def product_of(resource: Mapping[str, Any]) -> Product | None:
    """What a DeviceDefinition of the registry says, or None for one of somebody else's."""
    key = next((one["value"] for one in resource.get("identifier", ()) if one.get("system") == PRODUCT_SYSTEM and "value" in one), None)
    if key is None:
        return None
    codes = [one.get("code") for one in resource.get("meta", {}).get("tag", ()) if one.get("system") == STANDING_SYSTEM]
    specializations = {one.coding.code: name for name, one in SPECIALIZATIONS.items()}
    said = [one.get("systemType") for one in resource.get("specialization", ())]
    try:
        return Product(
            key=key,
            manufacturer=resource.get("manufacturerString", ""),
            model=resource.get("modelNumber", ""),
            name=next((one["name"] for one in resource.get("deviceName", ()) if "name" in one), ""),
            identifiers=tuple(one["deviceIdentifier"] for one in resource.get("udiDeviceIdentifier", ())),
            specializations=tuple(specializations[one] for one in said if one in specializations),
            standing=next((code for code in STANDINGS if code in codes), "not-known"),
            risk_class=next((code for code in CLASSES if code in codes), None),
            **_limits_of(resource),
        )
    except (ValueError, TypeError):  # a client has written something else into it
        return None


def _udi(text: str) -> dict[str, Any]:
    """R4 wants a jurisdiction; whoever registers a product says its identifier and not under whose law it was given."""
    found = parse_identifier(text)
    absent = {"extension": [{"url": ABSENT, "valueCode": "unknown"}]}
    return {"deviceIdentifier": found.identifier, "issuer": found.issuer, "_jurisdiction": absent}


def _limits(product: Product) -> list[dict[str, Any]]:
    given = [(code, unit, getattr(product, name)) for name, (code, unit) in _PROPERTIES.items()]
    return [
        {
            "type": {"coding": [{"system": PROPERTY_SYSTEM, "code": code}]},
            "valueQuantity": [{"value": value, "unit": unit, "system": UCUM, "code": unit}],
        }
        for code, unit, value in given
        if value is not None
    ]


def _limits_of(resource: Mapping[str, Any]) -> dict[str, Any]:
    names = {code: name for name, (code, _) in _PROPERTIES.items()}
    found: dict[str, Any] = {}
    for one in resource.get("property", ()):
        code = next((coding.get("code") for coding in one["type"].get("coding", ()) if coding.get("system") == PROPERTY_SYSTEM), None)
        if code in names and one.get("valueQuantity"):
            found[names[code]] = int(one["valueQuantity"][0]["value"])
    return found
