"""HL7 version 2 messages, split at their separators and no further."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from tests.support.independent.said import LOINC, MDC, OURS, Said, absent, at, coded, loinc, mdc, quantity

_UNITS: Final = {
    "262688": "%",
    "263762": "mL",
    "263875": "kg",
    "264864": "/min",
    "264928": "/min",
    "265216": "L/min",
    "265266": "mL/h",
    "266016": "mm[Hg]",
    "266048": "cm[H2O]",
    "268050": "mL/cm[H2O]",
    "268192": "Cel",
}
_NAMES: Final = {
    "150456": "MDC_PULS_OXIM_SAT_O2",
    "265266": "MDC_DIM_MILLI_L_PER_HR",
    "721472": "MDC_IDC_MSMT_BATTERY_REMAINING_LONGEVITY",
    "754946": "MDC_IDC_ENUM_ZONE_TYPE_Zone_VT",
}
"""Of those codes that a message also gives with another's name: which of the two is meant, nobody knows."""
_PARTS_OF: Final = {"150021": "150020", "150022": "150020", "150023": "150020", "150033": "150032", "150034": "150032"}
_NO_VALUE: Final = {"INV": "error", "NAV": "temp-unknown"}
_PRESSURES: Final = ("8480-6", "8462-4")
_WITHDRAWN: Final = "W"


@dataclass(frozen=True)
class Result:
    """A segment OBX with what the segments above say of it."""

    fields: list[str]
    when: str
    filler: str
    offset: str
    implant: str

    def field(self, number: int) -> str:
        return self.fields[number].strip() if number < len(self.fields) else ""

    def part(self, number: int, place: int = 0) -> str:
        return [*self.field(number).split("^"), *[""] * 6][place]

    @property
    def start(self) -> str:
        text = self.field(14) or self.when
        return _time(text if "+" in text or "-" in text else text + self.offset)

    @property
    def misnamed(self) -> str:
        """The code that has another's name, with that name."""
        for field in (3, 5, 6):
            code, name = self.part(field), self.part(field, 1)
            if code in _NAMES and name != _NAMES[code]:
                return f"hl7v2|{code} {name}"
        return ""


def pcd01(payload: bytes) -> Iterator[Said]:
    """IHE Device Enterprise Communication, PCD-01, https://wiki.ihe.net/index.php/PCD_Technical_Framework: an OBX with a value is a metric.

    OBX-3 names it in IEEE 11073-10101, OBX-4 its place in the device's tree, OBX-6 the unit, OBX-14 or else OBR-7 the time, with the offset
    of the message if it has none; what has no type of value describes the device. The device is the EUI-64 of OBX-18, of any segment of the
    message, or else that of the filler's order number (OBR-3). A value of type ST or CWE of a metric is a reference identifier. Pressures
    of one channel at one time are one. OBX-8 says why there is no value, OBX-11 W that it was wrong.
    """
    results = list(_results(payload))
    units = {one.filler: one.part(18) for one in results if _is_eui64(one.part(18))}
    panels: dict[Said, list[tuple[str, str]]] = {}
    for one in results:
        if not one.field(2):
            continue
        code = one.part(3)
        device = _dashed(units.get(one.filler, one.filler))
        place = {"start": one.start, "device": device, "which": one.field(4)}
        if code in _PARTS_OF:
            place["which"] = place["which"].rpartition(".")[0]
            panels.setdefault(Said(code=mdc(_PARTS_OF[code]), **place), []).append((mdc(code), _metric(one)))
        elif one.field(11) == _WITHDRAWN:
            yield Said(code="hl7v2|withdrawn", **place)
        else:
            yield Said(code=one.misnamed or mdc(code), value=_metric(one), **place)
    for panel, parts in panels.items():
        yield Said(code=panel.code, parts=tuple(sorted(parts)), start=panel.start, device=panel.device, which=panel.which)


def _metric(one: Result) -> str:
    if one.field(8) in _NO_VALUE:
        return absent(_NO_VALUE[one.field(8)])
    if one.field(2) == "NM":
        return quantity(re.sub(r"^0+(?=\d)", "", one.field(5)), _UNITS.get(one.part(6), one.part(6) or "1"))
    return coded(f"{OURS}/mdc-term", one.part(5) or one.part(5, 1))


