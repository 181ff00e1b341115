"""A unit of the registry -> FHIR R4 Device, and what is changed in one later. https://hl7.org/fhir/R4/device.html

Pure: each function gives a new resource. Versions, properties and identifiers as HL7 PHD PhdDevice has them.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Final, Literal

from fhir_profiles import eui
from fhir_profiles.canonical import MDC
from fhir_profiles.device import device
from fhir_profiles.product import STANDING_SYSTEM, Product, is_regulation
from fhir_profiles.udi import Udi

Status = Literal["active", "inactive", "unknown"]
VERSIONS: Final = {
    "firmware": ("531976", "MDC_ID_PROD_SPEC_FW", "Firmware revision"),
    "software": ("531975", "MDC_ID_PROD_SPEC_SW", "Software revision"),
    "hardware": ("531974", "MDC_ID_PROD_SPEC_HW", "Hardware revision"),
}
"""What a payload may say -> PhdDevice.version."""
STATUS_REASON: Final = "http://terminology.hl7.org/CodeSystem/device-status-reason"


@dataclass(frozen=True, slots=True, kw_only=True)
class UnitNames:
    """By what one unit is told from all others.

    system, identifier  the unit in its adapter's space
    eui_64, bluetooth   as `fhir_profiles.eui` writes them
    """

    system: str
    identifier: str
    serial: str | None = field(default=None, repr=False)
    eui_64: str | None = field(default=None, repr=False)
    bluetooth: str | None = field(default=None, repr=False)
    udi: Udi | None = None


def unit_device(names: UnitNames, product: Product, *, definition: str, expires: str | None = None) -> dict[str, Any]:
    """A Device without id.

    definition  "DeviceDefinition/id" of the product
    expires     FHIR dateTime from which on it must not be worn; None: what the UDI says
    Raises ValueError with a text for people.
    """
    serial = agreed(names)
    made = device(
        identifier_system=names.system,
        identifier=names.identifier,
        name=product.name,
        manufacturer=product.manufacturer,
        model=product.model,
        serial=serial,
        specializations=product.specializations,
    )
    made["meta"] = {"tag": product.tags}
    made["definition"] = {"reference": definition}
    made["identifier"] += [
        *([eui.system_id_identifier(names.eui_64)] if names.eui_64 else []),
        *([eui.bluetooth_identifier(names.bluetooth)] if names.bluetooth else []),
    ]
    if product.regulation:
        made["property"] = product.regulation
    made |= _printed(names.udi) if names.udi else {}
    if expires is not None:
        made["expirationDate"] = earlier(expires, made.get("expirationDate"))
    return made


def agreed(names: UnitNames) -> str | None:
    """The serial number, which may stand on the label and be typed in besides. Raises ValueError if the two differ."""
    printed = None if names.udi is None else names.udi.serial
    if printed and names.serial and printed != names.serial:
        raise ValueError("the UDI has another serial number than --serial")
    return names.serial or printed


def require_of(product: Product, udi: Udi) -> None:
    """Raises ValueError for the label of another product."""
    if product.identifiers and udi.identifier not in product.identifiers:
        raise ValueError(f"the UDI's device identifier is none of {product.key}'s ({', '.join(product.identifiers)})")


def earlier(one: str, other: str | None) -> str:
    """Of two FHIR dateTimes; a date alone means its end."""
    return one if other is None or _end(one) <= _end(other) else other


def end_of(text: str) -> datetime:
    """The last moment of a FHIR dateTime, however precise it is."""
    return _end(text)


def with_versions(resource: Mapping[str, Any], said: Mapping[str, str]) -> dict[str, Any] | None:
    """The Device with these versions (keys of `VERSIONS`), or None if it has them already; what nobody mentions stays."""
    held = list(resource.get("version", ()))
    for name, value in said.items():
        code, display, text = VERSIONS[name]
        row = {"type": {"coding": [{"system": MDC, "code": code, "display": display}], "text": text}, "value": value}
        places = [place for place, one in enumerate(held) if _is(one, code)]
        if places and held[places[0]].get("value") == value:
            continue
        if places:
            held[places[0]] = row
        else:
            held.append(row)
    return None if held == list(resource.get("version", ())) else {**resource, "version": held}


def with_names(resource: Mapping[str, Any], said: Mapping[str, str]) -> Mapping[str, Any]:
    """With what nobody had said before; what a person or a product says stays. The same resource if there is nothing to add."""
    missing = {name: text for name, text in said.items() if name not in resource}
    return {**resource, **missing} if missing else resource


def with_standing(resource: Mapping[str, Any], product: Product) -> Mapping[str, Any]:
    """With what its product is under the law: tags and PHD's regulation status. The same resource if it says so already."""
    meta = resource.get("meta", {})
    tags = [*product.tags, *(tag for tag in meta.get("tag", ()) if tag.get("system") != STANDING_SYSTEM)]
    held = resource.get("property", [])
    properties = [*product.regulation, *(one for one in held if not is_regulation(one))]
    if tags == meta.get("tag") and properties == held:
        return resource
    rest = {name: value for name, value in resource.items() if name != "property"}
    return {**rest, "meta": {**meta, "tag": tags}, **({"property": properties} if properties else {})}


def with_status(resource: Mapping[str, Any], status: Status) -> dict[str, Any]:
    """`unknown` and `inactive` say why in R4's words, so that who reads it knows silence from a switch."""
    rest = {name: value for name, value in resource.items() if name not in ("status", "statusReason")}
    reason = {"unknown": ("offline", "Offline"), "inactive": ("off", "Off")}.get(status)
    made = {**rest, "status": status}
    if reason is not None:
        made["statusReason"] = [{"coding": [{"system": STATUS_REASON, "code": reason[0], "display": reason[1]}]}]
    return made


def versions_of(resource: Mapping[str, Any]) -> dict[str, str]:
    found: dict[str, str] = {}
    for name, (code, _, _) in VERSIONS.items():
        value = next((one.get("value") for one in resource.get("version", ()) if _is(one, code)), None)
        if value is not None:
            found[name] = value
    return found


def standing_of(resource: Mapping[str, Any]) -> list[str]:
    return [one["code"] for one in resource.get("meta", {}).get("tag", ()) if one.get("system") == STANDING_SYSTEM]


def _is(version: Mapping[str, Any], code: str) -> bool:
    codings = version.get("type", {}).get("coding", ())
    return any(one.get("system") == MDC and one.get("code") == code for one in codings)


def _printed(udi: Udi) -> dict[str, Any]:
    carrier = {"deviceIdentifier": udi.identifier, "issuer": udi.issuer, "carrierHRF": udi.carrier, "entryType": "manual"}
    said = {"lotNumber": udi.lot, "manufactureDate": udi.made, "expirationDate": udi.expires, "distinctIdentifier": udi.donation}
    return {"udiCarrier": [carrier], **{name: value for name, value in said.items() if value}}


def _end(text: str) -> datetime:
    if "T" in text:
        return datetime.fromisoformat(text)
    year, month, day = (*map(int, text.split("-")), 0, 0)[:3]
    if not month:
        return datetime(year + 1, 1, 1, tzinfo=UTC)
    if not day:
        return datetime(year + month // 12, month % 12 + 1, 1, tzinfo=UTC)
    return datetime.fromtimestamp(datetime(year, month, day, tzinfo=UTC).timestamp() + 86_400, UTC)
