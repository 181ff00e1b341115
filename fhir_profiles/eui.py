"""EUI-64 and EUI-48 as HL7 PHD writes them: upper-case octets in dashes.

http://hl7.org/fhir/uv/phd/StructureDefinition/PhdDevice: identifier slices SYSID, BTMAC and ETHMAC.
"""

import re
from typing import Any, Final

CONTINUA: Final = "http://terminology.hl7.org/CodeSystem/ContinuaDeviceIdentifiers"
SYSTEM_ID: Final = "urn:oid:1.2.840.10004.1.1.1.0.0.1.0.0.1.2680"
BLUETOOTH: Final = "http://hl7.org/fhir/sid/eui-48/bluetooth"
EUI_64_OCTETS: Final = 8
EUI_48_OCTETS: Final = 6

_SEPARATED = re.compile(r"[0-9A-F]{2}(?:([-:. ]?)[0-9A-F]{2}(?:\1[0-9A-F]{2})*)")


def eui_64(text: str) -> str:
    """The system id. Raises ValueError with a text for people."""
    return _dashed(text, EUI_64_OCTETS, "an EUI-64")


def eui_48(text: str) -> str:
    """A Bluetooth device address. Raises ValueError with a text for people."""
    return _dashed(text, EUI_48_OCTETS, "a Bluetooth address (EUI-48)")


def system_id_identifier(eui: str) -> dict[str, Any]:
    return _identifier("SYSID", "IEEE 11073 System Identifier", SYSTEM_ID, eui)


def bluetooth_identifier(eui: str) -> dict[str, Any]:
    return _identifier("BTMAC", "Bluetooth MAC address", BLUETOOTH, eui)


def _identifier(code: str, display: str, system: str, value: str) -> dict[str, Any]:
    return {"type": {"coding": [{"system": CONTINUA, "code": code, "display": display}]}, "system": system, "value": value}


def _dashed(text: str, octets: int, what: str) -> str:
    """All zeros and all ones are how a device says that it has none."""
    given = text.strip().upper()
    digits = re.sub(r"[-:. ]", "", given)
    if not _SEPARATED.fullmatch(given) or len(digits) != 2 * octets:
        raise ValueError(f"{what} has {octets} octets in hexadecimal, as 0A-1B-…")
    if not digits.strip("0") or not digits.strip("F"):
        raise ValueError(f"{what} of zeros or ones alone says that there is none")
    return "-".join(digits[at : at + 2] for at in range(0, len(digits), 2))