def idco(payload: bytes) -> Iterator[Said]:
    """IHE IDCO, PCD-09, https://wiki.ihe.net/index.php/PCD_Technical_Framework: terms of IEEE 11073-10103 in OBX-3, units in UCUM.

    OBX-4 is the instance (battery, zone). The implant is the identifier of type U in PID-3, model and serial, with its maker. A coded value
    is a number of the nomenclature; a structured number with a comparator is a bound and no value. Of type ED is a report, in the message.
    """
    for one in _results(payload):
        kind, code = one.field(2), one.part(3)
        if kind == "ED":
            yield Said(code=loinc(code), start=one.start, device=one.implant, which=one.field(4))
            continue
        value = quantity(one.field(5), one.part(6))
        if kind == "CWE":
            value = coded(MDC, one.part(5))
        if kind == "SN":
            value = absent("unsupported")
        system = MDC if one.part(3, 2) == "MDC" else "other"
        yield Said(code=one.misnamed or f"{system}|{code}", value=value, start=one.start, device=one.implant, which=one.field(4))


def oru(payload: bytes) -> Iterator[Said]:
    """HL7 v2.5.1, chapter 7, https://www.hl7.org/implement/standards/product_brief.cfm?product_id=185: OBX with a LOINC code.

    The code stands in the first or in the alternate triplet of OBX-3. Systolic and diastolic of one order are one pressure. A structured
    number with a comparator (SN, `<^35.0`) is a bound and no value.
    """
    pressure: dict[tuple[str, str], list[tuple[str, str]]] = {}
    for one in _results(payload):
        code = next((one.part(3, place) for place in (0, 3) if one.part(3, place + 2) == "LN"), "")
        place = {"start": one.start, "device": one.part(18)}
        if code in _PRESSURES:
            pressure.setdefault((place["start"], place["device"]), []).append((loinc(code), quantity(one.field(5), one.part(6))))
            continue
        said = absent("unsupported") if one.field(2) == "SN" else f"{one.field(2)} {one.field(5)} {one.field(6)}"
        if one.field(2) == "NM" and one.field(6):
            said = quantity(one.field(5), one.part(6))
        yield Said(code=f"{LOINC}|{code}", value=said, **place)
    for (start, device), parts in pressure.items():
        yield Said(code=loinc("85354-9"), parts=tuple(sorted(parts)), start=start, device=device)


def _results(payload: bytes) -> Iterator[Result]:
    filler = when = offset = implant = ""
    for line in payload.decode("utf-8", "replace").replace("\n", "\r").split("\r"):
        fields = line.split("|")
        match fields[0]:
            case "MSH":
                found = re.search(r"[+-]\d{4}$", fields[6])
                offset = found[0] if found else ""
            case "PID":
                named = [one.split("^") for one in fields[3].split("~")]
                implant = next((f"{one[3]}/{one[0]}" for one in named if one[-1] == "U" and len(one) > 3), "")
            case "OBR":
                filler, when = fields[3].split("^")[0], fields[7]
            case "OBX":
                yield Result(fields, when, filler, offset, implant)


def _time(text: str) -> str:
    """HL7 v2.5.1, 2.A.22: YYYY[MM[DD[HH[MM[SS[.S…]]]]]][+/-ZZZZ]; what is not said counts from the beginning."""
    if not text[:4].isdigit():
        return ""
    clock = text.replace("-", "+").split("+")[0]
    form = "%Y%m%d%H%M%S"[: len(clock.split(".")[0]) - 2] + (".%f" if "." in clock else "") + ("%z" if clock != text else "")
    return at(datetime.strptime(text, form))  # noqa: DTZ007 -- without an offset it is a wall clock


def _is_eui64(text: str) -> bool:
    return re.fullmatch("[0-9A-Fa-f]{16}", text.replace("-", "")) is not None


def _dashed(text: str) -> str:
    """Pairs of an EUI-64."""
    plain = text.replace("-", "")
    return "-".join(plain[place : place + 2] for place in range(0, len(plain), 2)).upper()
