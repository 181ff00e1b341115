"""HL7 version 2 messages, split at their separators and no further."""

from collections.abc import Iterator
from datetime import datetime

from tests.support.independent.said import LOINC, OURS, Said, absent, at, coded, loinc, mdc, quantity

_MDC_UNITS = {"264864": "/min", "263875": "kg", "/min": "/min"}
_NUMERIC = ("NM", "SN")
_PRESSURES = ("8480-6", "8462-4")


def pcd01(payload: bytes) -> Iterator[Said]:
    """IHE Device Enterprise Communication, PCD-01, https://wiki.ihe.net/index.php/PCD_Technical_Framework: an OBX with a value is a metric.

    OBX-3 names it in IEEE 11073-10101, OBX-4 its place in the device's tree, OBX-6 the unit, OBX-14 or else OBR-7 the time; what has no
    value describes the device. The device is the EUI-64 of OBX-18, or else that of the filler's order number (OBR-3). A value of type ST
    of a coded metric is a reference identifier.
    """
    filler = when = ""
    for fields in _segments(payload):
        if fields[0] == "OBR":
            filler, when = fields[3].split("^")[0], fields[7]
        if fields[0] == "OBX" and _field(fields, 5):
            unit = _field(fields, 6).split("^")[0]
            code, value = fields[3].split("^")[0], fields[5]
            number = value if fields[2] in _NUMERIC else ""
            yield Said(
                code=mdc(code),
                value=quantity(number, _MDC_UNITS.get(unit, "1")) if number else coded(f"{OURS}/mdc-term", value),
                start=_time(_field(fields, 14) or when),
                device=_dashed(_field(fields, 18).split("^")[0] or filler),
                which=fields[4],
            )


def oru(payload: bytes) -> Iterator[Said]:
    """HL7 v2.5.1, chapter 7, https://www.hl7.org/implement/standards/product_brief.cfm?product_id=185: OBX with a LOINC code.

    The code stands in the first or in the alternate triplet of OBX-3. Systolic and diastolic of one order are one pressure. A structured
    number with a comparator (SN, `<^35.0`) is a bound and no value.
    """
    when = ""
    pressure: list[tuple[str, str]] = []
    place: dict[str, str] = {}
    found: list[Said] = []
    for fields in _segments(payload):
        if fields[0] == "OBR":
            when = fields[7]
        if fields[0] != "OBX":
            continue
        triplets = (_field(fields, 3) + "^^^^^").split("^")
        code = triplets[0] if triplets[2] == "LN" else triplets[3] if triplets[5] == "LN" else ""
        value = _field(fields, 5)
        at_place = {"start": _time(_field(fields, 14) or when), "device": _field(fields, 18).split("^")[0]}
        if code in _PRESSURES:
            pressure.append((loinc(code), quantity(value, _field(fields, 6).split("^")[0])))
            place = at_place
            continue
        said = absent("unsupported") if fields[2] == "SN" else f"{fields[2]} {value} {_field(fields, 6)}"
        if fields[2] == "NM" and _field(fields, 6):
            said = quantity(value, _field(fields, 6).split("^")[0])
        found.append(Said(code=f"{LOINC}|{code}", value=said, **at_place))
    if pressure:
        yield Said(code=loinc("85354-9"), parts=tuple(sorted(pressure)), **place)
    yield from found


def _segments(payload: bytes) -> list[list[str]]:
    return [line.split("|") for line in payload.decode("utf-8").replace("\n", "\r").split("\r") if line.strip()]


def _field(fields: list[str], number: int) -> str:
    return fields[number].strip() if number < len(fields) else ""


def _time(text: str) -> str:
    """HL7 v2.5.1, 2.A.22: YYYY[MM[DD[HH[MM[SS[.S…]]]]]][+/-ZZZZ]; what is not said counts from the beginning."""
    if not text:
        return ""
    clock = text.replace("-", "+").split("+")[0]
    form = "%Y%m%d%H%M%S"[: len(clock.split(".")[0]) - 2] + (".%f" if "." in clock else "") + ("%z" if clock != text else "")
    return at(datetime.strptime(text, form))  # noqa: DTZ007 -- without an offset it is a wall clock


def _dashed(text: str) -> str:
    """Pairs of an EUI-64."""
    return "-".join(text[place : place + 2] for place in range(0, len(text), 2)).upper()
